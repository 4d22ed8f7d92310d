import AloftDomain
import AloftInference

/// Puts numbers and bytes one behind the other into memory that is known to be large enough.
struct LogEntryWriter {
    private let memory: UnsafeMutableRawBufferPointer
    private(set) var offset = 0

    init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    @inline(__always)
    mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        memory.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
        offset += MemoryLayout<Number>.size
    }

    mutating func put(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, !source.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).baseAddress?
            .copyMemory(from: start, byteCount: source.count)
        offset += source.count
    }

    /// Keeps room for a length, to be filled by `endRun`.
    mutating func beginRun() -> Int {
        let place = offset
        offset += MemoryLayout<UInt32>.size
        return place
    }

    /// Says at `place` how much was put since.
    mutating func endRun(_ place: Int) {
        let size = MemoryLayout<UInt32>.size
        memory.storeBytes(
            of: UInt32(truncatingIfNeeded: offset - place - size).littleEndian, toByteOffset: place,
            as: UInt32.self)
    }

    /// Tensors as `LoggedTensor` reads them.
    mutating func put(_ tensors: TensorSet) {
        put(UInt8(truncatingIfNeeded: tensors.entries.count))
        for entry in tensors.entries {
            put(UInt8(truncatingIfNeeded: entry.place))
            put(UInt8(truncatingIfNeeded: entry.rank))
            for index in entry.firstDimension..<entry.firstDimension + entry.rank {
                put(UInt32(truncatingIfNeeded: tensors.dimensions[index]))
            }
            put(UInt32(truncatingIfNeeded: entry.byteCount))
            put(tensors.bytes(entry))
        }
    }
}

extension TensorSet {
    /// What `LogEntryWriter` writes of them, in bytes; `nil` where its lengths do not reach so far.
    var loggedBytes: Int? {
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
}
