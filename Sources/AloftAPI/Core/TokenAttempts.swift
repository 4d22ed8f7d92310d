import AloftDomain
package import AloftEdge
import NIOCore
import Synchronization

/// Keeps strangers who try tokens from asking the database each time. A token that was known a moment ago is
/// looked up whoever else tries from the same place.
package final class TokenAttempts: Sendable {
    private let limiter: AttemptLimiter
    /// Hashes of tokens that were known, seeded for this process; bounded.
    private let known = Mutex<Set<Int>>([])

    private static let mostKnown = 10_000

    /// Gateways ask for their callers from one place, at some twenty a second; see `TokenAuthenticator`.
    package init(
        limiter: AttemptLimiter = AttemptLimiter(
            perPlace: .init(burst: 200, perSecond: 50), all: .init(burst: 500, perSecond: 200))
    ) {
        self.limiter = limiter
    }

    /// - Parameter place: asked for only where it matters.
    func mayLookUp(_ secret: String, from place: () -> RemoteAddress?) -> Bool {
        let hash = secret.hashValue
        if known.withLock({ $0.contains(hash) }) { return true }
        return limiter.mayTry(from: place())
    }

    func lookedUp(_ secret: String, isKnown: Bool, from place: () -> RemoteAddress?) {
        let hash = secret.hashValue
        let isNew = known.withLock { known in
            guard isKnown else {
                known.remove(hash)
                return false
            }
            if known.contains(hash) { return false }
            if known.count >= Self.mostKnown { known.removeAll() }
            known.insert(hash)
            return true
        }
        if isNew { limiter.wasKnown(from: place()) }
    }
}
