import AloftControl
import AloftDomain
import AloftStore
import AloftWire
import Foundation

extension JobView {
    init(_ job: JobRecord) {
        let outcome = job.outcome.map(Self.outcome)
        self.init(
            id: job.id, project: job.spec.project, name: job.spec.name,
            state: job.state.name.rawValue, outcome: outcome?.name, failure: outcome?.failure,
            stopReason: job.stopReason, attempt: job.state.attempt,
            parameters: job.spec.parameters, run: job.spec.run, experiment: job.spec.experiment,
            group: job.spec.group?.name, priority: job.spec.priority,
            cpus: job.spec.resources.cpus, memoryBytes: job.spec.resources.memoryBytes,
            gpus: job.spec.resources.gpus, createdAt: job.createdAt.stamp,
            createdBy: job.createdBy, startedAt: job.startedAt?.stamp, endedAt: job.endedAt?.stamp)
    }

    /// With where it stands in the queue.
    init(_ job: JobRecord, _ place: JobQueuePositions.Place?) {
        self.init(job)
        guard let place else { return }
        self.place = place.number
        waiting = place.of
        waitCode = place.code
        waitsFor = place.explanation
    }

    private static func outcome(_ outcome: JobOutcome) -> (name: String, failure: Failure?) {
        switch outcome {
        case .succeeded: ("succeeded", nil)
        case .stopped: ("stopped", nil)
        case .failed(let failure):
            ("failed", Failure(code: failure.code, message: failure.message))
        }
    }
}

extension AttemptView {
    init(_ attempt: AttemptRecord) {
        self.init(
            number: attempt.id.number, gpuSlots: attempt.gpuSlots,
            environment: attempt.environment, claimedAt: attempt.claimedAt.stamp,
            startedAt: attempt.startedAt?.stamp, endedAt: attempt.endedAt?.stamp,
            peakMemoryBytes: attempt.usage?.peakMemoryBytes,
            cpuSeconds: attempt.usage?.cpuSeconds)
    }
}
