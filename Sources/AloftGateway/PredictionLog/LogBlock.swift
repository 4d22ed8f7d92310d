import AloftDomain

/// A block of the prediction log that is being gathered: its records, behind room for its head.
///
/// Owned by one thread at a time: the event loop that fills it hands it to the one that writes.
// @unchecked: handed from owner to owner, as said above; nothing is ever shared.
final class LogBlock: @unchecked Sendable {
    /// The records' bytes so far.
    private(set) var recordBytes = 0
    private var memory: UnsafeMutableRawBufferPointer
    private let headBytes = PredictionBlock.headBytes

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity + headBytes, alignment: 64)
    }

    deinit { memory.deallocate() }

    var capacity: Int { memory.count - headBytes }
    var isEmpty: Bool { recordBytes == 0 }

    /// Memory behind the records, at least `count` bytes of it.
    @inline(__always)
    func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let end = headBytes + recordBytes
        if end + count > memory.count { grow(to: end + count) }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    /// Says how much of the room is a record now.
    @inline(__always)
    func take(_ count: Int) { recordBytes += count }

    private func grow(to needed: Int) {
        let grown = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(memory.count * 2, needed), alignment: 64)
        grown.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = grown
    }

    func clear() { recordBytes = 0 }

    /// Head and records, as they go to the disk.
    func sealed() -> UnsafeRawBufferPointer {
        let whole = UnsafeRawBufferPointer(rebasing: memory[..<(headBytes + recordBytes)])
        let records = UnsafeRawBufferPointer(rebasing: whole[headBytes...])
        memory.copyBytes(from: PredictionBlock.head(of: records, .shaped))
        return whole
    }
}
