import NIOCore
import NIOHPACK
import NIOHTTP2
import NIOPosix
import SwiftProtobuf
import Testing

@testable import AloftGRPC

/// Calls frame by frame: half-close, flow control, statuses, and what no client would send.
@Suite(.timeLimit(.minutes(20))) struct ConnectionTests {
    private static let live: [UInt8] = [0x08, 0x01]

    @Test func `a call is answered by headers, a message and trailers`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let call = try await caller.begin("ServerLive")
            try await caller.say(call, Framed.message([]), isAll: true)
            guard case .headers(let head, isLast: false) = try await caller.hear(call) else {
                Issue.record("no headers")
                return
            }
            #expect(head.first(name: ":status") == "200")
            #expect(head.first(name: "content-type") == "application/grpc")
            #expect(try await caller.hear(call) == .data(Framed.message(Self.live), isLast: false))
            #expect(
                try await caller.hear(call) == .headers(["grpc-status": "0"], isLast: true))
            try await caller.close()
        }
    }

    @Test func `a call is answered when its caller has said all, and not before`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let call = try await caller.begin("ServerLive")
            for byte in Framed.message([]) {
                try await caller.say(call, [byte])
                #expect(try await caller.heardSoFar(call) == [])
            }
            // Others do not wait for it.
            let other = try await caller.begin("ServerLive")
            try await caller.say(other, Framed.message([]), isAll: true)
            #expect(try await caller.answer(other).bytes == Framed.message(Self.live))
            #expect(try await caller.heardSoFar(call) == [])
            try await caller.say(call, [], isAll: true)
            #expect(try await caller.answer(call).bytes == Framed.message(Self.live))
            try await caller.close()
        }
    }

    @Test func `an end within a message is told, and trailers of a caller end its call`()
        async throws
    {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let cut = try await caller.begin("ServerLive")
            try await caller.say(cut, [0, 0, 0], isAll: true)
            #expect(try await caller.answer(cut).trailers.first(name: "grpc-status") == "3")
            let ended = try await caller.begin("ServerLive")
            try await caller.say(ended, Framed.message([]))
            try await caller.send(
                ended, .headers(.init(headers: ["x-more": "y"], endStream: true)))
            #expect(try await caller.answer(ended).trailers.first(name: "grpc-status") == "0")
            try await caller.close()
        }
    }

    @Test func `what is refused says its status and code, and what went before`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let asked = Inference_ModelInferRequest.with { $0.modelName = "none" }
            let bytes: [UInt8] = try asked.serializedBytes()
            let call = try await caller.begin("ModelInfer")
            try await caller.say(call, Framed.message(bytes), isAll: true)
            let (_, trailers) = try await caller.answer(call)
            #expect(trailers.first(name: ":status") == "200")
            #expect(trailers.first(name: "grpc-status") == "5")
            #expect(trailers.first(name: "aloft-error-code") == "model_not_found")
            #expect(trailers.first(name: "grpc-message")?.contains("none") == true)
            // A method that is not there is refused at once, and told to say no more.
            let unknown = try await caller.begin("Nothing")
            #expect(
                try await caller.answer(unknown).trailers.first(name: "grpc-status") == "12")
            #expect(try await caller.hear(unknown) == .reset(.noError))
            try await caller.close()
        }
    }

    @Test func `an answer waits for its caller's window, piece by piece`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect(window: 8)
            let call = try await caller.begin("ServerMetadata")
            try await caller.say(call, Framed.message([]), isAll: true)
            _ = try await caller.hear(call)
            guard case .data(let first, isLast: false) = try await caller.hear(call) else {
                Issue.record("no data")
                return
            }
            #expect(first.count <= 8)
            var so = first
            for case .data(let more, _) in try await caller.heardSoFar(call) { so += more }
            #expect(so.count == 8)
            try await caller.send(call, .windowUpdate(windowSizeIncrement: 1000))
            let (rest, trailers) = try await caller.answer(call)
            #expect(trailers.first(name: "grpc-status") == "0")
            let whole = so + rest
            #expect(Array(whole.prefix(5)) == Framed.prefix(length: UInt32(whole.count - 5)))
            let read = try Inference_ServerMetadataResponse(
                serializedBytes: Array(whole.dropFirst(5)))
            #expect(read.name == "aloft")
            try await caller.close()
        }
    }

    /// Twice what a caller may send at first, on its stream and on its connection.
    @Test func `a message larger than every window goes through`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let asked = Inference_ModelInferRequest.with {
                $0.modelName = "none"
                $0.rawInputContents = [.init(repeating: 1, count: 17 << 20)]
            }
            let bytes: [UInt8] = try asked.serializedBytes()
            let call = try await caller.begin("ModelInfer")
            try await caller.say(call, Framed.message(bytes), isAll: true)
            #expect(try await caller.answer(call).trailers.first(name: "grpc-status") == "5")
            try await caller.close()
        }
    }

    @Test func `a stream says that it is there, answers in order and ends as its caller does`()
        async throws
    {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            let stream = try await caller.begin("ModelStreamInfer")
            guard case .headers(_, isLast: false) = try await caller.hear(stream) else {
                Issue.record("no headers")
                return
            }
            let ids = (0..<50).map { "request \($0)" }
            for id in ids {
                let asked = Inference_ModelInferRequest.with {
                    $0.id = id
                    $0.modelName = "none"
                }
                try await caller.say(stream, Framed.message(try asked.serializedBytes()))
            }
            let framing = MessageFraming(limitBytes: 1 << 20, mayBeCompressed: false)
            var sequence = MessageSequence(framing)
            var answers: [Inference_ModelStreamInferResponse] = []
            while answers.count < ids.count {
                guard case .data(let bytes, _) = try await caller.hear(stream) else { break }
                sequence.append(ByteBuffer(bytes: bytes))
                while let message = try sequence.next() {
                    answers.append(try .init(serializedBytes: Array(buffer: message)))
                }
            }
            #expect(answers.map(\.inferResponse.id) == ids)
            #expect(answers.allSatisfy { $0.errorMessage.contains("none") })
            #expect(try await caller.heardSoFar(stream) == [])
            try await caller.say(stream, [], isAll: true)
            #expect(
                try await caller.hear(stream) == .headers(["grpc-status": "0"], isLast: true))
            try await caller.close()
        }
    }

    @Test func `calls that are given up leave the others alone`() async throws {
        try await GRPCWorld.run { world in
            let caller = try await world.connect()
            for turn in 0..<40 {
                let given = try await caller.begin(
                    turn % 2 == 0 ? "ModelInfer" : "ModelStreamInfer")
                try await caller.say(given, Array(Framed.message([1, 2, 3]).prefix(turn % 9)))
                try await caller.send(given, .rstStream(.cancel))
            }
            let call = try await caller.begin("ServerLive")
            try await caller.say(call, Framed.message([]), isAll: true)
            #expect(try await caller.answer(call).bytes == Framed.message(Self.live))
            try await caller.close()
        }
    }

    /// Frames of any kind, flag and length behind a good beginning.
    @Test func `frames of nobody end their own connection at most`() async throws {
        try await GRPCWorld.run { world in
            for seed in 0..<40 {
                var chance = SeededChance(seed)
                let channel = try await ClientBootstrap(
                    group: .singletonMultiThreadedEventLoopGroup
                ).connect(host: "127.0.0.1", port: world.port).get()
                var bytes =
                    Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [0, 0, 0, 4, 0, 0, 0, 0, 0]
                for content in Framed.messages(&chance, count: 12) {
                    let stream = UInt8.random(in: 0...5, using: &chance)
                    bytes += [0, 0, UInt8(content.count), UInt8.random(in: 0...10, using: &chance)]
                    bytes += [UInt8.random(in: 0...255, using: &chance), 0, 0, 0, stream] + content
                }
                // The gateway may have closed already.
                try? await channel.writeAndFlush(ByteBuffer(bytes: bytes))
                try? await channel.close()
            }
            let caller = try await world.connect()
            let call = try await caller.begin("ServerLive")
            try await caller.say(call, Framed.message([]), isAll: true)
            #expect(try await caller.answer(call).bytes == Framed.message(Self.live))
            try await caller.close()
        }
    }
}
