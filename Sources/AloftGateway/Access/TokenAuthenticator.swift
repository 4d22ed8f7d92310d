import AloftClient
package import AloftDomain
package import AloftEdge
import AloftWire
import Crypto
import Foundation
import Synchronization

/// Knows which tokens open the gateway. The server is asked once for each, and its word holds for a
/// minute; while it does not answer, a token that it knew before goes on opening.
package final class TokenAuthenticator: Sendable {
    package enum Verdict: Sendable, Equatable {
        case known
        case unknown
        case unverifiable
        /// Unknown tokens came too often from where this one comes from, or from everywhere.
        case tooManyAttempts

        /// `nil` where the caller is let in.
        var failure: GatewayFailure? {
            switch self {
            case .known: nil
            case .unknown: .tokenUnknown
            case .unverifiable: .tokenUnverifiable
            case .tooManyAttempts: .tooManyAttempts
            }
        }
    }

    /// A time of the clock on the wall. Where that is set back, what was noted later is over: else a token
    /// that ended would open for as long as the clock was set back by.
    private struct Span: Equatable {
        let start: Date
        let end: Date

        static let over = Span(start: .distantPast, end: .distantPast)
        static let always = Span(start: .distantPast, end: .distantFuture)

        init(start: Date, end: Date) {
            self.start = start
            self.end = end
        }

        init(from now: Date, seconds: TimeInterval) {
            self.init(start: now, end: now.addingTimeInterval(seconds))
        }

        func holds(at now: Date) -> Bool { start <= now && now < end }
    }

    private struct Memory {
        /// By the token's digest: while the server need not be asked again.
        // text: digests of tokens
        var known: [String: Span] = [:]
        /// Tokens that the server refused, so that guesses cost it nothing; bounded.
        // text: digests of tokens
        var refused: [String: Span] = [:]
        /// Grows with each look at which tokens ended: what was asked before it is not remembered.
        var looks = 0

        /// Bounded, whoever sends how many: those that were refused longest ago go first.
        mutating func refuse(_ digest: String, for span: Span) {
            if refused.count >= TokenAuthenticator.mostRefused {
                refused = refused.filter { $0.value.holds(at: span.start) }
                if refused.count >= TokenAuthenticator.mostRefused { refused.removeAll() }
            }
            refused[digest] = span
        }
    }

    private static let mostRefused = 10_000

    private let memory: Mutex<Memory>
    private let path: String
    private let time: TimeSource
    private let ask: @Sendable (String) async throws -> Bool
    private let askAdministrator: @Sendable (String) async throws -> Bool
    private let own: String?
    private let askLive: (@Sendable ([String]) async throws -> [String])?
    /// How often strangers may have the server asked.
    private let attempts: AttemptLimiter

    /// - Parameters:
    ///   - folder: where the digests of known tokens are kept for a start without the server.
    ///   - own: the gateway's own token, which opens it as well.
    ///   - administrator: whether the server knows a token as that of somebody who may load and
    ///     unload models.
    ///   - live: which of these digests are of tokens that live; `nil` where nobody says.
    ///   - ask: whether the server knows a token.
    package init(
        folder: String, own: String?, time: TimeSource,
        attempts: AttemptLimiter = AttemptLimiter(),
        administrator: @escaping @Sendable (String) async throws -> Bool = { _ in false },
        live: (@Sendable ([String]) async throws -> [String])? = nil,
        ask: @escaping @Sendable (String) async throws -> Bool
    ) {
        path = folder + "/known-tokens.json"
        self.time = time
        self.ask = ask
        self.own = own
        self.attempts = attempts
        askAdministrator = administrator
        askLive = live
        var memory = Memory()
        if let data = try? Data(contentsOf: URL(fileURLWithPath: path)),
            let digests = try? JSONDecoder().decode([String].self, from: data)
        {
            for digest in digests { memory.known[digest] = .over }
        }
        if let own { memory.known[Self.digest(own)] = .always }
        self.memory = Mutex(memory)
    }

    /// The answer where it is known without asking.
    func remembered(_ token: String) -> Verdict? {
        let digest = Self.digest(token)
        let now = time.now()
        return memory.withLock { memory in
            if memory.known[digest]?.holds(at: now) == true { return .known }
            if memory.refused[digest]?.holds(at: now) == true { return .unknown }
            return nil
        }
    }

    /// - Parameter place: where the caller is; strangers from one place have the server asked only so
    ///   often. A token that was known before is asked for always.
    func verdict(_ token: String, from place: RemoteAddress?) async -> Verdict {
        if let verdict = remembered(token) { return verdict }
        let digest = Self.digest(token)
        let now = time.now()
        let looks = memory.withLock { $0.looks }
        let isStranger = memory.withLock { $0.known[digest] == nil }
        if isStranger, !attempts.mayTry(from: place) { return .tooManyAttempts }
        do {
            let isKnown = try await ask(token)
            let hasChanged = memory.withLock { memory in
                let wasKnown = memory.known[digest] != nil
                if isKnown {
                    // It may have ended since the server was asked.
                    guard memory.looks == looks else { return false }
                    memory.known[digest] = Span(from: now, seconds: 60)
                    memory.refused[digest] = nil
                } else {
                    memory.known[digest] = nil
                    memory.refuse(digest, for: Span(from: now, seconds: 10))
                }
                return wasKnown != isKnown
            }
            if isStranger, isKnown { attempts.wasKnown(from: place) }
            // A stranger's guess costs the disk nothing.
            if hasChanged { save() }
            return isKnown ? .known : .unknown
        } catch {
            let wasKnown = memory.withLock { memory in
                guard memory.known[digest] != nil else { return false }
                memory.known[digest] = Span(from: now, seconds: 5)
                return true
            }
            return wasKnown ? .known : .unverifiable
        }
    }

    /// Asks again about every token that it knows, since some may have ended; those are forgotten at
    /// once and on disk. Where the server does not say, each is asked for when it is next used.
    package func forgetEnded() async {
        let digests = memory.withLock { memory in
            memory.looks += 1
            for (digest, span) in memory.known where span != .always {
                memory.known[digest] = .over
            }
            return memory.known.filter { $0.value != .always }.keys.sorted()
        }
        guard let askLive, !digests.isEmpty else { return }
        for start in stride(from: 0, to: digests.count, by: CheckTokens.most) {
            let some = Array(digests[start..<min(start + CheckTokens.most, digests.count)])
            guard let live = try? await askLive(some) else { return }
            let ended = Set(some).subtracting(live)
            let span = Span(from: time.now(), seconds: 60)
            memory.withLock { memory in
                for digest in some where memory.known[digest] == .over {
                    memory.known[digest] = ended.contains(digest) ? nil : span
                }
            }
            if !ended.isEmpty { save() }
        }
    }

    /// Whether the bearer may load and unload models. Asked for rarely, so the server is asked each
    /// time. The gateway's own token is for following the server, and no administrator's.
    func administrator(_ token: String) async -> Verdict {
        if token == own { return .unknown }
        do {
            return try await askAdministrator(token) ? .known : .unknown
        } catch {
            return .unverifiable
        }
    }

    private func save() {
        let digests = memory.withLock { memory in
            memory.known.filter { $0.value != .always }.keys.sorted()
        }
        // Only spares a question after a restart; without it nothing is lost.
        if let data = try? JSONEncoder().encode(digests) {
            try? data.write(to: URL(fileURLWithPath: path), options: .atomic)
        }
    }

    static func digest(_ token: String) -> String {
        ContentDigest(bytes: SHA256.hash(data: Data(token.utf8))).hex
    }
}
