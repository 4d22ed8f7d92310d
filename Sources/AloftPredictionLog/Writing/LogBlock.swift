/// A block of the prediction log that is being gathered: its records, behind room for its head.
///
/// Owned by one thread at a time: the event loop that fills it hands it to the one that writes. What
/// every request asks of it is inlinable, since the event loops' code is another module.
// @unchecked: handed from owner to owner, as said above; nothing is ever shared.
@usableFromInline
package final class LogBlock: @unchecked Sendable {
    /// The records' bytes so far.
    @usableFromInline package internal(set) var recordBytes = 0
    @usableFromInline var memory: UnsafeMutableRawBufferPointer
    @usableFromInline let headBytes = PredictionBlock.headBytes

    package init(capacity: Int) {
        memory = .allocate(byteCount: capacity + PredictionBlock.headBytes, alignment: 64)
    }

    deinit { memory.deallocate() }

    package var capacity: Int { memory.count - headBytes }
    package var isEmpty: Bool { recordBytes == 0 }

    /// Memory behind the records, at least `count` bytes of it.
    @inlinable @inline(__always)
    package func room(_ count: Int) -> UnsafeMutableRawBufferPointer {
        let end = headBytes + recordBytes
        if end + count > memory.count { grow(to: end + count) }
        return UnsafeMutableRawBufferPointer(rebasing: memory[end...])
    }

    /// Says how much of the room is a record now.
    @inlinable @inline(__always)
    package func take(_ count: Int) { recordBytes += count }

    @usableFromInline
    func grow(to needed: Int) {
        let grown = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(memory.count * 2, needed), alignment: 64)
        grown.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = grown
    }

    package func clear() { recordBytes = 0 }

    /// Head and records, as they go to the disk.
    package func sealed() -> UnsafeRawBufferPointer {
        let whole = UnsafeRawBufferPointer(rebasing: memory[..<(headBytes + recordBytes)])
        let records = UnsafeRawBufferPointer(rebasing: whole[headBytes...])
        memory.copyBytes(from: PredictionBlock.head(of: records, .shaped))
        return whole
    }
}
