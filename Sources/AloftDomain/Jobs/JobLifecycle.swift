package import Foundation

/// The life of a job. Each attempt is owned by an executor until `leaseUntil`; whoever sees the
/// attempt alive moves that on. `docs/lifecycles/job.md` has the picture.
package struct JobLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// Waiting for a place. Entered on creation and when an attempt is lost, left by `claimed`,
        /// `stopRequested` or `impossible`.
        case queued(attempt: Int)
        /// Has its place; code and Python environment are made ready. Entered by `claimed`, left by
        /// `started`, `stopRequested`, `ended` or `lost`.
        case starting(attempt: Int, leaseUntil: Date)
        /// The command runs. Entered by `started`, left by `stopRequested`, `ended` or `lost`.
        case running(attempt: Int, leaseUntil: Date)
        /// Was asked to end and has not yet. Entered by `stopRequested`, left by `ended` or `lost`.
        case stopping(attempt: Int, leaseUntil: Date)
        /// For good.
        case ended(attempt: Int, JobOutcome)
    }

    package enum Event: Sendable, Equatable {
        /// The scheduler gave it a place.
        case claimed(leaseUntil: Date)
        /// The command of this attempt runs.
        case started(attempt: Int, leaseUntil: Date)
        /// The attempt was seen alive.
        case seen(attempt: Int, leaseUntil: Date)
        case stopRequested
        case ended(attempt: Int, AttemptEnd)
        /// Nobody knows how the attempt ended: its keeper is gone, or its lease ran out.
        case lost(attempt: Int, reason: String)
        /// No pool will ever have the room.
        case impossible(reason: String)
    }

    /// What must happen in the same transaction.
    package enum Effect: Sendable, Equatable {
        /// A new attempt begins.
        case openAttempt(Int)
        case closeAttempt(Int, AttemptEnd)
        /// The job's run is under way.
        case startRun
        case endRun(JobOutcome)
        /// The job's token ends with it.
        case endToken
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event

        package init(state: State, event: Event) {
            self.state = state
            self.event = event
        }
    }

    package private(set) var state: State
    package let maxAttempts: Int

    package init(maxAttempts: Int, state: State = .queued(attempt: 1)) {
        self.maxAttempts = maxAttempts
        self.state = state
    }

    package mutating func apply(_ event: Event) throws(Refused) -> [Effect] {
        switch (state, event) {
        case (.queued(let attempt), .claimed(let leaseUntil)):
            state = .starting(attempt: attempt, leaseUntil: leaseUntil)
            return [.openAttempt(attempt)]
        case (.queued(let attempt), .stopRequested):
            return end(attempt, .stopped)
        case (.queued(let attempt), .impossible(let reason)):
            return end(attempt, .failed(.notStarted(reason: reason)))

        case (.starting(let current, _), .started(let attempt, let leaseUntil))
        where attempt == current:
            state = .running(attempt: attempt, leaseUntil: leaseUntil)
            return [.startRun]
        case (.starting(let current, _), .seen(let attempt, let leaseUntil))
        where attempt == current:
            state = .starting(attempt: attempt, leaseUntil: leaseUntil)
            return []
        case (.running(let current, _), .seen(let attempt, let leaseUntil)),
            (.running(let current, _), .started(let attempt, let leaseUntil)):
            if attempt == current { state = .running(attempt: attempt, leaseUntil: leaseUntil) }
            return []
        case (.stopping(let current, _), .seen(let attempt, let leaseUntil)),
            (.stopping(let current, _), .started(let attempt, let leaseUntil)):
            if attempt == current { state = .stopping(attempt: attempt, leaseUntil: leaseUntil) }
            return []

        case (.starting(let attempt, let leaseUntil), .stopRequested),
            (.running(let attempt, let leaseUntil), .stopRequested):
            state = .stopping(attempt: attempt, leaseUntil: leaseUntil)
            return []

        case (.starting(let current, _), .ended(let attempt, let how)) where attempt == current:
            return close(attempt, how, isStopping: false)
        case (.running(let current, _), .ended(let attempt, let how)) where attempt == current:
            return close(attempt, how, isStopping: false)
        case (.stopping(let current, _), .ended(let attempt, let how)) where attempt == current:
            return close(attempt, how, isStopping: true)

        case (.starting(let current, _), .lost(let attempt, let reason)) where attempt == current:
            return close(attempt, .interrupted(reason: reason), isStopping: false)
        case (.running(let current, _), .lost(let attempt, let reason)) where attempt == current:
            return close(attempt, .interrupted(reason: reason), isStopping: false)
        case (.stopping(let current, _), .lost(let attempt, let reason)) where attempt == current:
            return close(attempt, .interrupted(reason: reason), isStopping: true)

        case (.stopping, .stopRequested), (.ended, .stopRequested):
            return []  // said twice, or too late
        case (.queued, .seen), (.starting, .seen), (.ended, .seen),
            (.queued, .started), (.starting, .started), (.ended, .started),
            (_, .ended), (_, .lost):
            return []  // late news of an attempt that was replaced

        case (.starting, .claimed), (.running, .claimed), (.stopping, .claimed), (.ended, .claimed),
            (.starting, .impossible), (.running, .impossible), (.stopping, .impossible),
            (.ended, .impossible):
            throw Refused(state: state, event: event)
        }
    }

    private mutating func close(
        _ attempt: Int, _ how: AttemptEnd, isStopping: Bool
    ) -> [Effect] {
        let closing = Effect.closeAttempt(attempt, how)
        switch how {
        case .exited(code: 0):
            return [closing] + end(attempt, .succeeded)
        case .exited, .failed, .stopped:
            let outcome = isStopping || how == .stopped ? .stopped : Self.outcome(of: how)
            return [closing] + end(attempt, outcome)
        case .interrupted where isStopping:
            return [closing] + end(attempt, .stopped)
        case .interrupted where attempt < maxAttempts:
            state = .queued(attempt: attempt + 1)
            return [closing]
        case .interrupted(let reason):
            return [closing] + end(attempt, .failed(.lost(reason: reason)))
        }
    }

    private static func outcome(of how: AttemptEnd) -> JobOutcome {
        switch how {
        case .exited(code: 0): .succeeded
        case .exited(let code): .failed(.exited(code: code))
        case .failed(let failure): .failed(failure)
        case .stopped: .stopped
        case .interrupted(let reason): .failed(.lost(reason: reason))
        }
    }

    private mutating func end(_ attempt: Int, _ outcome: JobOutcome) -> [Effect] {
        state = .ended(attempt: attempt, outcome)
        return [.endRun(outcome), .endToken]
    }
}

extension JobLifecycle.State {
    /// As stored and shown.
    package enum Name: String, Sendable, CaseIterable {
        case queued, starting, running, stopping, ended
    }

    package var name: Name {
        switch self {
        case .queued: .queued
        case .starting: .starting
        case .running: .running
        case .stopping: .stopping
        case .ended: .ended
        }
    }

    /// The attempt under way, to come next, or the last.
    package var attempt: Int {
        switch self {
        case .queued(let attempt), .starting(let attempt, _), .running(let attempt, _),
            .stopping(let attempt, _), .ended(let attempt, _):
            attempt
        }
    }

    package var leaseUntil: Date? {
        switch self {
        case .starting(_, let until), .running(_, let until), .stopping(_, let until): until
        case .queued, .ended: nil
        }
    }

    package var outcome: JobOutcome? {
        if case .ended(_, let outcome) = self { outcome } else { nil }
    }

    /// Whether it holds a place in a pool.
    package var isPlaced: Bool { leaseUntil != nil }
}
