package import Foundation

/// The life of one delivery to a webhook. `docs/lifecycles/webhook-delivery.md` has the picture.
package struct DeliveryLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// Attempt number `attempt`, from 1, may be made from `dueAt` on. Left by `claimed`.
        case waiting(attempt: Int, dueAt: Date)
        /// The attempt is made by its owner until `leaseUntil`. Left by `accepted`, `refused`,
        /// `missed` and `leaseExpired`.
        case sending(attempt: Int, leaseUntil: Date)
        /// The receiver took it. Never left.
        case delivered(attempt: Int)
        /// The receiver does not want it, or no attempt is left. Never left.
        case failed(attempt: Int, reason: String)
    }

    package enum Event: Sendable, Equatable {
        case claimed(leaseUntil: Date)
        case accepted(attempt: Int)
        /// The receiver will never take it.
        case refused(attempt: Int, reason: String)
        /// Not this time.
        case missed(attempt: Int, retryAt: Date, reason: String)
        /// The owner is gone.
        case leaseExpired(retryAt: Date)
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event
    }

    /// With the pauses of `pause(after:)` these take about an hour and a half.
    package static let maxAttempts = 16

    package private(set) var state: State

    package init(state: State) { self.state = state }

    /// How long to wait after a missed attempt, before chance is added: 1 s, doubled each time, at
    /// most 10 minutes.
    package static func pause(after attempt: Int) -> Duration {
        .seconds(min(600, 1 << min(max(attempt - 1, 0), 10)))
    }

    package mutating func apply(_ event: Event) throws(Refused) {
        switch (state, event) {
        case (.waiting(let attempt, _), .claimed(let leaseUntil)):
            state = .sending(attempt: attempt, leaseUntil: leaseUntil)
        case (.sending(let current, _), .accepted(let attempt)) where attempt == current:
            state = .delivered(attempt: attempt)
        case (.sending(let current, _), .refused(let attempt, let reason))
        where attempt == current:
            state = .failed(attempt: attempt, reason: reason)
        case (.sending(let current, _), .missed(let attempt, let retryAt, let reason))
        where attempt == current:
            miss(attempt, retryAt: retryAt, reason: reason)
        case (.sending(let attempt, _), .leaseExpired(let retryAt)):
            miss(attempt, retryAt: retryAt, reason: "the server ended while it was sent")
        case (_, .accepted), (_, .refused), (_, .missed), (.delivered, .leaseExpired),
            (.failed, .leaseExpired):
            return  // late news of an attempt that was given up
        case (.waiting, .leaseExpired), (.sending, .claimed), (.delivered, .claimed),
            (.failed, .claimed):
            throw Refused(state: state, event: event)
        }
    }

    private mutating func miss(_ attempt: Int, retryAt: Date, reason: String) {
        state =
            attempt < Self.maxAttempts
            ? .waiting(attempt: attempt + 1, dueAt: retryAt)
            : .failed(attempt: attempt, reason: reason)
    }
}
