package import AloftDomain
package import Foundation
import Synchronization

/// Time that stands still until a test advances it. Sleepers wake in the order of their deadlines.
package final class ManualTime: Sendable {
    private struct Sleeper {
        let deadline: Duration
        let continuation: CheckedContinuation<Void, any Error>
    }

    private struct State {
        var elapsed = Duration.zero
        var sleepers: [UInt64: Sleeper] = [:]
        var nextSleeper: UInt64 = 0
        var cancelled: Set<UInt64> = []
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let start: Date
    private let state = Mutex(State())

    package init(start: Date = Date(timeIntervalSince1970: 1_700_000_000)) { self.start = start }

    /// What code under test is given.
    package var source: TimeSource {
        TimeSource(clock: ManualClock(time: self)) { [self] in now }
    }

    package var now: Date {
        start.addingTimeInterval(state.withLock { $0.elapsed.seconds })
    }

    /// Moves time on and wakes whoever's deadline has come.
    package func advance(by step: Duration) {
        let due = state.withLock { state -> [Sleeper] in
            state.elapsed += step
            let due = state.sleepers.filter { $0.value.deadline <= state.elapsed }
            for key in due.keys { state.sleepers[key] = nil }
            return due.values.sorted { $0.deadline < $1.deadline }
        }
        for sleeper in due { sleeper.continuation.resume() }
    }

    /// Returns once at least `count` tasks sleep on this time.
    package func waitForSleepers(_ count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.sleepers.count >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    fileprivate var elapsed: Duration { state.withLock { $0.elapsed } }

    fileprivate func sleep(until deadline: Duration) async throws {
        let key = state.withLock { state in
            state.nextSleeper += 1
            return state.nextSleeper
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let outcome = state.withLock {
                    state -> (Result<Void, any Error>?, [CheckedContinuation<Void, Never>]) in
                    if state.cancelled.remove(key) != nil {
                        return (.failure(CancellationError()), [])
                    }
                    if deadline <= state.elapsed { return (.success(()), []) }
                    state.sleepers[key] = Sleeper(deadline: deadline, continuation: continuation)
                    let count = state.sleepers.count
                    let ready = state.watchers.filter { $0.count <= count }.map(\.continuation)
                    state.watchers.removeAll { $0.count <= count }
                    return (nil, ready)
                }
                for watcher in outcome.1 { watcher.resume() }
                if let result = outcome.0 { continuation.resume(with: result) }
            }
        } onCancel: {
            let sleeper = state.withLock { state -> Sleeper? in
                if let sleeper = state.sleepers.removeValue(forKey: key) { return sleeper }
                state.cancelled.insert(key)
                return nil
            }
            sleeper?.continuation.resume(throwing: CancellationError())
        }
    }
}

/// The clock of a `ManualTime`.
package struct ManualClock: Clock {
    package struct Instant: InstantProtocol {
        package var offset: Swift.Duration
        package func advanced(by duration: Swift.Duration) -> Instant {
            Instant(offset: offset + duration)
        }
        package func duration(to other: Instant) -> Swift.Duration { other.offset - offset }
        package static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    fileprivate let time: ManualTime

    package var now: Instant { Instant(offset: time.elapsed) }
    package var minimumResolution: Swift.Duration { .zero }

    package func sleep(until deadline: Instant, tolerance: Swift.Duration?) async throws {
        try await time.sleep(until: deadline.offset)
    }
}
