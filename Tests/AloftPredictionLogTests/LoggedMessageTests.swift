import Foundation
import Testing

@testable import AloftPredictionLog

/// Messages of gRPC in the log, as they are shown.
@Suite struct LoggedMessageTests {
    private static func varint(_ value: UInt64) -> [UInt8] {
        value < 0x80
            ? [UInt8(value)] : [UInt8(truncatingIfNeeded: value) | 0x80] + varint(value >> 7)
    }

    private static func field(_ number: UInt64, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(UInt64(content.count)) + content
    }

    private static func text(_ number: UInt64, _ text: String) -> [UInt8] {
        field(number, Array(text.utf8))
    }

    private static func tensor(
        _ name: String, _ datatype: String, _ shape: [UInt64], contents: [UInt8] = []
    ) -> [UInt8] {
        text(1, name) + text(2, datatype) + field(3, shape.flatMap(varint))
            + (contents.isEmpty ? [] : field(5, contents))
    }

    private static func little(_ numbers: [some FixedWidthInteger]) -> [UInt8] {
        numbers.flatMap { number in withUnsafeBytes(of: number.littleEndian) { Array($0) } }
    }

    private func json(_ bytes: [UInt8], _ part: InferMessage.Part) throws -> String {
        String(decoding: try #require(InferMessage(Data(bytes), part)).json, as: UTF8.self)
    }

    private static let floats = little([Float(0.1).bitPattern, Float(-3).bitPattern])

    @Test func `typed and raw elements are shown alike`() throws {
        let typed = Self.field(
            5, Self.tensor("x", "FP32", [1, 2], contents: Self.field(6, Self.floats)))
        let raw = Self.field(5, Self.tensor("x", "FP32", [1, 2])) + Self.field(7, Self.floats)
        let expected =
            #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[0.1,-3.0]}]}"#
        #expect(try json(typed, .request) == expected)
        #expect(try json(raw, .request) == expected)
    }

    @Test func `whatever a request says is shown`() throws {
        let number = Self.field(4, Self.text(1, "n") + Self.field(2, [0x10] + Self.varint(.max)))
        let words = Self.field(4, Self.text(1, "w") + Self.field(2, Self.text(3, "a\"b")))
        let bytes: [UInt8] =
            Self.text(1, "demo") + Self.text(2, "3") + Self.text(3, "mine") + number + words
            + Self.field(
                5,
                Self.tensor(
                    "t", "BYTES", [2], contents: Self.text(8, "é") + Self.field(8, [0xFF])))
            + Self.field(6, Self.text(1, "y"))
        #expect(
            try json(bytes, .request)
                == #"{"model_name":"demo","model_version":"3","id":"mine","#
                + #""parameters":{"n":-1,"w":"a\"b"},"#
                + #""inputs":[{"name":"t","datatype":"BYTES","shape":[2],"data":["é","\#u{FFFD}"]}],"#
                + #""outputs":[{"name":"y"}]}"#)
    }

    @Test(
        arguments: [
            ("BOOL", 1, [1, 0], "true,false"), ("INT8", 2, varint(UInt64(bitPattern: -5)), "-5"),
            ("INT64", 3, varint(UInt64(bitPattern: -5)) + [7], "-5,7"), ("UINT16", 4, [9], "9"),
            ("UINT64", 5, varint(.max), "18446744073709551615"),
            ("FP64", 7, little([Double(0.1).bitPattern]), "0.1"),
        ] as [(String, UInt64, [UInt8], String)])
    func `each datatype's typed elements are read`(
        datatype: String, field: UInt64, packed: [UInt8], data: String
    ) throws {
        let contents = Self.field(field, packed)
        let bytes = Self.field(5, Self.tensor("y", datatype, [1], contents: contents))
        #expect(try json(bytes, .response).contains("\"data\":[\(data)]"))
    }

    @Test func `a tensor of no known datatype is shown without its elements`() throws {
        let bytes = Self.field(5, Self.tensor("x", "FLOAT", [1])) + Self.field(7, [0, 0, 0, 0])
        #expect(
            try json(bytes, .request)
                == #"{"inputs":[{"name":"x","datatype":"FLOAT","shape":[1]}]}"#)
    }

    @Test func `a message cut off or changed anywhere never traps`() {
        let contents = Self.field(6, Self.floats)
        let whole =
            Self.text(1, "demo") + Self.field(4, Self.text(1, "n") + Self.field(2, [0x10, 1]))
            + Self.field(5, Self.tensor("x", "FP32", [1, 2], contents: contents))
            + Self.field(6, Self.text(1, "y")) + Self.field(7, Self.floats)
        for part in [InferMessage.Part.request, .response] {
            for count in 0..<whole.count {
                _ = InferMessage(Data(whole[..<count]), part)?.json
                for byte in [0, 0x7F, 0xFF] as [UInt8] {
                    var changed = whole
                    changed[count] = byte
                    _ = InferMessage(Data(changed), part)?.json
                }
            }
        }
        #expect(InferMessage(Data(whole.dropLast()), .request) == nil)
    }
}
