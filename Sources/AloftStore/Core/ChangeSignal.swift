import Dispatch
import Synchronization

/// Says "something of these was committed, look again". Levels, not edges: a waiter who missed ten
/// commits is woken once.
///
/// The first commit after a quiet time wakes at once; of a stream of them one every few milliseconds
/// does. Each commit says what it may have changed, and wakes only who waits for that: a server that takes
/// thousands of points a second would otherwise spend more on looking again than on the points.
package final class ChangeSignal: Sendable {
    private struct Waiter {
        let entities: Entities
        /// What it knows: later commits wake it.
        let count: UInt64
        let continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        /// Counts what was told.
        var count: UInt64 = 0
        /// The count at which each entity was last told of, by its bit.
        var last = InlineArray<16, UInt64>(repeating: 0)
        /// What somebody may wait for: at least what they do.
        var awaited: Entities = []
        var lastWoken: UInt64 = 0
        var isWakeDue = false
        var waiters: [UInt64: Waiter] = [:]
        var nextWaiter: UInt64 = 0
        var cancelled: Set<UInt64> = []

        mutating func note(_ entities: Entities) {
            count += 1
            var rest = entities.rawValue
            while rest != 0 {
                // traps: the bits of a word of sixteen are counted from 0 to 15
                last[rest.trailingZeroBitCount] = count
                rest &= rest &- 1
            }
        }

        func latest(of entities: Entities) -> UInt64 {
            var latest: UInt64 = 0
            var rest = entities.rawValue
            while rest != 0 {
                // traps: as above
                latest = max(latest, last[rest.trailingZeroBitCount])
                rest &= rest &- 1
            }
            return latest
        }
    }

    private let state = Mutex(State())

    /// The least time from one waking to the next.
    private static let pauseNanoseconds: UInt64 = 10_000_000

    package init() {}

    /// How many commits there were, whatever they changed. Take it before reading the state that is acted
    /// on: what is committed after it ends a later wait.
    package func count() -> UInt64 { state.withLock { $0.count } }

    /// Whether there was a commit of `entities` after `count`.
    package func hasChanged(_ entities: Entities, after count: UInt64) -> Bool {
        state.withLock { $0.latest(of: entities) > count }
    }

    package func notify(_ entities: Entities = .all) {
        let now = DispatchTime.now().uptimeNanoseconds
        let due: UInt64? = state.withLock { state in
            state.note(entities)
            guard !state.isWakeDue, !state.awaited.isDisjoint(with: entities) else { return nil }
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
            let woken = state.waiters.filter { _, waiter in
                state.latest(of: waiter.entities) > waiter.count
            }
            for number in woken.keys { state.waiters[number] = nil }
            state.awaited = state.waiters.values.reduce(into: []) { $0.formUnion($1.entities) }
            return woken.values.map(\.continuation)
        }
        for waiter in woken { waiter.resume() }
    }

    /// Returns as soon as there was a commit of `entities` after `count`, or the task is cancelled, or
    /// `timeout` on `clock` has passed.
    package func wait(
        after count: UInt64, of entities: Entities, upTo timeout: Duration,
        clock: any Clock<Duration> = ContinuousClock()
    ) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait(after: count, of: entities) }
            group.addTask { try? await clock.sleep(for: timeout) }
            await group.next()
            group.cancelAll()
        }
    }

    private func wait(after count: UInt64, of entities: Entities) async {
        let waiter = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    let isThere = state.latest(of: entities) > count
                    if isThere || state.cancelled.remove(waiter) != nil { return true }
                    state.waiters[waiter] = Waiter(
                        entities: entities, count: count, continuation: continuation)
                    state.awaited.formUnion(entities)
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
