import AloftDomain
import AloftPredictionLog
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftGateway

@Suite struct PredictionTests {
    private func withConstant(
        adjust: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (GatewayWorld) async throws -> Void
    ) async throws {
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["constant-1.onnx"]), adjust: adjust
        ) { world in
            try await world.waitUntilReady()
            try await body(world)
        }
    }

    @Test func `a gateway starts from its disk while the server is down, and answers`()
        async throws
    {
        try await withConstant { world in
            let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
            #expect(reply.status == 200)
            #expect(
                reply.body
                    == #"{"model_name":"demo","model_version":"1","outputs":[{"name":"y","datatype":"FP32","shape":[],"data":[1.0]}]}"#
            )
            #expect(reply.head.contains("x-aloft-prediction-id: "))
            let versioned = try await world.post(
                "/v2/models/demo/versions/1/infer", States.constantBody)
            #expect(versioned.status == 200)
        }
    }

    @Test func `health and metadata are those of the protocol`() async throws {
        try await withConstant { world in
            #expect(try await world.get("/v2").body.contains(#""name":"aloft""#))
            #expect(try await world.get("/v2/health/live").body == #"{"live":true}"#)
            #expect(try await world.get("/v2/models/demo/ready").status == 200)
            #expect(
                try await world.get("/v2/models/demo").body
                    == #"{"name":"demo","versions":["1"],"platform":"onnxruntime_onnx","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"outputs":[{"name":"y","datatype":"FP32","shape":[]}]}"#
            )
            let metrics = try await world.get("/metrics").body
            #expect(metrics.contains(#"aloft_gateway_revision_ready{endpoint="demo""#))
        }
    }

    @Test func `what is wrong is said, and the connection goes on`() async throws {
        try await withConstant { world in
            let address = world.address
            try await RawConnection.offPool {
                let connection = try RawConnection(address)
                func ask(_ path: String, _ body: String) throws -> HTTPReply {
                    try connection.write(
                        "POST \(path) HTTP/1.1\r\nhost: x\r\ncontent-length: "
                            + "\(body.utf8.count)\r\n\r\n\(body)")
                    return try connection.readReply()
                }
                let unknown = try ask("/v2/models/dem/infer", "{}")
                #expect(unknown.status == 404)
                #expect(unknown.body.contains(#"Did you mean \"demo\"?"#))
                let version = try ask("/v2/models/demo/versions/9/infer", "{}")
                #expect(version.status == 404)
                let malformed = try ask("/v2/models/demo/infer", "{]")
                #expect(malformed.status == 400)
                #expect(malformed.body.contains("malformed_request"))
                let shape = try ask(
                    "/v2/models/demo/infer",
                    #"{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#)
                #expect(shape.body.contains("wrong_shape"))
                #expect(try ask("/nowhere", "").status == 404)
                #expect(try ask("/v2/models/demo/infer", States.constantBody).status == 200)
            }
        }
    }

    @Test func `MLflow scoring answers with predictions`() async throws {
        let manifest = ServableManifest(
            runtime: .onnx, inputs: [], outputs: [], columns: ["a", "b"], predictOutput: "y")
        let state = States.state(
            1, [try States.revision(1, "constant-1.onnx", weight: 100, manifest: manifest)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["constant-1.onnx"])
        ) { world in
            try await world.waitUntilReady()
            let split = try await world.post(
                "/deployments/demo/invocations",
                #"{"dataframe_split":{"columns":["b","a"],"data":[[1,2]]}}"#,
                headers: "content-type: application/json\r\n")
            #expect(split.body == #"{"predictions":[1.0]}"#)
            let csv = try await world.post(
                "/deployments/demo/invocations", "a,b\n1,2\n",
                headers: "content-type: text/csv; charset=utf-8\r\n")
            #expect(csv.body == #"{"predictions":[1.0]}"#)
            let wrong = try await world.post("/deployments/demo/invocations", #"{"rows":[]}"#)
            #expect(wrong.status == 400)
        }
    }

    @Test func `a body over the limit is refused before it is read`() async throws {
        try await withConstant(adjust: { $0.bodyLimitBytes = 4096 }) { world in
            let declared = try await world.send(
                "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: "
                    + "2147483648\r\n\r\n")
            #expect(declared.status == 413)
            let chunk = String(repeating: "x", count: 4000)
            let chunked = try await world.send(
                "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ntransfer-encoding: "
                    + "chunked\r\n\r\nfa0\r\n\(chunk)\r\nfa0\r\n\(chunk)\r\n")
            #expect(chunked.status == 413)
        }
    }

    @Test func `clients that dribble or say nothing are let go, others are not disturbed`()
        async throws
    {
        try await withConstant(adjust: {
            $0.requestTimeout = .seconds(1)
            $0.idleTimeout = .seconds(2)
        }) { world in
            let address = world.address
            try await RawConnection.offPool {
                let dribbling = try RawConnection(address)
                try dribbling.write("POST /v2/models/demo/infer HTTP/1.1\r\nhost:")
                let halfBody = try RawConnection(address)
                try halfBody.write(
                    "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: "
                        + "100\r\n\r\n{")
                let silent = try RawConnection(address)
                #expect(dribbling.isAtEnd())
                #expect(halfBody.isAtEnd())
                #expect(silent.isAtEnd())
            }
            #expect(
                try await world.post("/v2/models/demo/infer", States.constantBody).status == 200)
        }
    }

    @Test func `a client that ends its side still gets its answers, in order`() async throws {
        try await withConstant { world in
            let address = world.address
            try await RawConnection.offPool {
                let connection = try RawConnection(address)
                let request =
                    "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: "
                    + "\(States.constantBody.utf8.count)\r\n\r\n\(States.constantBody)"
                try connection.write(
                    request + "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n" + request)
                connection.endWriting()
                #expect(try connection.readReply().body.contains(#""data":[1.0]"#))
                #expect(try connection.readReply().body.contains("aloft_gateway"))
                #expect(try connection.readReply().body.contains(#""data":[1.0]"#))
            }
        }
    }

    @Test func `what is not HTTP gets 400 and the end`() async throws {
        try await withConstant { world in
            let reply = try await world.send("\u{16}\u{3}\u{1}nonsense\r\n\r\n")
            #expect(reply.status == 400)
        }
    }

    @Test func `a model that cannot be loaded fails alone`() async throws {
        var state = States.state(1, [try States.revision(1, "truncated.onnx", weight: 100)])
        state.endpoints +=
            States.state(
                1, [try States.revision(2, "constant-2.onnx", weight: 100)], name: "good"
            ).endpoints
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["truncated.onnx", "constant-2.onnx"])
        ) { world in
            try await eventually("the good model") {
                try await world.get("/v2/models/good/ready").status == 200
            }
            #expect(
                try await world.post("/v2/models/good/infer", States.constantBody).status == 200)
            let bad = try await world.post("/v2/models/demo/infer", States.constantBody)
            #expect(bad.status == 503)
            #expect(bad.body.contains("cannot be loaded"))
            #expect(try await world.get("/v2/health/ready").status == 503)
        }
    }

    @Test func `a slow model runs beside the loop, in batches, and a deadline holds`()
        async throws
    {
        let state = States.state(1, [try States.revision(1, "slow.onnx", weight: 100)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["slow.onnx"]),
            adjust: { $0.inlineLimit = .microseconds(1) }
        ) { world in
            try await world.waitUntilReady()
            let row = (0..<128 * 128).map { _ in "1" }.joined(separator: ",")
            let body =
                #"{"inputs":[{"name":"x","shape":[1,128,128],"datatype":"FP32","data":[\#(row)]}]}"#
            try await withThrowingTaskGroup(of: HTTPReply.self) { group in
                for _ in 0..<8 {
                    group.addTask { try await world.post("/v2/models/demo/infer", body) }
                }
                for try await reply in group {
                    #expect(reply.status == 200)
                    #expect(reply.body.contains(#""shape":[1,128]"#))
                }
            }
            let late = try await world.post(
                "/v2/models/demo/infer", body, headers: "x-request-timeout: 1ms\r\n")
            #expect(late.status == 504 || late.status == 200)
            let wrong = try await world.post(
                "/v2/models/demo/infer", body, headers: "x-request-timeout: soon\r\n")
            #expect(wrong.status == 400)
        }
    }

    @Test func `every prediction is in the log under its id`() async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        let ids = Ids()
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
            for index in 0..<20 {
                let body = index == 7 ? "{" : States.constantBody
                let reply = try await world.post("/v2/models/demo/infer", body)
                let line = reply.head.split(separator: "\r\n").first {
                    $0.hasPrefix("x-aloft-prediction-id: ")
                }
                await ids.add(String(try #require(line).dropFirst(23)))
            }
        }
        let logged = try PredictionLogReader.read(folder: folder + "/predictions")
        #expect(logged.map(\.id) == (await ids.all))
        #expect(
            String(decoding: logged[0].request, as: UTF8.self)
                == #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1.0,2.0]}]}"#)
        #expect(logged[7].request == Data("{".utf8))
        #expect(String(decoding: logged[0].response, as: UTF8.self).contains(#""data":[1.0]"#))
        #expect(logged[0].revision == RevisionID("rev-1-constant-1.onnx"))
        #expect(logged[7].status == 400)
    }

    private actor Ids {
        private(set) var all: [String] = []
        func add(_ id: String) { all.append(id) }
    }

    @Test func `callers must send a token that the server knows`() async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        let tokens = TokenAuthenticator(folder: folder, own: "own", time: .live) { $0 == "good" }
        try await GatewayWorld.run(state, folder: folder, tokens: tokens) { world in
            try await world.waitUntilReady()
            let path = "/v2/models/demo/infer"
            #expect(try await world.post(path, States.constantBody).status == 401)
            for (token, status) in [("good", 200), ("good", 200), ("own", 200), ("bad", 401)] {
                let reply = try await world.post(
                    path, States.constantBody, headers: "Authorization: Bearer \(token)\r\n")
                #expect(reply.status == status, "\(token): \(reply.body)")
            }
        }
    }

    @Test func `an open gateway beyond loopback is refused`() {
        var configuration = GatewayConfiguration(
            listen: ListenAddress(host: "0.0.0.0", port: 1), folder: "/tmp", onnxLibraryPath: "/x")
        #expect(configuration.faults.first?.contains("--auth") == true)
        configuration.asksForToken = true
        #expect(configuration.faults.isEmpty)
    }
}
