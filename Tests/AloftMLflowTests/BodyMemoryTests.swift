import AloftDomain
import AloftTestKit
import Foundation
import NIOCore
import Testing

@testable import AloftMLflow

/// Every reader of the tracking protocol, on bodies that are made to take much: none takes more than
/// eight times the body and 1 MiB, and none ends the process. In a process of its own, whose memory is
/// nobody else's.
struct BodyMemoryTests {
    @Test(arguments: [UInt64(1), 2, 3])
    func `no reader takes more memory than eight times its body and 1 MiB`(seed: UInt64) async {
        // An exit test takes no values from outside: one for each seed.
        switch seed {
        case 1: await #expect(processExitsWith: .success) { try Self.check(seed: 1) }
        case 2: await #expect(processExitsWith: .success) { try Self.check(seed: 2) }
        default: await #expect(processExitsWith: .success) { try Self.check(seed: 3) }
        }
    }

    private static let readers: [(String, @Sendable (ByteBuffer) throws -> Int)] = [
        ("fields", { try MLflowBody.fields($0).all.count }),
        ("objects", { try MLflowBody.fields($0).objects("a").count }),
        (
            "batch",
            { buffer in
                if let usual = buffer.withUnsafeReadableBytes({ LogBatchReader.read($0) }) {
                    return usual.metrics.count
                }
                return try LogBatch(MLflowBody.fields(buffer)).metrics.count
            }
        ),
        ("spans", { try SpanReader.batches(SpanExportCalls.protobuf($0)).count }),
        ("span JSON", { try SpanReader.batches(SpanExportCalls.json($0)).count }),
    ]

    private static func check(seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        for round in 0..<12 {
            let body = round.isMultiple(of: 3) ? protobuf(&chance) : json(&chance)
            let buffer = ByteBuffer(bytes: body)
            for (name, read) in readers {
                let limit = 8 * body.count + (1 << 20)
                let grown = try ProcessMemory.growth(upTo: limit) {
                    do { _ = try read(buffer) } catch is ProtocolError {}
                }
                guard grown > limit else { continue }
                let start = String(decoding: body.prefix(80), as: UTF8.self)
                FileHandle.standardError.write(
                    Data("\(name): \(body.count) bytes took \(grown): \(start)\n".utf8))
                exit(1)
            }
        }
    }

    /// A small value again and again, in places where readers look.
    private static func json(_ chance: inout SplitMix64) -> [UInt8] {
        let size = Int.random(in: 300_000...1_500_000, using: &chance)
        let unit = value(depth: Int.random(in: 0...3, using: &chance), &chance)
        let starts = [
            "{\"a\":[", "{\"metrics\":[", "{\"run_id\":\"ab\",\"tags\":[", "{\"a\":{\"b\":[",
            "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[",
            "{\"resourceSpans\":[{\"resource\":{\"attributes\":[",
        ]
        let start = starts[Int.random(in: 0..<starts.count, using: &chance)]
        var text = start
        var isFirst = true
        while text.utf8.count < size {
            text += (isFirst ? "" : ",") + unit
            isFirst = false
        }
        for character in start.reversed() {
            if character == "[" { text += "]" }
            if character == "{" { text += "}" }
        }
        return Array(text.utf8)
    }

    private static func value(depth: Int, _ chance: inout SplitMix64) -> String {
        switch Int.random(in: 0..<(depth == 0 ? 6 : 9), using: &chance) {
        case 0: return "0"
        case 1: return "\"\""
        case 2: return "\"\(String(repeating: "x", count: .random(in: 1...40, using: &chance)))\""
        case 3: return "{}"
        case 4: return "[]"
        case 5: return "\"\\u0000\""
        case 6: return "[\(value(depth: depth - 1, &chance))]"
        case 7: return "{\"key\":\(value(depth: depth - 1, &chance)),\"value\":0}"
        default: return "{\"\":\(value(depth: depth - 1, &chance))}"
        }
    }

    /// Spans, attributes, events or lists of next to nothing.
    private static func protobuf(_ chance: inout SplitMix64) -> [UInt8] {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            var length = content.count
            var bytes = [number << 3 | 2]
            while length >= 0x80 {
                bytes.append(UInt8(length & 0x7F) | 0x80)
                length >>= 7
            }
            return bytes + [UInt8(length)] + content
        }
        let count = Int.random(in: 50_000...200_000, using: &chance)
        func many(_ unit: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(unit.count * count)
            for _ in 0..<count { bytes += unit }
            return bytes
        }
        let id =
            field(1, [UInt8](repeating: 7, count: 16)) + field(2, [UInt8](repeating: 8, count: 8))
        return switch Int.random(in: 0..<6, using: &chance) {
        case 0: many(field(1, []))
        case 1: field(1, many(field(2, [])))
        case 2: field(1, field(2, many(field(2, []))))
        case 3: field(1, field(2, many(field(2, id))))
        case 4: field(1, field(2, field(2, id + many(field(9, field(1, [97]))))))
        default:
            field(1, field(1, many(field(1, field(2, field(5, field(1, [])))))))
        }
    }
}
