import Dispatch
import Synchronization

/// Says "something was committed, look again". Levels, not edges: a waiter who missed ten commits is
/// woken once.
///
/// The first commit after a quiet time wakes at once; of a stream of them one every few milliseconds
/// does. Commits are of kinds, since what trainings log comes by the thousand and concerns few: each
/// loop of the control plane waits here, and a server that takes thousands of points a second would
/// otherwise spend more on looking again than on the points.
package final class ChangeSignal: Sendable {
    /// What a commit may have changed.
    package struct Kinds: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Anything but what the others name; events are of it.
        package static let state = Kinds(rawValue: 1)
        /// Points, params and tags of runs.
        package static let logging = Kinds(rawValue: 2)
        /// What `LiveActivity` has noted and somebody waits for.
        package static let activity = Kinds(rawValue: 4)
    }

    private struct Waiter {
        let kinds: Kinds
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct Counts {
        private var state: UInt64 = 0
        private var logging: UInt64 = 0
        private var activity: UInt64 = 0

        mutating func add(_ kinds: Kinds) {
            if kinds.contains(.state) { state += 1 }
            if kinds.contains(.logging) { logging += 1 }
            if kinds.contains(.activity) { activity += 1 }
        }

        func sum(of kinds: Kinds) -> UInt64 {
            (kinds.contains(.state) ? state : 0) + (kinds.contains(.logging) ? logging : 0)
                + (kinds.contains(.activity) ? activity : 0)
        }
    }

    private struct State {
        var counts = Counts()
        /// What was changed since the last waking.
        var unheard: Kinds = []
        var lastWoken: UInt64 = 0
        var isWakeDue = false
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []

        func isAwaited(_ kinds: Kinds) -> Bool {
            waiters.values.contains { !$0.kinds.isDisjoint(with: kinds) }
        }
    }

    private let state = Mutex(State())

    /// The least time from one waking to the next.
    private static let pauseNanoseconds: UInt64 = 10_000_000

    package init() {}

    /// How many commits there were. Take it before reading the state that is acted on.
    package func count(of kinds: Kinds = .state) -> UInt64 {
        state.withLock { $0.counts.sum(of: kinds) }
    }

    package func notify(_ kinds: Kinds = .state) {
        let now = DispatchTime.now().uptimeNanoseconds
        let due: UInt64? = state.withLock { state in
            state.counts.add(kinds)
            state.unheard.formUnion(kinds)
            guard !state.isWakeDue, state.isAwaited(kinds) else { return nil }
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
        let woken = state.withLock { state in
            state.lastWoken = now
            state.isWakeDue = false
            let heard = state.unheard
            state.unheard = []
            let woken = state.waiters.filter { !$0.value.kinds.isDisjoint(with: heard) }
            for number in woken.keys { state.waiters[number] = nil }
            return woken.values.map(\.continuation)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns as soon as there was a commit of `kinds` after `count`, or the task is cancelled, or
    /// `timeout` on `clock` has passed.
    package func wait(
        after count: UInt64, of kinds: Kinds = .state, upTo timeout: Duration,
        clock: any Clock<Duration> = ContinuousClock()
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: count, of: kinds) }
            group.addTask { try? await clock.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(after count: UInt64, of kinds: Kinds) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    let isThere = state.counts.sum(of: kinds) > count
                    if isThere || state.cancelled.remove(waiter) != nil { return true }
                    state.waiters[waiter] = Waiter(kinds: kinds, continuation: continuation)
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state -> Waiter? in
                if let waiting = state.waiters.removeValue(forKey: waiter) { return waiting }
                state.cancelled.insert(waiter)
                return nil
            }
            waiting?.continuation.resume()
        }
        state.withLock { _ = $0.cancelled.remove(waiter) }
    }
}
