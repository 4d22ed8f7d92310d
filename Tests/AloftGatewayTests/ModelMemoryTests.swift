import AloftDomain
import AloftTestKit
import AloftWire
import Crypto
import Foundation
import Testing

@testable import AloftGateway

@Suite struct ModelMemoryTests {
    private func manyEndpoints(_ count: Int, revision: Int = 1) throws -> DesiredState {
        let one = try States.revision(1, "constant-1.onnx", weight: 100)
        return DesiredState(
            revision: revision,
            endpoints: (0..<count).map { index in
                var served = one
                served.id = RevisionID("rev-\(index)")
                return ServedEndpoint(
                    name: "model-\(index)", project: .default, deployment: "model-\(index)",
                    environment: "production", revisions: [served], logSampling: 1)
            })
    }

    private func value(_ name: String, in metrics: String) -> Int? {
        metrics.split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Int($0.dropFirst(name.count + 1)) }
    }

    @Test func `hundreds of models answer from a memory that holds some of them`() async throws {
        let count = 300
        try await GatewayWorld.run(
            try manyEndpoints(count), folder: try States.folder(with: ["constant-1.onnx"]),
            adjust: { $0.modelMemoryBytes = 20 << 20 }
        ) { world in
            try await world.waitUntilReady()
            let address = world.address
            try await RawConnection.offPool {
                let connection = try RawConnection(address)
                for round in 0..<2 {
                    for index in 0..<count {
                        let name = round == 0 ? index : (index * 7) % count
                        try connection.write(
                            "POST /v2/models/model-\(name)/infer HTTP/1.1\r\nhost: x\r\n"
                                + "content-length: \(States.constantBody.utf8.count)\r\n\r\n"
                                + States.constantBody)
                        let reply = try connection.readReply()
                        #expect(reply.status == 200, "\(name): \(reply.body)")
                    }
                }
            }
            let metrics = try await world.get("/metrics").body
            let resident = try #require(value("aloft_gateway_models_resident", in: metrics))
            let evictions = try #require(value("aloft_gateway_model_evictions_total", in: metrics))
            let loads = try #require(value("aloft_gateway_model_loads_total", in: metrics))
            let bytes = try #require(value("aloft_gateway_model_memory_bytes", in: metrics))
            #expect(resident > 10 && resident < 100)
            #expect(evictions > 400)
            #expect(loads <= 2 * count)
            // Loads under way at once may pass the limit by as many models.
            #expect(bytes <= (20 << 20) + 4 * (1 << 20))
            #expect(try await world.get("/v2/models/model-0/ready").status == 200)
            #expect(try await world.get("/v2/models/model-5").body.contains(#""name":"x""#))
        }
    }

    @Test func `a burst that asks for one evicted model loads it once`() async throws {
        try await GatewayWorld.run(
            try manyEndpoints(60), folder: try States.folder(with: ["constant-1.onnx"]),
            adjust: { $0.modelMemoryBytes = 4 << 20 }
        ) { world in
            try await world.waitUntilReady()
            let before = value(
                "aloft_gateway_model_loads_total", in: try await world.get("/metrics").body)
            try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await world.post("/v2/models/model-59/infer", States.constantBody)
                    }
                }
                for try await reply in group { #expect(reply.status == 200) }
            }
            let after = value(
                "aloft_gateway_model_loads_total", in: try await world.get("/metrics").body)
            #expect(after == before.map { $0 + 1 })
        }
    }

    @Test func `an evicted model whose file cannot be loaded says so and keeps nobody waiting`()
        async throws
    {
        var state = try manyEndpoints(30)
        let bad = try States.revision(9, "truncated.onnx", weight: 100)
        state.endpoints[29].revisions = [bad]
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["constant-1.onnx", "truncated.onnx"]),
            adjust: { $0.modelMemoryBytes = 2 << 20 }
        ) { world in
            try await world.waitUntilReady()
            let reply = try await world.post("/v2/models/model-29/infer", States.constantBody)
            #expect(reply.status == 503)
            #expect(reply.body.contains("cannot be loaded"))
        }
    }

    @Test func `the file of a model that no revision uses leaves the disk`() async throws {
        let first = try States.revision(1, "constant-1.onnx", weight: 100)
        let second = try States.revision(2, "constant-2.onnx", weight: 100)
        let stub = try ServerStub(
            States.state(1, [first]), models: ["constant-1.onnx", "constant-2.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await world.waitUntilReady()
                let path = { @Sendable (revision: ServedRevision) in
                    world.folder + "/models/" + revision.servable.digest.hex
                }
                #expect(FileManager.default.fileExists(atPath: path(first)))
                stub.set(States.state(2, [second]))
                try await stub.wait("the first model's end") {
                    !FileManager.default.fileExists(atPath: path(first))
                }
                #expect(FileManager.default.fileExists(atPath: path(second)))
                #expect(
                    try await world.post("/v2/models/demo/infer", States.constantBody).status
                        == 200)
            }
        }
    }
}
