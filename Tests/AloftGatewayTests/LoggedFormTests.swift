import Foundation
import Testing

@testable import AloftDomain
@testable import AloftGateway
@testable import AloftPredictionLog

/// How requests and replies stand in the log: as tensors where those say all, else as they came.
@Suite struct LoggedFormTests {
    private static let row = (0..<30).map { "\(Double($0) * 1.1)" }.joined(separator: ",")
    private static let input =
        #"{"name":"X","shape":[1,30],"datatype":"FP32","data":[\#(row)]}"#

    /// Asks each body, then what the log has of it once more.
    private func logged(
        _ bodies: [String], path: String = "/v2/models/demo/infer",
        adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
        check: @escaping @Sendable (_ logged: LoggedPrediction, _ reply: String) -> Void
    ) async throws {
        let folder = try States.folder(with: ["cancer-logreg.onnx"])
        let state = States.state(1, [try States.revision(1, "cancer-logreg.onnx", weight: 100)])
        func ask(_ bodies: [String]) async throws -> [String] {
            let replies = Replies()
            try await GatewayWorld.run(state, folder: folder, adjust: adjust) { world in
                try await world.waitUntilReady()
                for body in bodies { await replies.add(try await world.post(path, body).body) }
            }
            return await replies.all
        }
        let first = try await ask(bodies)
        let found = try PredictionLogReader.read(folder: folder + "/predictions")
        try #require(found.count == bodies.count)
        for (logged, reply) in zip(found, first) { check(logged, reply) }
        let again = try await ask(found.map { String(decoding: $0.request, as: UTF8.self) })
        #expect(again == first)
    }

    private actor Replies {
        private(set) var all: [String] = []
        func add(_ reply: String) { all.append(reply) }
    }

    @Test func `what says tensors and an id is logged as those, and asks the same again`()
        async throws
    {
        try await logged([
            #"{"inputs":[\#(Self.input)]}"#,
            #"{"id":"my \"own\" id","inputs":[\#(Self.input)]}"#,
            #"{"inputs":[\#(Self.input)],"outputs":[{"name":"probabilities"}]}"#,
        ]) { logged, reply in
            #expect(String(decoding: logged.response, as: UTF8.self) == reply)
            // 1.1 times two is written with 17 digits where it came, and as the nearest float here.
            #expect(String(decoding: logged.request, as: UTF8.self).contains(",2.2,3.3,"))
            #expect(!logged.isRequestCut && !logged.isResponseCut)
        }
    }

    @Test func `what says more is logged as it came`() async throws {
        let bodies = [
            #"{"customer":17,"inputs":[\#(Self.input)]}"#,
            #"{"parameters":{"customer":17},"inputs":[\#(Self.input)]}"#,
            #"{"inputs":[\#(Self.input.dropLast()),"parameters":{"customer":17}}]}"#,
            #"{"inputs":[\#(Self.input)],"outputs":[{"name":"label","customer":17}]}"#,
        ]
        try await logged(bodies) { logged, reply in
            let request = String(decoding: logged.request, as: UTF8.self)
            #expect(request.contains("customer"))
            #expect(bodies.contains(request))
            #expect(String(decoding: logged.response, as: UTF8.self) == reply)
        }
    }

    @Test func `MLflow scoring is logged as it came`() async throws {
        let body = #"{"inputs":[[\#(Self.row)]]}"#
        try await logged([body], path: "/deployments/demo/invocations") { logged, reply in
            #expect(logged.request == Data(body.utf8))
            #expect(logged.form == .scoring)
            #expect(String(decoding: logged.response, as: UTF8.self) == reply)
        }
    }

    @Test func `a model beside the event loop is logged alike`() async throws {
        try await logged(
            [#"{"inputs":[\#(Self.input)]}"#], adjust: { $0.inlineLimit = .nanoseconds(1) }
        ) { logged, reply in
            #expect(String(decoding: logged.response, as: UTF8.self) == reply)
        }
    }

    @Test func `rows of one shape share it in the log, rows of others are logged all the same`()
        async throws
    {
        let folder = try States.folder(with: ["cancer-logreg.onnx"])
        let state = States.state(1, [try States.revision(1, "cancer-logreg.onnx", weight: 100)])
        @Sendable func body(_ rows: Int) -> String {
            let data = Array(repeating: Self.row, count: rows).joined(separator: ",")
            return
                #"{"inputs":[{"name":"X","shape":[\#(rows),30],"datatype":"FP32","data":[\#(data)]}]}"#
        }
        let counts = [1, 1, 3, 1, 2, 1, 1]
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
            for rows in counts {
                _ = try await world.post("/v2/models/demo/infer", body(rows))
            }
        }
        let found = try PredictionLogReader.read(folder: folder + "/predictions")
        try #require(found.count == counts.count)
        for (logged, rows) in zip(found, counts) {
            #expect(String(decoding: logged.request, as: UTF8.self).contains("[\(rows),30]"))
            #expect(!logged.isRequestCut && logged.status == 200)
        }
        // A block is sent twice a second, however few records are in it; its first says the shape.
        var rest = counts[...]
        for block in try Self.areShaped(in: folder + "/predictions") {
            #expect(block == rest.prefix(block.count).map { $0 == rest.first })
            rest = rest.dropFirst(block.count)
        }
        #expect(rest.isEmpty)
    }

    /// Of each block's records, in order, whether they have the shape of their source.
    private static func areShaped(in folder: String) throws -> [[Bool]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return try names.filter { $0.hasSuffix(".alog") }.sorted().flatMap { name in
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
            return data.withUnsafeBytes { bytes in
                var (found, rest) = ([[Bool]](), bytes[...])
                while let block = PredictionBlock.first(in: UnsafeRawBufferPointer(rebasing: rest))
                {
                    found.append((block.all() ?? []).map { $0.layouts != nil })
                    rest = rest.dropFirst(block.byteCount)
                }
                return found
            }
        }
    }
}
