package import AloftPredictionLog

extension TensorSet {
    /// How the tensors lie; `nil` where the log cannot say it.
    package var layout: TensorLayout? {
        TensorLayout(
            entries.map {
                .init(place: $0.place, rank: $0.rank, byteCount: $0.byteCount)
            }, dimensions: dimensions)
    }

    /// Whether the tensors lie as the numbers of a `PackedLayout` say.
    package func lies(as layout: UnsafePointer<Int64>) -> Bool {
        guard entries.count == Int(truncatingIfNeeded: layout[0]),
            dimensions.count == Int(truncatingIfNeeded: layout[1])
        else {
            return false
        }
        var next = layout + 2
        var differences: Int64 = 0
        for entry in entries {
            differences |= next[0] ^ Int64(truncatingIfNeeded: entry.place)
            differences |= next[1] ^ Int64(truncatingIfNeeded: entry.rank)
            differences |= next[2] ^ Int64(entry.byteCount)
            next += 3
        }
        for dimension in dimensions {
            differences |= next.pointee ^ dimension
            next += 1
        }
        return differences == 0
    }

    /// Writes the elements of all tensors, one behind the other.
    ///
    /// - Parameter memory: as long as they are together.
    package func writeElements(to memory: UnsafeMutableRawPointer) {
        var next = memory
        for entry in entries {
            let source = bytes(entry)
            guard let start = source.baseAddress else { continue }
            next.copyMemory(from: start, byteCount: source.count)
            next += source.count
        }
    }

    /// What `writeLog` writes, in bytes; `nil` where its lengths do not reach so far.
    package var logBytes: Int? {
        guard entries.count <= 255 else { return nil }
        var total = 1
        for entry in entries {
            guard entry.place <= 255, entry.rank <= 255,
                entry.byteCount <= Int(truncatingIfNeeded: UInt32.max)
            else {
                return nil
            }
            total += 6 + 4 * entry.rank + entry.byteCount
        }
        for dimension in dimensions where UInt32(exactly: dimension) == nil { return nil }
        return total
    }

    /// Writes the tensors as the prediction log holds them: their count, then for each its place, its
    /// rank, its dimensions, the length of its elements and those.
    ///
    /// - Parameter memory: at least `logBytes` long.
    package func writeLog(to memory: UnsafeMutableRawBufferPointer) {
        guard var next = memory.baseAddress else { return }
        func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
            next.storeBytes(of: number.littleEndian, as: Number.self)
            next += MemoryLayout<Number>.size
        }
        put(UInt8(truncatingIfNeeded: entries.count))
        for entry in entries {
            put(UInt8(truncatingIfNeeded: entry.place))
            put(UInt8(truncatingIfNeeded: entry.rank))
            for index in entry.firstDimension..<entry.firstDimension + entry.rank {
                put(UInt32(truncatingIfNeeded: dimensions[index]))
            }
            put(UInt32(truncatingIfNeeded: entry.byteCount))
            next.copyBytes(from: bytes(entry))
            next += entry.byteCount
        }
    }
}
