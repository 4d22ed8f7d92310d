/// The life of one trial of a sweep, which is one run and its job. `docs/lifecycles/sweep.md` has the
/// picture.
package struct TrialLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// Its job waits or runs. Entered on creation; left by `fellBehind`, `cancelled` or `jobEnded`.
        case running
        /// Its job was asked to end, since it fell behind at this rung. Left by `jobEnded`.
        case stopping(rung: Int)
        /// Its job was asked to end, since the sweep ends. Left by `jobEnded`.
        case cancelling
        /// For good.
        case ended(TrialOutcome)
    }

    package enum Event: Sendable, Equatable {
        /// The stopping rule saw that others are better after as many steps.
        case fellBehind(rung: Int)
        /// The sweep needs it no more.
        case cancelled
        /// The job has ended, with the objective's last point where one was logged.
        case jobEnded(TrialJobEnd, last: TrialObjective?)
    }

    package enum Effect: Sendable, Equatable {
        /// Ask the job to end.
        case stopJob
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
        case (.running, .fellBehind(let rung)):
            state = .stopping(rung: rung)
            return [.stopJob]
        case (.running, .cancelled):
            state = .cancelling
            return [.stopJob]
        case (.stopping, .cancelled), (.cancelling, .cancelled), (.ended, .cancelled),
            (.cancelling, .fellBehind):
            return []  // it is on its way out already
        case (.running, .jobEnded(let end, let last)):
            state = .ended(Self.outcome(of: end, last))
            return []
        case (.stopping(let rung), .jobEnded(let end, let last)):
            // It may have come to its end before the request reached it.
            if end == .succeeded {
                state = .ended(Self.outcome(of: end, last))
            } else if let last, last.value.isFinite {
                state = .ended(.stoppedEarly(last, rung: rung))
            } else {
                state = .ended(.cancelled)
            }
            return []
        case (.cancelling, .jobEnded(let end, let last)):
            state = .ended(end == .succeeded ? Self.outcome(of: end, last) : .cancelled)
            return []
        case (.stopping, .fellBehind), (.ended, .fellBehind), (.ended, .jobEnded):
            throw Refused(state: state, event: event)
        }
    }

    private static func outcome(of end: TrialJobEnd, _ last: TrialObjective?) -> TrialOutcome {
        switch end {
        case .succeeded:
            guard let last else {
                return .failed(reason: "the script logged no value of the objective")
            }
            guard last.value.isFinite else {
                return .failed(reason: "the objective's last value is no finite number")
            }
            return .succeeded(last)
        case .failed(let reason): return .failed(reason: reason)
        case .stopped: return .cancelled
        }
    }
}

/// How a trial's job ended, as far as the sweep cares.
package enum TrialJobEnd: Sendable, Equatable {
    case succeeded
    case failed(reason: String)
    /// Somebody asked it to.
    case stopped
}

/// The objective's last point.
package struct TrialObjective: Sendable, Equatable {
    package var value: Double
    package var step: Int64

    package init(value: Double, step: Int64) {
        self.value = value
        self.step = step
    }
}

package enum TrialOutcome: Sendable, Equatable {
    case succeeded(TrialObjective)
    case stoppedEarly(TrialObjective, rung: Int)
    case failed(reason: String)
    /// Ended by a person, or together with its sweep.
    case cancelled
}
