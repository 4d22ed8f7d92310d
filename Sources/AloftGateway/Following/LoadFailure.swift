import AloftDomain
import Foundation

/// A revision that could not be loaded, and when that is tried again (exponential backoff).
struct LoadFailure: Sendable, Equatable {
    /// How often it was tried in vain.
    var tries: Int
    var reason: String
    var nextTry: Date
    /// How often of these it was not for want of a server that answers.
    var vain = 0

    /// Whether reports are to say so. It is tried again all the same; but who waits for the model need
    /// wait no longer.
    var isReported: Bool { vain >= Self.mostVain }

    /// Some six seconds with what goes by, such as a process that the kernel ended for its memory.
    static let mostVain = 5

    /// How long to wait after the last try: what came to nothing on its way (a server that is away) soon,
    /// what the model itself is at fault for, so that the same file would fail the same way, seldom; but
    /// a full disk or a package index that did not answer looks like the model's fault too.
    static func pause(afterTries tries: Int, isPermanent: Bool) -> Duration {
        let doublings = 1 << min(max(tries - 1, 0), 12)
        return isPermanent
            ? min(.seconds(1) * doublings, .seconds(300))
            : min(.milliseconds(400) * doublings, .seconds(5))
    }

    /// For people: why, how often it was tried, and when it is tried next.
    var text: String {
        let times = tries == 1 ? "tried once" : "tried \(tries) times"
        // A model's own words may end as a sentence does.
        let words = reason.ends(with: ".") ? String(reason.dropLast()) : reason
        return "\(words) (\(times); the next try is at \(nextTry.formatted(.iso8601)))"
    }
}
