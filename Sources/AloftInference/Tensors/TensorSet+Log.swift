extension TensorSet {
    /// What `writeLog` writes, in bytes; `nil` where its lengths do not reach so far.
    package var logBytes: Int? {
        guard entries.count <= 255 else { return nil }
        var total = 1
        for entry in entries {
            guard entry.place <= 255, entry.rank <= 255, entry.byteCount <= Int(UInt32.max) else {
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
