package import AloftDomain
import Synchronization

/// Which runs changed lately: what live pages follow, since what runs log makes no events.
///
/// In memory only, and bounded: who looks too seldom is told that any run may have changed.
package final class RunActivity: Sendable {
    private struct State {
        var sequence: UInt64 = 0
        var last: [RunID: UInt64] = [:]
        /// Runs that changed up to here may be forgotten.
        var forgotten: UInt64 = 0
        /// Somebody looked and found nothing new.
        var isAwaited = false
    }

    /// Of more runs than this the older half is forgotten.
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
    fileprivate func note(_ run: RunID) -> Bool {
        state.withLock { state in
            state.sequence += 1
            state.last[run] = state.sequence
            if state.last.count > Self.kept {
                let middle = state.last.values.sorted()[Self.kept / 2]
                state.last = state.last.filter { $0.value > middle }
                state.forgotten = middle
            }
            defer { state.isAwaited = false }
            return state.isAwaited
        }
    }

    /// The runs that changed after `sequence`, in no order; `nil` if they are too many to tell.
    package func runs(after sequence: UInt64) -> [RunID]? {
        state.withLock { state in
            guard sequence >= state.forgotten else { return nil }
            return state.last.filter { $0.value > sequence }.map(\.key)
        }
    }
}

extension Store {
    /// Tells live pages that a run changed. Call it once the change is committed, so that who is
    /// woken by it finds it; wakes waiters only if one waits for runs.
    package func runChanged(_ run: RunID) {
        if activity.note(run) { changes.notify() }
    }
}
