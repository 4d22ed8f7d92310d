import AloftDomain
import NIOCore

/// What has come of a call's one message.
struct MessageAssembly {
    private var received: ByteBuffer?
    private let framing: MessageFraming

    init(_ framing: MessageFraming) { self.framing = framing }

    var byteCount: Int { received?.readableBytes ?? 0 }

    /// - Throws: `Status` where the message is longer than the limit, or more follows it. What it says
    ///   of its length is believed before it has come.
    mutating func append(_ bytes: ByteBuffer) throws(Status) {
        if received == nil {
            received = bytes
        } else {
            received?.writeImmutableBuffer(bytes)
        }
        guard let received, let length = try framing.length(received) else { return }
        guard byteCount <= MessageFraming.prefixBytes + length else {
            throw Status(.unimplemented, "The call takes one message, and more came.")
        }
    }

    /// The message, when the caller has said all.
    ///
    /// - Throws: `Status` where it is cut off or damaged.
    func whole() throws(Status) -> ByteBuffer {
        guard let received, let length = try framing.length(received),
            byteCount == MessageFraming.prefixBytes + length
        else { throw framing.cutOff(received) }
        return try framing.opened(received)
    }
}

/// The messages of a call that takes any number, cut out of its bytes as they come.
struct MessageSequence {
    private var received: ByteBuffer?
    private let framing: MessageFraming

    init(_ framing: MessageFraming) { self.framing = framing }

    /// Of what is not taken yet.
    var byteCount: Int { received?.readableBytes ?? 0 }

    mutating func append(_ bytes: ByteBuffer) {
        if byteCount == 0 {
            // Not copied: nearly always these are whole messages.
            received = bytes
        } else {
            received?.writeImmutableBuffer(bytes)
        }
    }

    /// The next message, `nil` where none has come whole.
    ///
    /// - Throws: `Status` where it is longer than the limit or damaged; nothing behind it can be read.
    mutating func next() throws(Status) -> ByteBuffer? {
        guard let waiting = received, let length = try framing.length(waiting),
            let bytes = received?.readSlice(length: MessageFraming.prefixBytes + length)
        else { return nil }
        return try framing.opened(bytes)
    }

    /// What to say of the rest where nothing follows it; `nil` where there is no rest.
    var cutOff: Status? { byteCount == 0 ? nil : framing.cutOff(received) }

    mutating func removeAll() { received = nil }
}
