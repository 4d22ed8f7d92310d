import AloftDomain
import Foundation
import NIOCore
import Testing

@testable import AloftGRPC

/// The prefix of a message, and what is compressed.
@Suite struct MessageFramingTests {
    private let framing = MessageFraming(limitBytes: 1 << 20, mayBeCompressed: true)

    private static func base64(_ text: String) throws -> [UInt8] {
        Array(try #require(Data(base64Encoded: text)))
    }

    /// `aloft ` twenty times.
    private static let plain = Array(String(repeating: "aloft ", count: 20).utf8)

    @Test(arguments: 0..<5)
    func `a prefix that has not come whole says no length`(count: Int) throws {
        let bytes = ByteBuffer(bytes: Framed.prefix(length: 7).prefix(count))
        #expect(try framing.length(bytes) == nil)
    }

    @Test(arguments: [0, 1, 1 << 20])
    func `a length up to the limit is believed`(length: Int) throws {
        let bytes = ByteBuffer(bytes: Framed.prefix(length: UInt32(length)))
        #expect(try framing.length(bytes) == length)
    }

    @Test(arguments: [(1 << 20) + 1, 1 << 31, UInt32.max] as [UInt32])
    func `a length over the limit is refused before it has come`(length: UInt32) {
        let status = #expect(throws: Status.self) {
            try framing.length(ByteBuffer(bytes: Framed.prefix(length: length)))
        }
        #expect(status?.code == .resourceExhausted)
        #expect(status?.message == "The message has more than 1048576 bytes, the limit here.")
    }

    @Test func `a message is opened wherever it lies in its buffer`() throws {
        var buffer = ByteBuffer(bytes: [9, 9, 9] + Framed.message([1, 2, 3]))
        buffer.moveReaderIndex(forwardBy: 3)
        #expect(Array(buffer: try framing.opened(buffer)) == [1, 2, 3])
        #expect(try framing.length(buffer) == 3)
    }

    @Test(arguments: [
        "H4sIAAAAAAACA0vMyU8rUUikOwkABzhmD3gAAAA=", "eNpLzMlPK1FIpDsJAIBmLDk=",
    ])
    func `gzip and deflate are opened`(text: String) throws {
        let framed = ByteBuffer(bytes: Framed.message(try Self.base64(text), flag: 1))
        #expect(Array(buffer: try framing.opened(framed)) == Self.plain)
    }

    @Test(arguments: 0..<13)
    func `what is compressed and cut off anywhere is refused`(count: Int) throws {
        let whole = try Self.base64("eNpLzMlPK1FIpDsJAIBmLDk=")
        let framed = ByteBuffer(bytes: Framed.message(Array(whole.prefix(count)), flag: 1))
        let status = #expect(throws: Status.self) { try framing.opened(framed) }
        #expect(status?.code == .invalidArgument)
    }

    @Test func `a compressed message nobody spoke of is refused`() throws {
        let plain = MessageFraming(limitBytes: 1 << 20, mayBeCompressed: false)
        let framed = ByteBuffer(bytes: Framed.message([1], flag: 1))
        #expect(throws: Status.self) { try plain.opened(framed) }
    }

    @Test(arguments: [2, 3, 127, 255])
    func `a flag that is none is refused`(flag: UInt8) {
        let framed = ByteBuffer(bytes: Framed.message([1], flag: flag))
        let status = #expect(throws: Status.self) { try framing.opened(framed) }
        #expect(status?.code == .internal)
        #expect(status?.message.contains("begins with \(flag)") == true)
    }

    /// 600 KiB of zeros in 618 bytes: more than a message so small may become, by little.
    @Test func `a small message that becomes large is refused`() throws {
        let head = try Self.base64("eNrtwTEBAAAAwqD1T20LL6AA")
        // Its end lies past the limit, which is found first.
        let bytes = head + [UInt8](repeating: 0, count: 600)
        let framed = ByteBuffer(bytes: Framed.message(bytes, flag: 1))
        let status = #expect(throws: Status.self) { try framing.opened(framed) }
        #expect(status?.code == .resourceExhausted)
        #expect(status?.message.contains("Send it uncompressed") == true)
    }

    @Test func `a compressed message over the limit of all is refused as such`() throws {
        let small = MessageFraming(limitBytes: 119, mayBeCompressed: true)
        let framed = ByteBuffer(
            bytes: Framed.message(try Self.base64("eNpLzMlPK1FIpDsJAIBmLDk="), flag: 1))
        let status = #expect(throws: Status.self) { try small.opened(framed) }
        #expect(status?.message == "The message has more than 119 bytes, the limit here.")
    }

    @Test func `what came of a message that is cut off is named`() {
        #expect(
            framing.cutOff(nil).message == "The message is cut off: 0 bytes came of at least 5.")
        let begun = ByteBuffer(bytes: Framed.prefix(length: UInt32.max) + [1])
        #expect(
            framing.cutOff(begun).message
                == "The message is cut off: 6 bytes came of \(Int(UInt32.max) + 5).")
    }
}
