import AloftDomain
import AloftTestKit
import Foundation
import Synchronization
import Testing

@testable import AloftGateway

/// Which tokens open a gateway, and how soon an ended one no longer does.
@Suite struct TokenAuthenticatorTests {
    /// What a server knows, and whether it answers.
    private final class Server: Sendable {
        private let tokens = Mutex<Set<String>>([])
        private let isAway = Mutex(false)

        struct Away: Error {}

        func set(_ live: Set<String>) { tokens.withLock { $0 = live } }
        func goAway() { isAway.withLock { $0 = true } }

        func ask(_ token: String) throws -> Bool {
            guard !isAway.withLock({ $0 }) else { throw Away() }
            return tokens.withLock { $0.contains(token) }
        }

        func live(_ digests: [String]) throws -> [String] {
            guard !isAway.withLock({ $0 }) else { throw Away() }
            let known = tokens.withLock { Set($0.map(TokenAuthenticator.digest)) }
            return digests.filter(known.contains)
        }
    }

    private func folder() throws -> String {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func gate(_ server: Server, _ folder: String, _ time: ManualTime) -> TokenAuthenticator
    {
        TokenAuthenticator(
            folder: folder, own: "own", time: time.source, live: { try server.live($0) },
            ask: { try server.ask($0) })
    }

    @Test func `an ended token is forgotten at once, also over a restart without the server`()
        async throws
    {
        let (server, time, folder) = (Server(), ManualTime(), try folder())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        server.set(["ann", "bob"])
        let gate = gate(server, folder, time)
        for token in ["ann", "bob"] { #expect(await gate.verdict(token, from: nil) == .known) }
        server.set(["ann"])
        #expect(gate.remembered("bob") == .known, "the server's word holds for a minute")
        await gate.forgetEnded()
        #expect(gate.remembered("bob") == nil)
        #expect(gate.remembered("ann") == .known)
        #expect(await gate.verdict("bob", from: nil) == .unknown)
        #expect(gate.remembered("own") == .known)

        server.goAway()
        let next = self.gate(server, folder, time)
        #expect(await next.verdict("ann", from: nil) == .known)
        #expect(await next.verdict("bob", from: nil) == .unverifiable)
    }

    @Test func `where the server does not say what ended, each is asked for again`() async throws {
        let (server, time, folder) = (Server(), ManualTime(), try folder())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        server.set(["ann"])
        let gate = gate(server, folder, time)
        #expect(await gate.verdict("ann", from: nil) == .known)
        server.goAway()
        await gate.forgetEnded()
        #expect(gate.remembered("ann") == nil)
        #expect(
            await gate.verdict("ann", from: nil) == .known, "a server that is away ends no token")
    }

    @Test func `a clock that is set back keeps no ended token open, nor a new one out`()
        async throws
    {
        let (server, time, folder) = (Server(), ManualTime(), try folder())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        server.set(["ann"])
        let gate = gate(server, folder, time)
        #expect(await gate.verdict("ann", from: nil) == .known)
        #expect(await gate.verdict("eve", from: nil) == .unknown)
        server.set(["eve"])
        time.advance(by: .seconds(-86_400))
        #expect(gate.remembered("ann") == nil && gate.remembered("eve") == nil)
        #expect(await gate.verdict("ann", from: nil) == .unknown)
        #expect(await gate.verdict("eve", from: nil) == .known)
        #expect(gate.remembered("own") == .known)
    }

    @Test func `an answer from before a look is not remembered after it`() async throws {
        let (server, time, folder) = (Server(), ManualTime(), try folder())
        defer { try? FileManager.default.removeItem(atPath: folder) }
        server.set(["bob"])
        let (asked, answer) = (
            AsyncStream.makeStream(of: Void.self), AsyncStream.makeStream(of: Void.self)
        )
        let gate = TokenAuthenticator(
            folder: folder, own: nil, time: time.source, live: { try server.live($0) },
            ask: { _ in
                asked.continuation.yield()
                for await _ in answer.stream { break }
                return true
            })
        async let verdict = gate.verdict("bob", from: nil)
        for await _ in asked.stream { break }
        server.set([])
        await gate.forgetEnded()
        answer.continuation.yield()
        #expect(await verdict == .known)
        #expect(gate.remembered("bob") == nil)
    }

    @Test func `only people have registered versions loaded`() async throws {
        let folder = try States.folder(with: ["constant-1.onnx"])
        let state = States.state(3, [try States.revision(1, "constant-1.onnx", weight: 100)])
        let tokens = TokenAuthenticator(
            folder: folder, own: "own", time: .live, administrator: { $0 == "ann" },
            ask: { _ in true })
        try await GatewayWorld.run(state, folder: folder, tokens: tokens) { world in
            try await world.waitUntilReady()
            for action in ["infer", "invocations"] {
                let path = "/registry/demo/versions/1/\(action)"
                for token in ["job", "own"] {
                    let reply = try await world.post(
                        path, States.constantBody, headers: "Authorization: Bearer \(token)\r\n")
                    #expect(reply.status == 403, "\(token): \(reply.body)")
                }
                let reply = try await world.post(
                    path, States.constantBody, headers: "Authorization: Bearer ann\r\n")
                #expect(
                    reply.status == 503, "a person's question goes to the server: \(reply.body)")
            }
        }
    }
}
