package import AloftDomain

/// A sweep as people and programs see it.
package struct SweepView: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case running
        /// No more trials are made; those under way are ended.
        case closing
        case succeeded, failed, stopped

        package var isEnded: Bool {
            switch self {
            case .running, .closing: false
            case .succeeded, .failed, .stopped: true
            }
        }
    }

    package struct Registered: Codable, Sendable, Equatable {
        package var model: String
        package var version: Int64

        package init(model: String, version: Int64) {
            self.model = model
            self.version = version
        }
    }

    package var id: SweepID
    package var project: ProjectID
    package var job: String
    package var state: State
    /// Why it failed, or is about to.
    package var reason: String?
    /// `maximize val_auc`.
    package var objective: String
    package var method: String
    /// How many trials there will be, at most.
    package var trialLimit: Int
    package var parallel: Int
    /// The number of the best trial so far that ran to its end.
    package var best: Int?
    package var registered: Registered?
    package var createdAt: String
    package var createdBy: String
    package var endedAt: String?
    /// In order. Absent in lists.
    package var trials: [TrialView]?

    package init(
        id: SweepID, project: ProjectID, job: String, state: State, reason: String?,
        objective: String, method: String, trialLimit: Int, parallel: Int, best: Int?,
        registered: Registered?, createdAt: String, createdBy: String, endedAt: String?,
        trials: [TrialView]?
    ) {
        self.id = id
        self.project = project
        self.job = job
        self.state = state
        self.reason = reason
        self.objective = objective
        self.method = method
        self.trialLimit = trialLimit
        self.parallel = parallel
        self.best = best
        self.registered = registered
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.endedAt = endedAt
        self.trials = trials
    }
}

package struct TrialView: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case running, stopping, succeeded, stoppedEarly, failed, cancelled
    }

    package struct Parameter: Codable, Sendable, Equatable {
        package var name: String
        package var value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package var number: Int
    package var state: State
    /// What the search chose, in the order of the space.
    package var parameters: [Parameter]
    /// The objective's last value and its step, also while the trial runs.
    package var objective: Double?
    package var step: Int64?
    /// Where it fell behind the others.
    package var rung: Int?
    package var reason: String?
    package var run: RunID
    package var job: JobID
    package var createdAt: String
    package var endedAt: String?

    package init(
        number: Int, state: State, parameters: [Parameter], objective: Double?, step: Int64?,
        rung: Int?, reason: String?, run: RunID, job: JobID, createdAt: String, endedAt: String?
    ) {
        self.number = number
        self.state = state
        self.parameters = parameters
        self.objective = objective
        self.step = step
        self.rung = rung
        self.reason = reason
        self.run = run
        self.job = job
        self.createdAt = createdAt
        self.endedAt = endedAt
    }
}
