import AloftDomain
import Synchronization

/// A thing that live pages follow and that changes without an event of the log.
package struct LiveSubject: Hashable, Sendable {
    /// As the stream of live pages calls it.
    package enum Kind: String, Hashable, Sendable {
        case run, experiment, model, version, webhook, prediction

        /// What a write changes that such a thing is changed by.
        package var entities: ChangeSignal.Entities {
            switch self {
            case .run, .experiment: .tracking
            case .model, .version: .registry
            case .webhook: [.webhooks, .events]
            case .prediction: .predictions
            }
        }
    }

    package var kind: Kind
    /// What is known of it without asking: a run's identifier, a model's name, an endpoint.
    package var id: String

    package init(_ kind: Kind, _ id: String) {
        self.kind = kind
        self.id = id
    }
}

/// What changed lately without an event of the log: what runs log, tags, what gateways answered.
///
/// In memory only, and bounded: who looks too seldom is told that anything may have changed.
package final class LiveActivity: Sendable {
    private struct State {
        var sequence: UInt64 = 0
        var last: [LiveSubject: UInt64] = [:]
        /// Subjects that changed up to here may be forgotten.
        var forgotten: UInt64 = 0
        /// Somebody looked and found nothing new.
        var isAwaited = false
    }

    /// Of more subjects than this the older half is forgotten.
    private static let kept = 1024

    private let state = Mutex(State())

    package init() {}

    /// Counts the changes so far.
    package var sequence: UInt64 { state.withLock { $0.sequence } }

    /// Whether anything changed after `sequence`; if not, the next change wakes who waits.
    package func hasChanges(after sequence: UInt64) -> Bool {
        state.withLock { state in
            if state.sequence > sequence { return true }
            state.isAwaited = true
            return false
        }
    }

    /// Returns whether somebody waits for it.
    fileprivate func note(_ subject: LiveSubject) -> Bool {
        state.withLock { state in
            state.sequence += 1
            state.last[subject] = state.sequence
            if state.last.count > Self.kept {
                let middle = state.last.values.sorted()[Self.kept / 2]
                state.last = state.last.filter { $0.value > middle }
                state.forgotten = middle
            }
            defer { state.isAwaited = false }
            return state.isAwaited
        }
    }

    /// What changed after `sequence`, in no order; `nil` if it is too much to tell.
    package func subjects(after sequence: UInt64) -> [LiveSubject]? {
        state.withLock { state in
            guard sequence >= state.forgotten else { return nil }
            return state.last.filter { $0.value > sequence }.map(\.key)
        }
    }
}

extension Store {
    /// Tells live pages that something changed of which the log has no event. Call it once the change
    /// is committed, so that who is woken by it finds it; wakes waiters only if one waits for such.
    package func changed(_ kind: LiveSubject.Kind, _ id: String) {
        if activity.note(LiveSubject(kind, id)) { changes.notify(.activity) }
    }
}
