import Dispatch
import Synchronization

/// Says "something was committed, look again". Levels, not edges: a waiter who missed ten commits is
/// woken once.
///
/// The first commit after a quiet time wakes at once; of a stream of them one every few milliseconds
/// does. Each loop of the control plane waits here, and a server that takes hundreds of commits a second
/// would otherwise spend more on looking again than on the commits.
package final class ChangeSignal: Sendable {
    private struct State {
        var count: UInt64 = 0
        var lastWoken: UInt64 = 0
        var isWakeDue = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    /// The least time from one waking to the next.
    private static let pauseNanoseconds: UInt64 = 10_000_000

    package init() {}

    /// How many commits there were. Take it before reading the state that is acted on.
    package var count: UInt64 { state.withLock { $0.count } }

    package func notify() {
        let now = DispatchTime.now().uptimeNanoseconds
        let due: UInt64? = state.withLock { state in
            state.count += 1
            guard !state.waiters.isEmpty, !state.isWakeDue else { return nil }
            let due = state.lastWoken + Self.pauseNanoseconds
            state.isWakeDue = due > now
            return due
        }
        guard let due else { return }
        guard due > now else { return wake(now) }
        Task {
            try? await ContinuousClock().sleep(for: .nanoseconds(Int64(due - now)))
            self.wake(due)
        }
    }

    private func wake(_ now: UInt64) {
        let waiters = state.withLock { state in
            state.lastWoken = now
            state.isWakeDue = false
            defer { state.waiters = [:] }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns as soon as there was a commit after `count`, or the task is cancelled, or `timeout` on
    /// `clock` has passed.
    package func wait(
        after count: UInt64, upTo timeout: Duration, clock: any Clock<Duration> = ContinuousClock()
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: count) }
            group.addTask { try? await clock.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(after count: UInt64) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.count > count || state.cancelled.remove(waiter) != nil { return true }
                    state.waiters[waiter] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let continuation = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if let waiting = state.waiters.removeValue(forKey: waiter) { return waiting }
                state.cancelled.insert(waiter)
                return nil
            }
            continuation?.resume()
        }
        state.withLock { _ = $0.cancelled.remove(waiter) }
    }
}
