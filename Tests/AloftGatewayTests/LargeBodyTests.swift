import AloftDomain
import AloftInference
import Foundation
import Testing

@testable import AloftGateway

/// Bodies over a mebibyte, which are read beside the event loop.
@Suite struct LargeBodyTests {
    /// A good request of some rows for the model of two columns, and blanks for over a mebibyte.
    private static let rows = 500
    private static let large =
        #"{"inputs":[{"name":"x","shape":[\#(rows),2],"datatype":"FP32","data":["#
        + Array(repeating: "1", count: 2 * rows).joined(separator: ",") + "]"
        + String(repeating: " ", count: 1_100_000) + "}]}"

    private static func request(_ body: String) -> String {
        "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
            + body
    }

    private func run(_ body: @Sendable @escaping (GatewayWorld) async throws -> Void) async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(1, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
            try await body(world)
        }
    }

    @Test func `answers keep their order behind a large one, which is right`() async throws {
        try await run { world in
            let address = world.address
            let replies = try await RawConnection.offPool {
                let connection = try RawConnection(address)
                let small = Self.request(States.constantBody)
                let bad = Self.request(Self.large + "x")
                try connection.write(small + Self.request(Self.large) + bad + small)
                return try (0..<4).map { _ in try connection.readReply() }
            }
            #expect(replies.map(\.status) == [200, 200, 400, 200])
            #expect(replies[1].body.contains("\"outputs\""))
            #expect(replies[2].body.contains("malformed_request"))
            #expect(replies[3].body.contains("\"outputs\""))
        }
    }

    @Test func `whoever leaves while a large body is read harms nobody`() async throws {
        try await run { world in
            let address = world.address
            try await RawConnection.offPool {
                for _ in 0..<3 {
                    let connection = try RawConnection(address)
                    try connection.write(Self.request(Self.large))
                }
            }
            let reply = try await world.post("/v2/models/demo/infer", States.constantBody)
            #expect(reply.status == 200)
            #expect(try await world.post("/v2/models/demo/infer", Self.large).status == 200)
        }
    }

    @Test func `no more bodies wait than may, but one that began goes on`() async {
        let large = LargeBodies(threads: 1, limit: 2)
        let (gate, done) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let work: @Sendable () -> Void = {
            gate.wait()
            done.signal()
        }
        #expect(large.submit(work) == nil)
        #expect(large.submit(work) == nil)
        #expect(large.submit(work) == .overloaded(queued: 2, retryAfterSeconds: 1))
        #expect(large.submit(isFurther: true, work) == nil)
        for _ in 0..<3 { gate.signal() }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                for _ in 0..<3 { done.wait() }
                continuation.resume()
            }
        }
        await large.stop()
    }
}
