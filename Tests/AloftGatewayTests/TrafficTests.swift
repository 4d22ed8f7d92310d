import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftGateway

@Suite struct TrafficTests {
    private static let models = ["constant-1.onnx", "constant-2.onnx", "cancer-logreg.onnx"]

    /// `demo` answers 1, and copies everything to `demo.shadow`, which runs `shadow`.
    private func shadowed(by shadow: String) throws -> DesiredState {
        var state = States.state(1, [try States.revision(1, "constant-1.onnx", weight: 100)])
        state.endpoints[0].shadow = ServedShadow(endpoint: "demo.shadow", sharePercent: 100)
        state.endpoints +=
            States.state(1, [try States.revision(2, shadow, weight: 100)], name: "demo.shadow")
            .endpoints
        return state
    }

    private func withShadow(
        _ shadow: String,
        adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        try await GatewayWorld.run(
            try shadowed(by: shadow), folder: try States.folder(with: Self.models), adjust: adjust
        ) { world in
            try await world.waitUntilReady()
            for _ in 0..<20 {
                let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
                #expect(reply.body.contains(#""data":[1.0]"#))
            }
            try await body(world)
        }
    }

    /// Waits for a line of the metrics.
    private func wait(_ world: GatewayWorld, for line: String) async throws {
        if try await happens({ try await world.get("/metrics").body.contains(line) }) { return }
        Issue.record("\(line) does not come:\n\(try await world.get("/metrics").body)")
    }

    @Test func `a shadow gets copies, its answers are compared, and nobody sees them`()
        async throws
    {
        try await withShadow("constant-2.onnx") { world in
            try await wait(world, for: #"outcome="different"} 20"#)
            let metrics = try await world.get("/metrics").body
            let own = metrics.split(separator: "\n").filter {
                $0.hasPrefix("aloft_gateway_requests_total{endpoint=\"demo.shadow\"")
            }
            #expect(own.count == 4)
            #expect(own.allSatisfy { $0.hasSuffix(" 0") }, "a copy is no request")
        }
    }

    @Test func `a shadow that cannot read the requests fails alone`() async throws {
        try await withShadow("cancer-logreg.onnx") { world in
            try await wait(world, for: #"outcome="failed"} 20"#)
        }
    }

    @Test func `copies beyond the queue are let go and counted`() async throws {
        try await withShadow("constant-2.onnx", adjust: { $0.shadowQueueLimit = 0 }) { world in
            try await wait(world, for: #"outcome="dropped"} 20"#)
        }
    }

    @Test func `what answers say and what became of copies is reported`() async throws {
        let stub = try ServerStub(try shadowed(by: "constant-2.onnx"), models: Self.models)
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await world.waitUntilReady()
                for _ in 0..<5 {
                    _ = try await world.post("/v2/models/demo/infer", States.constantBody)
                }
                try await stub.wait("scores") {
                    stub.lastReport(of: 1)?.scores?.total == 5
                        && stub.reports.last?.shadows?.first?.counts.compared == 5
                }
                #expect(stub.lastReport(of: 1)?.scores?.median.map { Int($0) } == 1)
                let counts = try #require(stub.reports.last?.shadows?.first?.counts)
                #expect(counts.differing == 5)
                #expect(counts.largestDifference == 1)
                #expect(counts.meanDifference == 1)
            }
        }
    }

    // MARK: - Segments

    private func segmented(_ source: String, _ name: String) throws -> DesiredState {
        var state = States.state(1, [try States.revision(1, "constant-1.onnx", weight: 100)])
        state.endpoints[0].segments = ServedSegments(
            source: source, name: name,
            chains: ["berlin": ["missing", "berlin"], "hamburg": ["missing"]])
        state.endpoints +=
            States.state(
                1, [try States.revision(2, "constant-2.onnx", weight: 100)], name: "berlin"
            )
            .endpoints
        return state
    }

    @Test func `a segment in a header is answered by its deployment, others by the one asked`()
        async throws
    {
        try await GatewayWorld.run(
            try segmented("header", "x-city"), folder: try States.folder(with: Self.models)
        ) { world in
            try await world.waitUntilReady()
            for (city, answer) in [("berlin", "2.0"), ("hamburg", "1.0"), ("rome", "1.0")] {
                let reply = try await world.post(
                    "/v2/models/demo/infer", States.constantBody, headers: "X-City: \(city)\r\n")
                #expect(reply.body.contains("\"data\":[\(answer)]"), "\(city): \(reply.body)")
            }
            let plain = try await world.post("/v2/models/demo/infer", States.constantBody)
            #expect(plain.body.contains(#""data":[1.0]"#))
        }
    }

    @Test func `a segment in the body is answered by its deployment`() async throws {
        try await GatewayWorld.run(
            try segmented("parameter", "city"), folder: try States.folder(with: Self.models)
        ) { world in
            try await world.waitUntilReady()
            let body = #"{"parameters":{"city":"berlin"},"# + States.constantBody.dropFirst()
            let reply = try await world.post("/v2/models/demo/infer", body)
            #expect(reply.body.contains(#""data":[2.0]"#))
            #expect(reply.body.contains(#""model_name":"berlin""#))
            let broken = try await world.post("/v2/models/demo/infer", #"{"parameters":{"city"#)
            #expect(broken.status == 400)
        }
    }

    @Test(arguments: [
        (#"{"inputs":[{"name":"x","data":[1]},{"data":["berlin","x"],"name":"city"}]}"#, "berlin"),
        (#"{"inputs":{"city":[["berlin"]],"x":[1]}}"#, "berlin"),
        (#"{"instances":[{"x":1,"city":"ber\u006cin"},{"city":"rome"}]}"#, "berlin"),
        (#"{"dataframe_records":[{"city":12},{"city":13}]}"#, "12"),
        (
            #"{"dataframe_split":{"data":[[1,"berlin"],[2,"rome"]],"columns":["x","city"]}}"#,
            "berlin"
        ),
        (#"{"dataframe_split":{"columns":["x"],"data":[[1]]}}"#, nil),
        (#"{"parameters":{"city":"berlin"}}"#, nil),
        (#"{"inputs":[{"name":"city","data":[null]}]}"#, nil),
        (#"{"inputs":[{"name":"city","data":[]}]}"#, nil),
        (#"{"inputs":["city"]}"#, nil), ("", nil), ("[", nil), (#"{"inputs":[{"name":"#, nil),
    ])
    func `a segment is read from every form of a request`(body: String, segment: String?) {
        let found = Array(body.utf8).withUnsafeBytes {
            SegmentKeyReader.read($0, jsonLength: nil, source: "field", name: "city")
        }
        #expect(found == segment)
    }
}
