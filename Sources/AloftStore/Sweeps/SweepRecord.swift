package import AloftDomain

/// A sweep as stored. `searcher` and `stopping` are the saved states of its search method and its
/// stopping rule, which the sweep's controller alone can read.
package struct SweepRecord: Sendable, Equatable {
    package var id: SweepID
    package var project: ProjectID
    /// The job with its sweep as they stood in the project file when the sweep began.
    package var definition: JobDefinition
    /// The project file's revision then.
    package var fileRevision: Int
    package var snapshot: ContentDigest?
    package var lifecycle: SweepLifecycle
    package var searcher: String
    package var stopping: String?
    /// The search has nothing more to suggest.
    package var isExhausted: Bool
    package var registered: RegisteredVersion?
    package var createdAt: String
    package var createdBy: String
    package var endedAt: String?
    /// Rises with each change.
    package var revision: Int

    package var state: SweepLifecycle.State { lifecycle.state }
}

/// The version that a sweep registered.
package struct RegisteredVersion: Sendable, Equatable {
    package var model: String
    package var version: Int64

    package init(model: String, version: Int64) {
        self.model = model
        self.version = version
    }
}

/// A sweep to create.
package struct NewSweep: Sendable {
    package var id: SweepID
    package var project: ProjectID
    package var definition: JobDefinition
    package var fileRevision: Int
    package var snapshot: ContentDigest?
    package var searcher: String
    package var stopping: String?

    package init(
        id: SweepID, project: ProjectID, definition: JobDefinition, fileRevision: Int,
        snapshot: ContentDigest?, searcher: String, stopping: String?
    ) {
        self.id = id
        self.project = project
        self.definition = definition
        self.fileRevision = fileRevision
        self.snapshot = snapshot
        self.searcher = searcher
        self.stopping = stopping
    }
}

/// A trial as stored.
package struct TrialRecord: Sendable, Equatable {
    package var sweep: SweepID
    /// 1, 2, … in the order in which they were suggested.
    package var number: Int
    /// What the search chose, by the order of the space.
    package var point: [ParameterValue]
    package var run: RunID
    package var job: JobID
    package var lifecycle: TrialLifecycle
    package var createdAt: String
    package var endedAt: String?

    package init(
        sweep: SweepID, number: Int, point: [ParameterValue], run: RunID, job: JobID,
        lifecycle: TrialLifecycle = TrialLifecycle(), createdAt: String, endedAt: String? = nil
    ) {
        self.sweep = sweep
        self.number = number
        self.point = point
        self.run = run
        self.job = job
        self.lifecycle = lifecycle
        self.createdAt = createdAt
        self.endedAt = endedAt
    }

    package var state: TrialLifecycle.State { lifecycle.state }

    package var outcome: TrialOutcome? {
        if case .ended(let outcome) = lifecycle.state { outcome } else { nil }
    }
}

package enum SweepError: Refusal, Equatable {
    case notFound(String)
    /// The job has no `sweep:` section.
    case noSweep(job: String)
    /// The project file and this sweep do not fit.
    case invalid(reason: String)

    package var code: String {
        switch self {
        case .notFound: "sweep_not_found"
        case .noSweep: "job_has_no_sweep"
        case .invalid: "sweep_invalid"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound: .notFound
        case .noSweep, .invalid: .invalid
        }
    }

    package var message: String {
        switch self {
        case .notFound(let id): "there is no sweep \(id); `aloft sweep list` shows them"
        case .noSweep(let job):
            "the job \(job) has no `sweep` section in the project file; `aloft run \(job)` runs it "
                + "once"
        case .invalid(let reason): reason
        }
    }
}
