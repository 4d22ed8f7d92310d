package import Foundation

/// The life of a rollout: traffic moves to a revision by steps. `docs/lifecycles/rollout.md` has the
/// picture. Steps count from 0; the last, at 100 %, is the promotion itself and is never entered.
package struct RolloutLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// The step is watched. Entered on creation, by `advanced` and by `resumed`; `since` moves on
        /// by as long as it was paused, and to when all gateways had the step's weights.
        case running(step: Int, since: Date)
        /// Stands still at its share of the traffic until a person says otherwise. Still aborted by
        /// what it shows.
        case paused(step: Int, since: Date, pausedAt: Date)
        /// For good: the revision is live.
        case promoted(step: Int)
        /// For good: traffic went back to the revision before.
        case aborted(step: Int, reason: String)
    }

    package enum Event: Sendable, Equatable {
        case advanced(at: Date)
        /// Every gateway that follows answers with the step's weights.
        case followed(at: Date)
        case promoted
        case aborted(reason: String)
        case paused(at: Date)
        case resumed(at: Date)
    }

    /// What must happen in the same transaction.
    package enum Effect: Sendable, Equatable {
        case closeStep(Int)
        case openStep(Int)
        /// The step's time begins.
        case beginStep(Int)
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event
    }

    package private(set) var state: State
    /// How many steps there are before the one at 100 %; at least 1.
    package let stepCount: Int

    package init(stepCount: Int, state: State) {
        self.stepCount = stepCount
        self.state = state
    }

    package mutating func apply(_ event: Event) throws(Refused) -> [Effect] {
        switch (state, event) {
        case (.running(let step, _), .advanced(let now)) where step + 1 < stepCount:
            state = .running(step: step + 1, since: now)
            return [.closeStep(step), .openStep(step + 1)]
        case (.running(let step, _), .promoted), (.paused(let step, _, _), .promoted):
            state = .promoted(step: step)
            return [.closeStep(step)]
        case (.running(let step, _), .aborted(let reason)),
            (.paused(let step, _, _), .aborted(let reason)):
            state = .aborted(step: step, reason: reason)
            return [.closeStep(step)]
        case (.running(let step, let since), .paused(let now)):
            state = .paused(step: step, since: since, pausedAt: now)
            return []
        case (.paused(let step, let since, let pausedAt), .resumed(let now)):
            let still = max(0, now.timeIntervalSince(pausedAt))
            state = .running(step: step, since: since.addingTimeInterval(still))
            return []
        case (.running(let step, _), .followed(let now)):
            state = .running(step: step, since: now)
            return [.beginStep(step)]
        case (.paused(let step, _, _), .followed(let now)):
            state = .paused(step: step, since: now, pausedAt: now)
            return [.beginStep(step)]
        case (.paused, .paused), (.running, .resumed):
            return []  // said twice
        case (.running, .advanced), (.paused, .advanced),
            (.promoted, .followed), (.aborted, .followed),
            (.promoted, .advanced), (.promoted, .promoted), (.promoted, .aborted),
            (.promoted, .paused), (.promoted, .resumed),
            (.aborted, .advanced), (.aborted, .promoted), (.aborted, .aborted),
            (.aborted, .paused), (.aborted, .resumed):
            throw Refused(state: state, event: event)
        }
    }
}

extension RolloutLifecycle.State {
    /// As stored and shown.
    package enum Name: String, Sendable, CaseIterable { case running, paused, promoted, aborted }

    package var name: Name {
        switch self {
        case .running: .running
        case .paused: .paused
        case .promoted: .promoted
        case .aborted: .aborted
        }
    }

    /// The step under way, or the last one.
    package var step: Int {
        switch self {
        case .running(let step, _), .paused(let step, _, _), .promoted(let step),
            .aborted(let step, _):
            step
        }
    }

    package var isOver: Bool {
        switch self {
        case .running, .paused: false
        case .promoted, .aborted: true
        }
    }
}
