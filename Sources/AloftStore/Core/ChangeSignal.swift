import Synchronization

/// Says "something was committed, look again". Levels, not edges: a waiter who missed ten commits is
/// woken once.
package final class ChangeSignal: Sendable {
    private struct State {
        var count: UInt64 = 0
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []
    }

    private let state = Mutex(State())

    package init() {}

    /// How many commits there were. Take it before reading the state that is acted on.
    package var count: UInt64 { state.withLock { $0.count } }

    package func notify() {
        let waiters = state.withLock { state in
            state.count += 1
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
