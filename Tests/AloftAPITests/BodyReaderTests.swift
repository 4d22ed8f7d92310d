import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import NIOCore
import Testing

@testable import AloftAPI

struct BodyReaderTests {
    private func read(_ text: String) throws -> JSONValue {
        try BodyReader.decode(JSONValue.self, ByteBuffer(string: text), perByte: 5)
    }

    @Test(arguments: [
        #""\ud800""#, #""\udc00""#, #"{"a":"\ud800\u0041"}"#, #"["\ud83d\ud83d"]"#,
    ])
    func `half of a pair of surrogates is refused, also where nobody looks`(text: String) {
        #expect(throws: BodyError.self) { try read(text) }
        #expect(throws: BodyError.self) {
            try BodyReader.decode(
                CreateToken.Body.self, ByteBuffer(string: #"{"name":"a","x":\#(text)}"#),
                perByte: 5)
        }
    }

    @Test func `pairs of surrogates and escaped backslashes are read`() throws {
        #expect(
            try read(#"["\ud83d\ude00","\\ud800","\\"]"#)
                == .array([.string("😀"), .string(#"\ud800"#), .string(#"\"#)]))
    }

    @Test(arguments: ["0", "[0]", "{\"\":0}", "{}", "[]", "\"\""])
    func `many small values are refused in one sentence, few are read`(unit: String) throws {
        let count = (1 << 20) / (unit.utf8.count + 1)
        let text = "[" + Array(repeating: unit, count: count).joined(separator: ",") + "]"
        do {
            _ = try read(text)
            Issue.record("read")
        } catch { #expect("\(error)".contains("more values than may be")) }
        let few = "[" + Array(repeating: unit, count: 1000).joined(separator: ",") + "]"
        #expect(throws: Never.self) { try read(few) }
    }

    @Test func `deep bodies are refused before they are read`() {
        for opening in ["[", "{\"a\":"] {
            let text = String(repeating: opening, count: 200_000)
            #expect(throws: BodyError.malformed(reason: "it is deeper than 100 levels")) {
                try read(text)
            }
        }
    }

    @Test func `a gateway with a thousand models may report`() throws {
        var histogram = LatencyHistogram()
        for power in 0..<60 { histogram.record(microseconds: 2 + Double(power * power)) }
        let one = RevisionReport(
            endpoint: "a-deployment-with-a-name", revision: RevisionID("0123456789abcdef"),
            state: .ready, warmup: histogram, requests: 12345, latency: histogram)
        let revisions = (0..<1000).map { number in
            var report = one
            report.revision = RevisionID("revision-\(number)")
            return report
        }
        let unrouted = (0..<600).map {
            UnroutedCount(code: "model_not_found", status: 404, endpoint: "m\($0)", requests: 1)
        }
        let report = GatewayReport(
            gateway: GatewayID("gw-1"), incarnation: "1", desiredRevision: 1, revisions: revisions,
            unrouted: unrouted)
        let data = try JSON.encoder.encode(report)
        #expect(data.count < ReportGateway.bodyLimitBytes)
        var counted: [GatewayRevisionReport] = []
        let known = Set(revisions.dropFirst().map(\.revision))
        let read = try GatewayReportReader(known: known).read(ByteBuffer(bytes: data)) {
            #expect($0.gateway == report.gateway && $0.incarnation == "1")
            counted.append($1)
        }
        #expect(counted == revisions.dropFirst().map { GatewayRevisionReport($0) })
        #expect(read.revisions.map(\.revision) == revisions.dropFirst().map(\.revision))
        #expect(read.unrouted.count == 500 && read.desiredRevision == 1)
    }

    @Test(arguments: [
        "", "[]", "{", #"{"gateway":"g"}"#, #"{"gateway":"g","gateway":"g"}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[{}]}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[]}x"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[],}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":["\"#,
        #"{"gateway":"g","incarnation":"\u0000","desiredRevision":1,"revisions":[]}"#,
        #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[],"unrouted":[1]}"#,
    ])
    func `a report that is none is refused in words`(text: String) {
        #expect(throws: BodyError.self) {
            _ = try GatewayReportReader(known: []).read(ByteBuffer(string: text)) { _, _ in }
        }
    }

    @Test func `a line of points of an import is read, however short its numbers`() throws {
        var points = TransferPoints(key: "a")
        for step in 0..<5000 {
            points.append(value: 1, timestamp: 1_700_000_000_000, step: Int64(step % 10))
        }
        let data = try JSON.encoder.encode(points)
        let read = try BodyReader.decode(
            TransferPoints.self, ByteBuffer(bytes: data), perByte: 5)
        #expect(read == points)
    }

    /// In a process of its own, whose memory is nobody else's.
    @Test func `no reader takes more memory than eight times its body and 1 MiB`() async {
        await #expect(processExitsWith: .success) { try Self.checkMemory() }
    }

    private static let readers: [(String, any Endpoint.Type)] = [
        ("job", RunJob.self), ("sweep", StartSweep.self), ("servable", PutServable.self),
        ("deploy", Deploy.self), ("token", CreateToken.self), ("file", ApplyProjectFile.self),
        ("known", CheckImports.self), ("experiment", ImportExperiment.self),
        ("model", ImportModel.self), ("logged model", ImportLoggedModel.self),
        ("score", ScoreTable.self), ("segments", SetSegments.self), ("shadow", SetShadow.self),
    ]

    private static func decode<E: Endpoint>(_ endpoint: E.Type, _ body: ByteBuffer) throws {
        _ = try BodyReader.decode(E.Body.self, body, perByte: E.readingBytesPerByte)
    }

    /// A gateway's report is read in pieces.
    private static func checkReports() throws {
        let ids = (0..<2000).map { "\($0)" }
        let reader = GatewayReportReader(known: Set(ids.map { RevisionID($0) }))
        let start = #"{"gateway":"g","incarnation":"i","desiredRevision":1,"revisions":["#
        func revision(_ id: String, _ pairs: String) -> String {
            #"{"endpoint":"","revision":"\#(id)","state":"ready","requests":0,"errors":0,"latency":[\#(pairs)],"#
                + #""scores":[\#(pairs)],"warmup":[\#(pairs)]}"#
        }
        let pairs = Array(repeating: "[0,1]", count: 3000).joined(separator: ",")
        let kind = #"{"code":"","status":0,"requests":0}"#
        func list(_ items: [String]) -> String { items.joined(separator: ",") }
        func revisions(_ ids: [String], _ pairs: String) -> String {
            list(ids.map { revision($0, pairs) }) + "]}"
        }
        func repeated(_ text: String, _ count: Int) -> String {
            list(Array(repeating: text, count: count))
        }
        var bodies: [String] = []
        bodies.append(revisions(ids, "[0,1]"))
        bodies.append(revisions(Array(repeating: "1", count: 4000), "[0,1]"))
        bodies.append(revisions(["1"], pairs))
        bodies.append(revisions(Array(ids.prefix(100)), pairs))
        bodies.append("],\"unrouted\":[" + repeated(kind, 9000) + "]}")
        bodies.append(repeated("0", 400_000) + "]}")
        bodies.append("],\"x\":[" + repeated("[]", 400_000) + "]}")
        // Reads in the program's own pages.
        let small = ByteBuffer(string: start + revisions(["1"], "[0,1]"))
        _ = try reader.read(small) { _, _ in }
        for body in bodies {
            let buffer = ByteBuffer(string: start + body)
            let limit = 8 * buffer.readableBytes + (1 << 20)
            let grown = try ProcessMemory.growth(upTo: limit) {
                do { _ = try reader.read(buffer) { _, _ in } } catch is BodyError {}
            }
            guard grown > limit else { continue }
            let text = "report: \(buffer.readableBytes) bytes took \(grown): \(body.prefix(90))\n"
            FileHandle.standardError.write(Data(text.utf8))
            exit(1)
        }
    }

    private static func checkMemory() throws {
        var chance = SplitMix64(seed: 5)
        for _ in 0..<8 {
            let body = body(&chance)
            let buffer = ByteBuffer(string: body)
            for (name, endpoint) in readers {
                let limit = 8 * buffer.readableBytes + (1 << 20)
                let grown = try ProcessMemory.growth(upTo: limit) {
                    do { _ = try decode(endpoint, buffer) } catch is BodyError {}
                }
                guard grown > limit else { continue }
                let text =
                    "\(name): \(buffer.readableBytes) bytes took \(grown): \(body.prefix(90))\n"
                FileHandle.standardError.write(Data(text.utf8))
                exit(1)
            }
        }
        try checkReports()
    }

    private static func body(_ chance: inout SplitMix64) -> String {
        let starts = [
            "{\"x\":[", "{\"runs\":[", "{\"command\":\"a\",\"variables\":{},\"x\":[",
            "{\"manifest\":{\"runtime\":\"onnx\",\"inputs\":[],\"outputs\":[],\"example\":[",
            "{\"source\":\"a\",\"model\":{\"name\":\"a\",\"versions\":[",
        ]
        let units = [
            "0", "\"\"", "[]", "{}", "[0]", "{\"\":0}", "{\"id\":\"a\",\"fingerprint\":\"b\"}",
            "\"\\u0000\"", "{\"a\":{\"b\":[1,2,3]}}", "\"\(String(repeating: "x", count: 30))\"",
        ]
        let start = starts[Int.random(in: 0..<starts.count, using: &chance)]
        let unit = units[Int.random(in: 0..<units.count, using: &chance)]
        let size = Int.random(in: 20_000...900_000, using: &chance)
        let count = max(1, size / (unit.utf8.count + 1))
        let ends = start.reversed().map { $0 == "[" ? "]" : $0 == "{" ? "}" : "" }.joined()
        // `variables` opens and closes by itself.
        return start + Array(repeating: unit, count: count).joined(separator: ",")
            + (start.contains("{}") ? "]}" : ends)
    }
}
