import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Synchronization
import Testing

@testable import AloftGateway

@Suite struct HandoverTests {
    /// Asks over and over on a connection that it opens anew when the gateway says that it closes.
    private static func ask(
        _ address: ListenAddress, until isOver: @Sendable () -> Bool, _ counts: Counts
    ) {
        let request =
            "POST /v2/models/demo/infer HTTP/1.1\r\nhost: x\r\ncontent-length: "
            + "\(States.constantBody.utf8.count)\r\n\r\n\(States.constantBody)"
        var connection: RawConnection?
        while !isOver(), counts.bad.count < 20 {
            do {
                let open = try connection ?? RawConnection(address)
                connection = open
                try open.write(request)
                let reply = try open.readReply()
                counts.add(reply.status == 200, text: reply.body)
                if reply.head.contains("connection: close") { connection = nil }
            } catch {
                counts.add(false, text: "\(error)")
                connection = nil
            }
        }
    }

    private final class Starts: Sendable {
        private let value = Atomic<Int>(0)
        var count: Int { value.load(ordering: .relaxed) }
        func add() { value.add(1, ordering: .relaxed) }
    }

    private final class Flag: Sendable {
        private let value = Atomic<Bool>(false)
        var isSet: Bool { value.load(ordering: .relaxed) }
        func set() { value.store(true, ordering: .relaxed) }
    }

    private final class Counts: Sendable {
        private let state = Mutex((good: 0, bad: [String]()))
        func add(_ isGood: Bool, text: String) {
            state.withLock { if isGood { $0.good += 1 } else { $0.bad.append(text) } }
        }
        var good: Int { state.withLock(\.good) }
        var bad: [String] { state.withLock(\.bad) }
    }

    @Test func `a gateway started anew takes over under load, and no request fails`()
        async throws
    {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        let counts = Counts()
        let isOver = Flag()
        let started = Starts()
        let asked = Starts()
        let turns = 5
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Whatever goes wrong: who asks on threads of their own hears of no cancellation.
            defer { isOver.set() }
            let (addressesOfFirst, start) = AsyncStream.makeStream(of: ListenAddress.self)
            for turn in 0..<turns {
                group.addTask {
                    // The first starts at once, each other when the one before answers.
                    let before = turn == 0 ? -1 : 40 * turn
                    try await eventually("turn \(turn)", asking: .milliseconds(5)) {
                        !counts.bad.isEmpty || (counts.good > before && started.count >= turn)
                    }
                    let gateway = try GatewayWorld.makeGateway(
                        turn == 0 ? state : nil, folder: folder)
                    try await gateway.run { address in
                        started.add()
                        if turn == 0 { start.yield(address) }
                    }
                }
            }
            var addresses = addressesOfFirst.makeAsyncIterator()
            let address = try #require(await addresses.next())
            try await GatewayWorld(folder: folder, address: address).waitUntilReady()
            for _ in 0..<4 {
                group.addTask {
                    try await RawConnection.offPool {
                        Self.ask(
                            address, until: { isOver.isSet }, counts)
                        asked.add()
                    }
                }
            }
            // All gateways but the last end by themselves.
            for _ in 0..<turns - 1 { try await group.next() }
            let soFar = counts.good
            try await eventually("50 answers more", asking: .milliseconds(5)) {
                !counts.bad.isEmpty || counts.good >= soFar + 50
            }
            isOver.set()
            // The last gateway ends as one that is stopped does: nobody may be asking then.
            try await eventually("nobody to ask", asking: .milliseconds(5)) { asked.count >= 4 }
            group.cancelAll()
            try await group.waitForAll()
        }
        #expect(counts.bad == [])
        #expect(counts.good > 200)
    }

    @Test func `a folder in use by a gateway elsewhere is refused, and that one goes on`()
        async throws
    {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
            let other = try GatewayWorld.makeGateway(
                nil, folder: folder, listen: ListenAddress(host: "127.0.0.1", port: 1))
            await #expect(throws: GatewayStartFailure.self) { try await other.run() }
            #expect(
                try await world.post("/v2/models/demo/infer", States.constantBody).status == 200)
        }
    }

    @Test
    func `one that asks for the socket and ends before it takes it leaves the old one answering`()
        async throws
    {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
            for _ in 0..<3 {
                let predecessor = try #require(Predecessor(folder: folder))
                let succession = try predecessor.take(ListenAddress(host: "127.0.0.1", port: 0))
                succession.socket.close()
            }
            // Each on a connection of its own, which only one that accepts answers.
            for _ in 0..<3 { #expect(try await world.get("/v2/health/live").status == 200) }
        }
    }

    @Test func `a name left by a gateway that was killed does not keep another from starting`()
        async throws
    {
        let folder = try States.folder(with: ["constant-1.onnx"])
        try FileManager.default.createDirectory(
            atPath: folder + "/handover", withIntermediateDirectories: true)
        #expect(FileManager.default.createFile(atPath: folder + "/handover/socket", contents: nil))
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        try await GatewayWorld.run(state, folder: folder) { world in
            try await world.waitUntilReady()
        }
    }

    @Test func `a message and a descriptor go through a socket together`() throws {
        var ends: [Int32] = [0, 0]
        #expect(
            socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends) == 0)
        let (left, right) = (DescriptorStream(ends[0]), DescriptorStream(ends[1]))
        try left.send("plain")
        let plain = try right.receive()
        #expect(plain.text == "plain" && plain.passed == nil)
        let file = open("/dev/null", O_RDONLY)
        try left.send("with", passing: file)
        close(file)
        let (text, passed) = try right.receive()
        #expect(text == "with")
        let descriptor = try #require(passed)
        #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0)
        close(descriptor)
    }
}
