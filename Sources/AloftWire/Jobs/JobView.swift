// text-file: names of params, which are ASCII
package import AloftDomain

/// A job as lists show it.
package struct JobView: Codable, Sendable, Equatable {
    package var id: JobID
    package var project: ProjectID
    package var name: String
    /// `queued`, `starting`, `running`, `stopping` or `ended`.
    package var state: String
    /// `succeeded`, `failed` or `stopped`, once it has ended.
    package var outcome: String?
    package var failure: Failure?
    /// Why it was asked to stop.
    package var stopReason: String?
    package var attempt: Int
    package var parameters: [String: String]
    package var run: RunID?
    package var experiment: ExperimentID?
    /// The sweep that it belongs to, or another group.
    package var group: String?
    package var priority: Int
    package var cpus: Double
    package var memoryBytes: Int64?
    package var gpus: Int
    package var createdAt: String
    package var createdBy: String
    package var startedAt: String?
    package var endedAt: String?
    /// Of one that waits: its place in line, from 1, and of how many; absent once it is about to begin.
    package var place: Int?
    package var waiting: Int?
    /// Why it waits: `cpus`, `memory`, `gpus`, `group` or `turn`, and the same in words.
    package var waitCode: String?
    package var waitsFor: String?
    /// How its newest attempt is held back from what is not its own: `namespaces`, `landlock` or
    /// `none`. Told of one job, once its attempt has begun.
    package var isolation: String?

    package struct Failure: Codable, Sendable, Equatable {
        /// Stable: `exited`, `out_of_memory`, `timed_out`, …
        package var code: String
        package var message: String
        /// The line of its log that says most of why, where the command itself ended badly.
        package var lastLine: String?

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package init(
        id: JobID, project: ProjectID, name: String, state: String, outcome: String?,
        failure: Failure?, stopReason: String?, attempt: Int, parameters: [String: String],
        run: RunID?, experiment: ExperimentID?, group: String?, priority: Int, cpus: Double,
        memoryBytes: Int64?, gpus: Int, createdAt: String, createdBy: String, startedAt: String?,
        endedAt: String?
    ) {
        self.id = id
        self.project = project
        self.name = name
        self.state = state
        self.outcome = outcome
        self.failure = failure
        self.stopReason = stopReason
        self.attempt = attempt
        self.parameters = parameters
        self.run = run
        self.experiment = experiment
        self.group = group
        self.priority = priority
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.gpus = gpus
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.startedAt = startedAt
        self.endedAt = endedAt
    }
}

/// One attempt of a job.
package struct AttemptView: Codable, Sendable, Equatable {
    package var number: Int
    package var gpuSlots: [String]
    package var environment: ContentDigest?
    package var claimedAt: String
    package var startedAt: String?
    package var endedAt: String?
    package var peakMemoryBytes: Int64?
    package var cpuSeconds: Double?

    package init(
        number: Int, gpuSlots: [String], environment: ContentDigest?, claimedAt: String,
        startedAt: String?, endedAt: String?, peakMemoryBytes: Int64?, cpuSeconds: Double?
    ) {
        self.number = number
        self.gpuSlots = gpuSlots
        self.environment = environment
        self.claimedAt = claimedAt
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.peakMemoryBytes = peakMemoryBytes
        self.cpuSeconds = cpuSeconds
    }
}
