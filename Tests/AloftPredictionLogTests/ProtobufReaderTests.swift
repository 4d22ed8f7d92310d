import Testing

@testable import AloftPredictionLog

/// The wire format of protobuf, as what reads messages of gRPC, ONNX files and the log steps through it.
struct ProtobufReaderTests {
    private struct Fault: ProtobufFault, Equatable {
        let expected: String
        let offset: Int

        static func malformed(expected: String, offset: Int) -> Fault {
            Fault(expected: expected, offset: offset)
        }
    }

    private typealias Reader = ProtobufReader<Fault>

    private func fault(
        _ bytes: [UInt8], _ read: (inout Reader) throws(Fault) -> Void
    ) -> Fault? {
        bytes.withUnsafeBytes { bytes in
            var reader = Reader(bytes)
            do throws(Fault) {
                try read(&reader)
                return nil
            } catch {
                return error
            }
        }
    }

    private static func all(_ reader: inout Reader) throws(Fault) {
        while let (_, wire) = try reader.next() { try reader.skip(wire) }
    }

    @Test func `each kind of value is read, and stepped over`() {
        let message: [UInt8] =
            [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0x80] + [0x1A, 2, 7, 8]
            + [0x25, 5, 0, 0, 0]
        let found = fault(message) { (reader) throws(Fault) in
            #expect(try reader.next() ?? (0, .bytes) == (1, .varint))
            #expect(try reader.varint() == 150)
            #expect(try reader.next() ?? (0, .bytes) == (2, .fixed64))
            #expect(try reader.fixed(UInt64.self) == 1 << 63 | 1)
            #expect(try reader.next() ?? (0, .varint) == (3, .bytes))
            let slice = try reader.slice()
            #expect(Array(slice.bytes) == [7, 8] && slice.offset == 14)
            #expect(try reader.next() ?? (0, .bytes) == (4, .fixed32))
            #expect(try reader.fixed(UInt32.self) == 5)
            #expect(reader.isAtEnd)
        }
        #expect(found == nil)
        #expect(fault(message, Self.all) == nil)
    }

    @Test(
        arguments: [
            ([0x00], 1), ([0x0B], 1), ([0x0C], 1), ([0x0E], 1), ([0x0F], 1),
            ([0x08], 1), ([0x08, 0x80], 2),
            ([0x08] + Array(repeating: 0x80, count: 10) + [1], 11),
            ([0x09, 1, 2], 1), ([0x0D, 1, 2, 3], 1), ([0x0A, 3, 1, 2], 2),
            ([0x0A] + Array(repeating: 0xFF, count: 9) + [1], 11),
        ] as [([UInt8], Int)])
    func `what is no field is refused, where it stands`(bytes: [UInt8], offset: Int) {
        #expect(fault(bytes, Self.all)?.offset == offset)
    }

    @Test func `a fault in a message within another says its place in the whole`() {
        let found = fault([0x08, 1, 0x12, 2, 0x0B, 0]) { (reader) throws(Fault) in
            _ = try reader.next()
            _ = try reader.varint()
            _ = try reader.next()
            var inner = Reader(try reader.slice())
            try Self.all(&inner)
        }
        #expect(found == Fault(expected: "the tag of a field", offset: 5))
    }
}
