import Foundation
import NIOCore
import Synchronization
import Testing

@testable import AloftGateway

/// Clients that were shed and try again at once.
@Suite struct RefusalTests {
    private final class Flag: Sendable {
        let isSet = Atomic(false)
    }

    private static let path = "/v2/models/demo/infer"

    @Test func `who comes again too soon is answered in order, and told when to come`() async throws
    {
        let state = States.state(1, [try States.revision(1, "slow.onnx", weight: 100)])
        try await GatewayWorld.run(
            state, folder: try States.folder(with: ["slow.onnx"]),
            adjust: {
                $0.inlineLimit = .microseconds(1)
                $0.queueLimit = 1
            }
        ) { world in
            try await world.waitUntilReady()
            let request = Self.request
            let (address, enough) = (world.address, Flag())
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<3 {
                    group.addTask {
                        try await RawConnection.offPool {
                            let client = try RawConnection(address)
                            while !enough.isSet.load(ordering: .relaxed) {
                                try client.write(request)
                                _ = try client.readReply()
                            }
                        }
                    }
                }
                group.addTask {
                    try await RawConnection.offPool {
                        defer { enough.isSet.store(true, ordering: .relaxed) }
                        try Self.hurry(try RawConnection(address), request)
                    }
                }
                try await group.waitForAll()
            }
            let calm = try await world.send(request)
            #expect(calm.status == 200)
        }
    }

    /// 128 × 128 zeros as a binary tensor, which is read quickly, so that the model is what takes long.
    private static let request: String = {
        let bytes = 128 * 128 * 4
        let json =
            #"{"inputs":[{"name":"x","shape":[1,128,128],"datatype":"FP32","parameters":{"binary_data_size":\#(bytes)}}]}"#
        return "POST \(path) HTTP/1.1\r\nhost: x\r\ninference-header-content-length: "
            + "\(json.utf8.count)\r\ncontent-length: \(json.utf8.count + bytes)\r\n\r\n"
            + json + String(repeating: "\0", count: bytes)
    }()

    /// Sends predictions and, without waiting for their answers, other requests behind them, until some
    /// predictions were shed one after another.
    private static func hurry(_ connection: RawConnection, _ request: String) throws {
        let page = "GET /v2 HTTP/1.1\r\nhost: x\r\n\r\n"
        var (shed, rounds) = (0, 0)
        while shed < 5, rounds < 2000 {
            rounds += 1
            try connection.write(request + page)
            let answer = try connection.readReply()
            #expect(try connection.readReply().body.contains("\"name\""))
            guard answer.status == 429 else {
                #expect(answer.status == 200)
                continue
            }
            shed += 1
            #expect(answer.head.contains("\r\nretry-after: "))
            #expect(answer.body.contains("Too many requests are waiting for this model ("))
            #expect(answer.body.hasSuffix(#","code":"overloaded"}"#))
        }
        #expect(shed == 5)
        // What is no request does not take away the answer to the one before it.
        try connection.write(request + "no request\r\n\r\n")
        let last = try connection.readReply()
        #expect(last.status == 429 || last.status == 200)
    }

    @Test func `a reply is made once for all who wait behind as many`() {
        var (replies, made) = (RefusalReplies(), 0)
        func reply(_ queued: Int) -> String {
            let reply = replies.reply(queued: queued, seconds: 1) {
                made += 1
                return ByteBuffer(string: "\(queued)")
            }
            return String(buffer: reply)
        }
        for _ in 0..<3 { #expect(reply(7) == "7") }
        #expect(made == 1)
        // However many there are, few are kept.
        for queued in 0..<10_000 { #expect(reply(queued) == "\(queued)") }
        #expect(reply(7) == "7")
        #expect(made > 10_000)
    }
}
