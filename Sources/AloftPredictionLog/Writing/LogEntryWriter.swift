/// Puts numbers and bytes one behind the other into memory that is known to be large enough.
///
/// Inlinable as a whole: a logged prediction puts ten numbers from another module.
@frozen @usableFromInline
package struct LogEntryWriter {
    @usableFromInline let memory: UnsafeMutableRawBufferPointer
    @usableFromInline package internal(set) var offset = 0

    @inlinable
    package init(_ memory: UnsafeMutableRawBufferPointer) { self.memory = memory }

    @inlinable @inline(__always)
    package mutating func put<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number) {
        memory.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self)
        offset += MemoryLayout<Number>.size
    }

    @inlinable
    package mutating func put(_ source: UnsafeRawBufferPointer) {
        guard let start = source.baseAddress, !source.isEmpty else { return }
        UnsafeMutableRawBufferPointer(rebasing: memory[offset...]).baseAddress?
            .copyMemory(from: start, byteCount: source.count)
        offset += source.count
    }

    /// Memory of the next `count` bytes, for the caller to fill.
    @inlinable @inline(__always)
    package mutating func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        defer { offset += count }
        return UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + count])
    }

    /// Keeps room for a length, to be filled by `endRun`.
    @inlinable
    package mutating func beginRun() -> Int {
        let place = offset
        offset += MemoryLayout<UInt32>.size
        return place
    }

    /// Says at `place` how much was put since.
    @inlinable
    package mutating func endRun(_ place: Int) {
        let size = MemoryLayout<UInt32>.size
        memory.storeBytes(
            of: UInt32(truncatingIfNeeded: offset - place - size).littleEndian, toByteOffset: place,
            as: UInt32.self)
    }
}
