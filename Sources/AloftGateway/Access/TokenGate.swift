import AloftClient
package import AloftDomain
import AloftWire
import Crypto
import Foundation
import Synchronization

/// Knows which tokens open the gateway. The server is asked once for each, and its word holds for a
/// minute; while it does not answer, a token that it knew before goes on opening.
package final class TokenGate: Sendable {
    package enum Verdict: Sendable, Equatable { case known, unknown, unverifiable }

    private struct Memory {
        /// By the token's digest: until when the server need not be asked again.
        // text: digests of tokens
        var known: [String: Date] = [:]
        /// Tokens that the server refused, so that guesses cost it nothing; bounded.
        // text: digests of tokens
        var refused: [String: Date] = [:]
    }

    private let memory: Mutex<Memory>
    private let path: String
    private let time: TimeSource
    private let ask: @Sendable (String) async throws -> Bool
    private let askAdministrator: @Sendable (String) async throws -> Bool
    private let own: String?

    /// - Parameters:
    ///   - folder: where the digests of known tokens are kept for a start without the server.
    ///   - own: the gateway's own token, which opens it as well.
    ///   - administrator: whether the server knows a token as that of somebody who may load and
    ///     unload models.
    ///   - ask: whether the server knows a token.
    package init(
        folder: String, own: String?, time: TimeSource,
        administrator: @escaping @Sendable (String) async throws -> Bool = { _ in false },
        ask: @escaping @Sendable (String) async throws -> Bool
    ) {
        path = folder + "/known-tokens.json"
        self.time = time
        self.ask = ask
        self.own = own
        askAdministrator = administrator
        var memory = Memory()
        if let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
            let digests = try? JSONDecoder().decode([String].self, from: data)
        {
            for digest in digests { memory.known[digest] = .distantPast }
        }
        if let own { memory.known[Self.digest(own)] = .distantFuture }
        self.memory = Mutex(memory)
    }

    /// The answer where it is known without asking.
    func remembered(_ token: String) -> Verdict? {
        let digest = Self.digest(token)
        let now = time.now()
        return memory.withLock { memory in
            if let until = memory.known[digest], until > now { return .known }
            if let until = memory.refused[digest], until > now { return .unknown }
            return nil
        }
    }

    func verdict(_ token: String) async -> Verdict {
        if let verdict = remembered(token) { return verdict }
        let digest = Self.digest(token)
        let now = time.now()
        do {
            let isKnown = try await ask(token)
            memory.withLock { memory in
                if isKnown {
                    memory.known[digest] = now.addingTimeInterval(60)
                    memory.refused[digest] = nil
                } else {
                    memory.known[digest] = nil
                    if memory.refused.count > 10_000 { memory.refused.removeAll() }
                    memory.refused[digest] = now.addingTimeInterval(10)
                }
            }
            save()
            return isKnown ? .known : .unknown
        } catch {
            let wasKnown = memory.withLock { memory in
                guard memory.known[digest] != nil else { return false }
                memory.known[digest] = now.addingTimeInterval(5)
                return true
            }
            return wasKnown ? .known : .unverifiable
        }
    }

    /// Whether the bearer may load and unload models. Asked for rarely, so the server is asked each
    /// time.
    func administrator(_ token: String) async -> Verdict {
        if token == own { return .known }
        do {
            return try await askAdministrator(token) ? .known : .unknown
        } catch {
            return .unverifiable
        }
    }

    private func save() {
        let digests = memory.withLock { memory in
            memory.known.filter { $0.value < .distantFuture }.keys.sorted()
        }
        // Only spares a question after a restart; without it nothing is lost.
        if let data = try? JSONEncoder().encode(digests) {
            try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    private static func digest(_ token: String) -> String {
        ContentDigest(bytes: SHA256.hash(data: Data(token.utf8))).hex
    }
}
