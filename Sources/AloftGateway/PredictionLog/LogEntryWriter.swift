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

    /// Tensors as `LoggedTensor` reads them, which take so many bytes, behind that number.
    @inline(__always)
    mutating func putRun(_ tensors: TensorSet, bytes: Int) {
        put(UInt32(truncatingIfNeeded: bytes))
        tensors.writeLog(
            to: UnsafeMutableRawBufferPointer(rebasing: memory[offset..<offset + bytes]))
        offset += bytes
    }

    /// The elements of tensors alone, which take so many bytes.
    @inline(__always)
    mutating func putElements(_ tensors: TensorSet, bytes: Int) {
        guard bytes > 0, let start = memory.baseAddress else { return }
        tensors.writeElements(to: start + offset)
        offset += bytes
    }
}
