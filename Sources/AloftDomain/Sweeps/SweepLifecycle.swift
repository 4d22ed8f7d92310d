/// The life of a sweep. `docs/lifecycles/sweep.md` has the picture.
package struct SweepLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// Trials are made and watched. Entered on creation; left by `stopRequested`, `gaveUp` or
        /// `settled`.
        case running
        /// No more trials are made; those under way are ended. Left by `settled`.
        case closing(Closing)
        /// For good. `best` is the number of the best trial, where one has a value.
        case ended(SweepOutcome, best: Int?)
    }

    package enum Closing: Sendable, Equatable {
        case stopped
        case failed(reason: String)
    }

    package enum Event: Sendable, Equatable {
        case stopRequested
        /// The sweep cannot succeed any more.
        case gaveUp(reason: String)
        /// Every trial has ended and no more is to come. A fault is what kept the best trial's model
        /// from being registered.
        case settled(best: Int?, fault: String?)
    }

    package enum Effect: Sendable, Equatable {
        /// Cancel every trial that has not ended.
        case cancelTrials
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event
    }

    package private(set) var state: State

    package init(state: State = .running) { self.state = state }

    package mutating func apply(_ event: Event) throws(Refused) -> [Effect] {
        switch (state, event) {
        case (.running, .stopRequested):
            state = .closing(.stopped)
            return [.cancelTrials]
        case (.running, .gaveUp(let reason)):
            state = .closing(.failed(reason: reason))
            return [.cancelTrials]
        case (.running, .settled(let best, .some(let fault))):
            state = .ended(.failed(reason: fault), best: best)
            return []
        case (.running, .settled(.some(let best), nil)):
            state = .ended(.succeeded, best: best)
            return []
        case (.running, .settled(nil, nil)):
            state = .ended(.failed(reason: "no trial came to a value of the objective"), best: nil)
            return []
        case (.closing(.stopped), .settled(let best, _)):
            state = .ended(.stopped, best: best)
            return []
        case (.closing(.failed(let reason)), .settled(let best, _)):
            state = .ended(.failed(reason: reason), best: best)
            return []
        case (.closing, .stopRequested), (.ended, .stopRequested), (.closing, .gaveUp):
            return []  // said twice, or too late
        case (.ended, .gaveUp), (.ended, .settled):
            throw Refused(state: state, event: event)
        }
    }
}

package enum SweepOutcome: Sendable, Equatable {
    case succeeded
    case failed(reason: String)
    /// By a person.
    case stopped
}
