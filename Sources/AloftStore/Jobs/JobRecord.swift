package import AloftDomain
package import Foundation

/// A job as stored.
package struct JobRecord: Sendable, Equatable {
    package var id: JobID
    package var spec: JobSpec
    package var lifecycle: JobLifecycle
    /// Why it was asked to stop.
    package var stopReason: String?
    package var createdAt: Date
    package var createdBy: String
    /// When the command of the first attempt began.
    package var startedAt: Date?
    package var endedAt: Date?
    package var revision: Int

    package var state: JobLifecycle.State { lifecycle.state }
    package var outcome: JobOutcome? { lifecycle.state.outcome }
    package var attempt: AttemptID { AttemptID(job: id, number: state.attempt) }
}

/// One attempt as stored.
package struct AttemptRecord: Sendable, Equatable {
    package var id: AttemptID
    /// The slots of the pool's GPUs that the attempt holds.
    package var gpuSlots: [String]
    /// The digest of its Python environment.
    package var environment: ContentDigest?
    package var claimedAt: Date
    package var startedAt: Date?
    package var endedAt: Date?
    package var howEnded: AttemptEnd?
    package var usage: AttemptUsage?
}

/// What an attempt used, from its begin to its end.
package struct AttemptUsage: Sendable, Equatable {
    package var peakMemoryBytes: Int64
    package var cpuSeconds: Double

    package init(peakMemoryBytes: Int64, cpuSeconds: Double) {
        self.peakMemoryBytes = peakMemoryBytes
        self.cpuSeconds = cpuSeconds
    }
}
