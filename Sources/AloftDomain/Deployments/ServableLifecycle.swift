/// The life of a model version's servable form: the conversion that every registered version gets.
/// `docs/lifecycles/servable.md` has the picture.
package struct ServableLifecycle: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// The version was seen, no conversion was asked for yet. Left by `jobCreated`, `uploaded` or
        /// `foundNoModel`.
        case pending
        /// A job converts it. Entered by `jobCreated`, left by `uploaded` or `jobFailed`.
        case converting(JobID)
        /// It can be served. Entered by `uploaded`; a later `uploaded` replaces it, revisions made
        /// before keep what they were made from.
        case ready(Servable)
        /// The conversion failed. Entered by `jobFailed` or `foundNoModel`, left by `retried` or `uploaded`.
        case failed(ConversionFailure)
    }

    package enum Event: Sendable, Equatable {
        case jobCreated(JobID)
        case uploaded(Servable)
        /// The job ended without an upload.
        case jobFailed(JobID, ConversionFailure)
        /// There is nothing to convert, so no job was started.
        case foundNoModel(ConversionFailure)
        case retried
    }

    /// What must happen in the same transaction.
    package enum Effect: Sendable, Equatable {
        /// Revisions that wait for this servable may go on.
        case wakeDeployments
    }

    /// The event cannot happen in this state; nothing changed.
    package struct Refused: Error, Equatable {
        package let state: State
        package let event: Event
    }

    package private(set) var state: State

    package init(state: State = .pending) { self.state = state }

    package mutating func apply(_ event: Event) throws(Refused) -> [Effect] {
        switch (state, event) {
        case (.pending, .jobCreated(let job)):
            state = .converting(job)
            return []
        case (.pending, .uploaded(let servable)), (.converting, .uploaded(let servable)),
            (.failed, .uploaded(let servable)):
            state = .ready(servable)
            return [.wakeDeployments]
        case (.ready(let current), .uploaded(let servable)):
            guard servable != current else { return [] }
            state = .ready(servable)
            return []
        case (.converting(let current), .jobFailed(let job, let failure)):
            guard job == current else { return [] }  // late news of a job that was replaced
            state = .failed(failure)
            return [.wakeDeployments]
        case (.pending, .foundNoModel(let failure)):
            state = .failed(failure)
            return [.wakeDeployments]
        case (.failed, .retried):
            state = .pending
            return []
        case (.converting, .foundNoModel), (.ready, .foundNoModel), (.failed, .foundNoModel),
            (.pending, .jobFailed), (.ready, .jobFailed), (.failed, .jobFailed),
            (.pending, .retried), (.converting, .retried):
            return []  // late, or said twice
        case (.converting, .jobCreated), (.ready, .jobCreated), (.failed, .jobCreated),
            (.ready, .retried):
            throw Refused(state: state, event: event)
        }
    }
}

/// Why a version has no servable form.
package struct ConversionFailure: Sendable, Hashable, Codable {
    /// In a person's words.
    package var reason: String
    /// The last lines that the conversion wrote.
    package var lastLines: String

    package init(reason: String, lastLines: String = "") {
        self.reason = reason
        self.lastLines = lastLines
    }
}

extension ServableLifecycle.State {
    /// As stored and shown.
    package enum Name: String, Sendable, CaseIterable { case pending, converting, ready, failed }

    package var name: Name {
        switch self {
        case .pending: .pending
        case .converting: .converting
        case .ready: .ready
        case .failed: .failed
        }
    }
}
