import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftGateway

/// What clients and models do wrong: a clear answer or a closed connection, and nobody else notices.
@Suite struct FaultTests {
    private func withModels(
        adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        let names = ["constant-1.onnx", "identity.onnx"]
        var state = States.state(1, [try States.revision(1, names[0], weight: 100)])
        state.endpoints +=
            States.state(
                1, [try States.revision(2, names[1], weight: 100)], name: "same"
            ).endpoints
        try await GatewayWorld.run(
            state, folder: try States.folder(with: names), adjust: adjust
        ) { world in
            try await world.waitUntilReady()
            try await body(world)
        }
    }

    private static let fault = "/v2/models/demo/infer"

    private static func tensor(_ shape: String, _ data: String) -> String {
        #"{"inputs":[{"name":"x","shape":\#(shape),"datatype":"FP32","data":\#(data)}]}"#
    }

    @Test(arguments: [
        ("[2,2]", "[[1,2],[3]]", "ragged_tensor"), ("[1,2]", "[[1,2],[3,4]]", ""),
        ("[1099511627776,2]", "[1,2]", ""), ("[-1,2]", "[1,2]", ""),
        ("[9223372036854775807,2]", "[1,2]", ""), ("[1,2]", "[1,2,3]", "wrong_count"),
        ("[1,2]", #"["a",2]"#, ""), ("[1e400,2]", "[1,2]", ""),
    ])
    func `values that cannot be are refused by name`(
        shape: String, data: String, code: String
    ) async throws {
        try await withModels { world in
            let reply = try await world.post(Self.fault, Self.tensor(shape, data))
            #expect(reply.status == 400, "\(reply.body)")
            #expect(code.isEmpty || reply.body.contains(code), "\(reply.body)")
            let good = try await world.post(Self.fault, States.constantBody)
            #expect(good.status == 200)
        }
    }

    @Test func `lengths that are declared and not sent take no memory`() async throws {
        try await withModels { world in
            let json =
                #"{"inputs":[{"name":"x","shape":[268435456,2],"datatype":"FP32","#
                + #""parameters":{"binary_data_size":2147483648}}]}"#
            let before = Self.residentPages()
            for _ in 0..<50 {
                let reply = try await world.post(
                    Self.fault, json,
                    headers: "inference-header-content-length: \(json.utf8.count)\r\n")
                #expect(reply.status == 400, "\(reply.body)")
            }
            // Tests run beside this one: far less than one such tensor, not nothing.
            #expect(Self.residentPages() - before < (1 << 30) / 4096)
        }
    }

    private static func residentPages() -> Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    @Test func `slow clients that dribble do not keep others waiting`() async throws {
        try await withModels(adjust: { $0.requestTimeout = .seconds(2) }) { world in
            let address = world.address
            try await RawConnection.offPool {
                var slow: [RawConnection] = []
                for index in 0..<200 {
                    let connection = try RawConnection(address)
                    try connection.write(
                        index % 2 == 0
                            ? "POST \(Self.fault) HTTP/1.1\r\nho"
                            : "POST \(Self.fault) HTTP/1.1\r\nhost: x\r\ncontent-length: "
                                + "500\r\n\r\n{")
                    if index % 10 == 0 { connection.endWriting() }
                    slow.append(connection)
                }
                let request =
                    "POST \(Self.fault) HTTP/1.1\r\nhost: x\r\ncontent-length: "
                    + "\(States.constantBody.utf8.count)\r\n\r\n\(States.constantBody)"
                let honest = try RawConnection(address)
                for _ in 0..<500 {
                    try honest.write(request)
                    #expect(try honest.readReply().status == 200)
                }
                // Those that ended their side were told what is wrong instead.
                for (index, connection) in slow.enumerated() where index % 10 != 0 {
                    #expect(connection.isAtEnd())
                }
            }
        }
    }

    @Test(arguments: ["external-parent", "external-absolute"])
    func `a model that reads files outside its folder is refused, its neighbour serves`(
        name: String
    ) async throws {
        let file = "\(name)/model.onnx"
        let stub = try ServerStub(
            DesiredState(
                revision: 1,
                endpoints: States.state(
                    1, [try States.revision(1, file, weight: 100)], name: "bad"
                ).endpoints
                    + States.state(1, [try States.revision(2, "constant-2.onnx", weight: 100)])
                    .endpoints),
            models: [file, "constant-2.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await stub.wait("refused") { stub.lastReport(of: 1)?.state == .failed }
                try await stub.wait("ready") { stub.lastReport(of: 2)?.state == .ready }
                let bad = try await world.post("/v2/models/bad/infer", States.constantBody)
                #expect(bad.status == 503)
                #expect(bad.body.contains("cannot be loaded"))
                let good = try await world.post(Self.fault, States.constantBody)
                #expect(good.status == 200)
            }
        }
    }

    @Test func `what is shed carries Retry-After, and its priority must be a word`()
        async throws
    {
        try await withModels { world in
            let wrong = try await world.post(
                Self.fault, States.constantBody, headers: "x-request-priority: urgent\r\n")
            #expect(wrong.status == 400)
            #expect(wrong.body.contains("high, normal or low"))
            let high = try await world.post(
                Self.fault, States.constantBody, headers: "x-request-priority: HIGH\r\n")
            #expect(high.status == 200)
        }
        let state = States.state(1, [try States.revision(1, "slow.onnx", weight: 100)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["slow.onnx"]),
            adjust: {
                $0.inlineLimit = .microseconds(1)
                $0.queueLimit = 2
            }
        ) { world in
            try await world.waitUntilReady()
            let row = (0..<128 * 128).map { _ in "1" }.joined(separator: ",")
            let body =
                #"{"inputs":[{"name":"x","shape":[1,128,128],"datatype":"FP32","data":[\#(row)]}]}"#
            try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                for _ in 0..<12 {
                    group.addTask { try await world.post(Self.fault, body) }
                }
                for try await reply in group {
                    #expect(reply.status == 200 || reply.status == 429, "\(reply.body)")
                    if reply.status == 429 { #expect(reply.head.contains("retry-after: ")) }
                }
            }
            let metrics = try await world.get("/metrics").body
            #expect(metrics.contains("aloft_gateway_shed_total{"))
            #expect(metrics.contains("aloft_gateway_batch_requests_bucket{"))
        }
    }
}
