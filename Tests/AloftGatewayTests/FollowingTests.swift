import AloftDomain
import AloftTestKit
import AloftWire
import Crypto
import Foundation
import Hummingbird
import Synchronization
import Testing

@testable import AloftGateway

/// The control plane's two endpoints for gateways, steered by a test.
final class ServerStub: Sendable {
    private struct Memory {
        var state: DesiredState
        var reports: [GatewayReport] = []
        /// How often each blob was asked for, by digest.
        var downloads: [String: Int] = [:]
    }

    private let memory: Mutex<Memory>
    private let blobs: [String: Data]

    init(_ state: DesiredState, models: [String]) throws {
        memory = Mutex(Memory(state: state))
        var blobs: [String: Data] = [:]
        for model in models {
            let data = try Data(contentsOf: URL(fileURLWithPath: try ServingFixtures.path(model)))
            blobs[ContentDigest(bytes: SHA256.hash(data: data)).hex] = data
        }
        self.blobs = blobs
    }

    func set(_ state: DesiredState) { memory.withLock { $0.state = state } }

    var reports: [GatewayReport] { memory.withLock(\.reports) }

    var downloads: [String: Int] { memory.withLock(\.downloads) }

    func lastReport(of revision: Int) -> RevisionReport? {
        reports.last?.revisions.first { $0.revision.rawValue.hasPrefix("rev-\(revision)-") }
    }

    private func json(_ value: some Encodable) throws -> Response {
        Response(
            status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(value)))
        )
    }

    /// Serves until the body ends.
    func run(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
        let router = Router()
        router.get("/api/v1/gateways/desired-state") { request, _ in
            let after = request.uri.queryParameters["after"].flatMap { Int($0) } ?? -1
            _ = try await happens(within: .seconds(30), asking: .milliseconds(10)) {
                self.memory.withLock(\.state).revision > after
            }
            return try self.json(self.memory.withLock(\.state))
        }
        router.post("/api/v1/gateways/report") { request, _ in
            let buffer = try await request.body.collect(upTo: 1 << 24)
            let report = try JSONDecoder().decode(
                GatewayReport.self, from: Data(buffer.readableBytesView))
            self.memory.withLock { $0.reports.append(report) }
            return try self.json(EmptyReply())
        }
        router.get("/api/v1/blobs/{digest}") { _, context in
            let digest = try context.parameters.require("digest")
            self.memory.withLock { $0.downloads[digest, default: 0] += 1 }
            guard let data = self.blobs[digest] else { return Response(status: .notFound) }
            return Response(status: .ok, body: .init(byteBuffer: ByteBuffer(bytes: data)))
        }
        let (ports, bound) = AsyncStream.makeStream(of: Int.self)
        let application = Application(
            router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { channel in
                bound.yield(channel.localAddress?.port ?? 0)
                bound.finish()
            })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                for await port in ports { try await body("http://127.0.0.1:\(port)") }
            }
            try await group.next()
            group.cancelAll()
            while let _ = try? await group.next() {}
        }
    }

    func wait(_ what: String, until isTrue: @Sendable () -> Bool) async throws {
        try await eventually(what) { isTrue() }
    }
}

@Suite struct FollowingTests {
    @Test func `a revision is fetched, warmed and reported before it gets traffic`()
        async throws
    {
        let first = try States.revision(1, "constant-1.onnx", weight: 0)
        let stub = try ServerStub(States.state(1, [first]), models: ["constant-1.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await stub.wait("ready") { stub.lastReport(of: 1)?.state == .ready }
                let report = try #require(stub.lastReport(of: 1))
                #expect((report.warmup?.total ?? 0) > 20)
                #expect(report.requests == 0)
                let early = try await world.post("/v2/models/demo/infer", States.constantBody)
                #expect(early.status == 503)

                stub.set(States.state(2, [try States.revision(1, "constant-1.onnx", weight: 100)]))
                try await stub.wait("follow") { stub.reports.last?.desiredRevision == 2 }
                try await world.waitUntilReady()
                for _ in 0..<5 {
                    _ = try await world.post("/v2/models/demo/infer", States.constantBody)
                }
                _ = try await world.post("/v2/models/demo/infer", "{")
                try await stub.wait("count") { stub.lastReport(of: 1)?.requests == 5 }
                #expect(stub.lastReport(of: 1)?.latency.total == 5)
                #expect(stub.lastReport(of: 1)?.errors == 0)
            }
        }
    }

    @Test func `while weights move back and forth no request fails, and shares are as asked`()
        async throws
    {
        let both: @Sendable (Int, Double) throws -> DesiredState = { revision, weight in
            States.state(
                revision,
                [
                    try States.revision(1, "constant-1.onnx", weight: 100 - weight),
                    try States.revision(2, "constant-2.onnx", weight: weight),
                ])
        }
        let stub = try ServerStub(
            try both(1, 0), models: ["constant-1.onnx", "constant-2.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await world.waitUntilReady()
                try await stub.wait("ready") { stub.lastReport(of: 2)?.state == .ready }
                let address = world.address
                for (step, weight) in [(2, 25.0), (3, 100), (4, 0), (5, 50)] {
                    stub.set(try both(step, weight))
                    try await stub.wait("step \(step)") {
                        stub.reports.last?.desiredRevision == step
                    }
                    // The report says that every event loop has the table.
                    let second = try await RawConnection.offPool {
                        let connection = try RawConnection(address)
                        var second = 0
                        for _ in 0..<400 {
                            try connection.write(
                                "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\n"
                                    + "content-length: \(States.constantBody.utf8.count)\r\n\r\n"
                                    + States.constantBody)
                            let reply = try connection.readReply()
                            #expect(reply.status == 200)
                            if reply.body.contains("[2.0]") { second += 1 }
                        }
                        return second
                    }
                    let expected = 400 * weight / 100
                    // Five standard deviations of the binomial at the widest.
                    #expect(
                        abs(Double(second) - expected) <= (weight == 0 || weight == 100 ? 0 : 50))
                }
            }
        }
    }

    @Test func `what is reported is answered with the very next request`() async throws {
        let stub = try ServerStub(
            States.state(1, [try States.revision(1, "constant-1.onnx", weight: 0)]),
            models: ["constant-1.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                for state in 2..<12 {
                    let weight = state % 2 == 0 ? 100.0 : 0
                    try await stub.wait("ready") { stub.lastReport(of: 1)?.state == .ready }
                    stub.set(
                        States.state(
                            state, [try States.revision(1, "constant-1.onnx", weight: weight)]))
                    try await stub.wait("follow") { stub.reports.last?.desiredRevision == state }
                    let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
                    #expect(reply.status == (weight == 0 ? 503 : 200))
                }
            }
        }
    }

    @Test func `a load that failed is tried again, and says so until it succeeds`() async throws {
        let folder = try ServingFixtures.makeFolder()
        let revision = try States.revision(1, "constant-1.onnx", weight: 100)
        let place = folder + "/models/" + revision.servable.digest.hex
        // A file where the model's folder goes: as a full disk, it is nothing that lasts.
        try FileManager.default.createDirectory(
            atPath: folder + "/models", withIntermediateDirectories: true)
        try Data("in the way".utf8).write(to: URL(fileURLWithPath: place))
        let stub = try ServerStub(States.state(1, [revision]), models: ["constant-1.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server, folder: folder) { world in
                try await stub.wait("tried twice") {
                    stub.lastReport(of: 1)?.error?.contains("tried 2 times") == true
                }
                for path in ["/v2/models/demo/ready", "/v2/health/ready"] {
                    let reply = try await world.get(path)
                    #expect(reply.status == 503)
                    #expect(reply.body.contains("the next try is at"), "\(reply.body)")
                }
                let index = try await world.post("/v2/repository/index", "")
                #expect(index.body.contains("UNAVAILABLE"))
                #expect(index.body.contains("the next try is at"), "\(index.body)")
                // Whoever waits for it is told, and it is tried again all the same.
                try await stub.wait("given up on") { stub.lastReport(of: 1)?.state == .failed }
                let words = stub.lastReport(of: 1)?.error ?? ""
                #expect(words.contains("(tried \(LoadFailure.mostVain) times;"), "\(words)")
                try FileManager.default.removeItem(atPath: place)
                try await world.waitUntilReady()
                try await stub.wait("well") { stub.lastReport(of: 1)?.state == .ready }
                #expect(stub.lastReport(of: 1)?.error == nil)
            }
        }
    }

    @Test func `what a model is at fault for is tried again too, seldom`() {
        let pauses = (1...12).map { LoadFailure.pause(afterTries: $0, isPermanent: true) }
        #expect(pauses.first == .seconds(1) && pauses.last == .seconds(300))
        #expect(zip(pauses, pauses.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(LoadFailure.pause(afterTries: .max, isPermanent: false) == .seconds(5))
        let failure = LoadFailure(
            tries: 3, reason: "no room.", nextTry: Date(timeIntervalSince1970: 0))
        #expect(
            failure.text == "no room (tried 3 times; the next try is at 1970-01-01T00:00:00Z)")
    }

    @Test func `refused, unknown and unready requests are counted, and told by name`()
        async throws
    {
        let first = try States.revision(1, "constant-1.onnx", weight: 100)
        let stub = try ServerStub(States.state(1, [first]), models: ["constant-1.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await world.waitUntilReady()
                for _ in 0..<3 { _ = try await world.post("/v2/models/demo/infer", "{") }
                for name in ["dmeo", "dmeo", "other"] {
                    let reply = try await world.post(
                        "/v2/models/\(name)/infer", States.constantBody)
                    #expect(reply.status == 404)
                }
                try await stub.wait("counted") { stub.lastReport(of: 1)?.refused == 3 }
                #expect(stub.lastReport(of: 1)?.requests == 0)
                try await stub.wait("told") { (stub.reports.last?.unrouted?.count ?? 0) >= 2 }
                let unrouted = (stub.reports.last?.unrouted ?? []).filter {
                    $0.code == "model_not_found"
                }
                #expect(unrouted.map(\.endpoint) == ["dmeo", "other"])
                #expect(unrouted.map(\.requests) == [2, 1])
                let metrics = try await world.get("/metrics").body
                #expect(
                    metrics.contains(
                        "aloft_gateway_unrouted_total{code=\"model_not_found\",status=\"404\"} 3"))
                #expect(metrics.contains("outcome=\"refused\"} 3"))
                #expect(metrics.contains("outcome=\"turned_away\"} 0"))
            }
        }
    }

    @Test func `names of strangers are counted up to a number of them`() {
        let counts = UnroutedCounts()
        for number in 0..<10_000 {
            counts.add(.endpointNotFound(name: "n\(number)", known: []))
        }
        let read = counts.read
        #expect(read.count == UnroutedCounts.mostKinds + 1)
        #expect(read.map(\.requests).reduce(0, +) == 10_000)
        #expect(read.allSatisfy { ($0.endpoint ?? "").utf8.count <= 100 })
    }

    @Test func `the revision from before serves until the one that replaces it is loaded`()
        async throws
    {
        let stub = try ServerStub(
            States.state(1, [try States.revision(1, "constant-1.onnx", weight: 100)]),
            models: ["constant-1.onnx", "constant-2.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server) { world in
                try await world.waitUntilReady()
                stub.set(States.state(2, [try States.revision(2, "constant-2.onnx", weight: 100)]))
                var sawSecond = false
                for _ in 0..<2400 where !sawSecond {
                    let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
                    #expect(reply.status == 200)
                    sawSecond = reply.body.contains("[2.0]")
                }
                #expect(sawSecond)
                try await stub.wait("let go") { stub.lastReport(of: 1) == nil }
            }
        }
    }

    @Test func `a sticky key stays with its revision, and moves once as the share grows`()
        async throws
    {
        let both: @Sendable (Int, Double) throws -> DesiredState = { revision, weight in
            States.state(
                revision,
                [
                    try States.revision(1, "constant-1.onnx", weight: 100 - weight),
                    try States.revision(2, "constant-2.onnx", weight: weight),
                ])
        }
        try await GatewayWorld.run(
            try both(1, 30),
            folder: try States.folder(with: ["constant-1.onnx", "constant-2.onnx"])
        ) { world in
            try await world.waitUntilReady()
            var moved = 0
            for key in 0..<100 {
                var answers: Set<String> = []
                for _ in 0..<3 {
                    answers.insert(
                        try await world.post(
                            "/v2/models/demo/infer", States.constantBody,
                            headers: "x-aloft-sticky-key: user-\(key)\r\n"
                        ).body)
                }
                #expect(answers.count == 1)
                if answers.first?.contains("[2.0]") == true { moved += 1 }
            }
            #expect((10...50).contains(moved))
        }
    }

    @Test func `a damaged model on disk is fetched again`() async throws {
        let folder = try ServingFixtures.makeFolder()
        let revision = try States.revision(1, "constant-1.onnx", weight: 100)
        let place = folder + "/models/" + revision.servable.digest.hex
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        try Data("damaged".utf8).write(to: URL(fileURLWithPath: place + "/model.onnx"))
        let stub = try ServerStub(States.state(1, [revision]), models: ["constant-1.onnx"])
        try await stub.run { server in
            try await GatewayWorld.run(nil, server: server, folder: folder) { world in
                try await world.waitUntilReady()
            }
        }
    }
}
