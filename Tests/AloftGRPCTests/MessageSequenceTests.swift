import AloftDomain
import NIOCore
import Testing

@testable import AloftGRPC

/// Messages out of bytes that come in any pieces.
@Suite struct MessageSequenceTests {
    private let framing = MessageFraming(limitBytes: 64, mayBeCompressed: false)

    private func all(_ sequence: inout MessageSequence) throws(Status) -> [[UInt8]] {
        var found: [[UInt8]] = []
        while let message = try sequence.next() { found.append(Array(buffer: message)) }
        return found
    }

    @Test(arguments: 0..<200)
    func `messages come out whole and in order wherever they are cut`(seed: Int) throws {
        var chance = SeededChance(seed)
        let messages = Framed.messages(&chance, count: 1 + seed % 9)
        let bytes = messages.flatMap { Framed.message($0) }
        var sequence = MessageSequence(framing)
        var found: [[UInt8]] = []
        for piece in Framed.pieces(bytes, &chance) {
            sequence.append(piece)
            found += try all(&sequence)
        }
        #expect(found == messages)
        #expect(sequence.byteCount == 0)
        #expect(sequence.cutOff == nil)
    }

    @Test(arguments: 1..<8)
    func `an end within a message is told`(count: Int) throws {
        var sequence = MessageSequence(framing)
        sequence.append(ByteBuffer(bytes: Framed.message([1, 2, 3]) + Framed.message([4, 5, 6])))
        var cut = MessageSequence(framing)
        cut.append(
            ByteBuffer(
                bytes: Framed.message([1, 2, 3]) + Framed.message([4, 5, 6]).prefix(count)))
        #expect(try all(&sequence).count == 2)
        #expect(try all(&cut) == [[1, 2, 3]])
        #expect(cut.byteCount == count)
        #expect(cut.cutOff?.code == .invalidArgument)
    }

    @Test func `nothing behind a message that is too long is read`() throws {
        var sequence = MessageSequence(framing)
        sequence.append(ByteBuffer(bytes: Framed.message([7]) + Framed.prefix(length: 65)))
        #expect(try sequence.next().map { Array(buffer: $0) } == [7])
        #expect(throws: Status.self) { try sequence.next() }
        // It stays so: whoever asks again is told again.
        sequence.append(ByteBuffer(bytes: [UInt8](repeating: 0, count: 100)))
        #expect(throws: Status.self) { try sequence.next() }
        sequence.removeAll()
        #expect(sequence.byteCount == 0)
    }

    /// Random bytes: a message, a refusal or a wait, never more than came.
    @Test(arguments: 0..<200)
    func `bytes of nobody end in a refusal or wait for more`(seed: Int) {
        var chance = SeededChance(seed)
        let bytes = (0..<200).map { _ in
            UInt8.random(in: 0...(seed % 3 == 0 ? 2 : 255), using: &chance)
        }
        var sequence = MessageSequence(MessageFraming(limitBytes: 64, mayBeCompressed: true))
        var taken = 0
        do throws(Status) {
            for piece in Framed.pieces(bytes, &chance) {
                sequence.append(piece)
                while let message = try sequence.next() { taken += message.readableBytes }
            }
        } catch {
            #expect(!error.message.isEmpty)
        }
        #expect(taken <= bytes.count)
        #expect(sequence.byteCount <= bytes.count)
    }
}

/// The one message of a call that takes one.
@Suite struct MessageAssemblyTests {
    private let framing = MessageFraming(limitBytes: 64, mayBeCompressed: false)

    @Test(arguments: 0..<100)
    func `it is whole however it was cut`(seed: Int) throws {
        var chance = SeededChance(seed)
        let message = Framed.messages(&chance, count: 1)[0]
        var assembly = MessageAssembly(framing)
        for piece in Framed.pieces(Framed.message(message), &chance) {
            try assembly.append(piece)
        }
        #expect(Array(buffer: try assembly.whole()) == message)
        #expect(assembly.byteCount == message.count + MessageFraming.prefixBytes)
    }

    @Test(arguments: 0..<8)
    func `it is cut off until its last byte`(count: Int) throws {
        var assembly = MessageAssembly(framing)
        if count > 0 {
            try assembly.append(ByteBuffer(bytes: Framed.message([1, 2, 3]).prefix(count)))
        }
        let status = #expect(throws: Status.self) { try assembly.whole() }
        #expect(status?.message.hasPrefix("The message is cut off: \(count) bytes came") == true)
    }

    @Test func `a second message is refused with its first byte`() throws {
        var assembly = MessageAssembly(framing)
        try assembly.append(ByteBuffer(bytes: Framed.message([1])))
        let status = #expect(throws: Status.self) { try assembly.append(ByteBuffer(bytes: [0])) }
        #expect(status?.code == .unimplemented)
    }

    @Test func `a length over the limit is refused with the prefix`() {
        var assembly = MessageAssembly(framing)
        let status = #expect(throws: Status.self) {
            try assembly.append(ByteBuffer(bytes: Framed.prefix(length: 65)))
        }
        #expect(status?.code == .resourceExhausted)
    }
}
