import AloftDomain
import Foundation

/// How jobs are written in their columns.
enum JobText {
    static func outcome(_ outcome: JobOutcome) -> (name: String, failure: JobFailure?) {
        switch outcome {
        case .succeeded: ("succeeded", nil)
        case .failed(let failure): ("failed", failure)
        case .stopped: ("stopped", nil)
        }
    }

    static func job(_ row: RowReader) throws -> JobRecord {
        let spec: JobSpec = try row.json("spec")
        return try JobRecord(
            id: JobID(row["id"]), spec: spec,
            lifecycle: JobLifecycle(maxAttempts: spec.maxAttempts, state: state(row)),
            stopReason: row["stopReason"], createdAt: row.date("createdAt"),
            createdBy: row["createdBy"], startedAt: row.optionalDate("startedAt"),
            endedAt: row.optionalDate("endedAt"), revision: row["revision"])
    }

    static func attempt(_ row: RowReader) throws -> AttemptRecord {
        var usage: AttemptUsage?
        if let peak: Int64 = try row["peakMemoryBytes"],
            let seconds: Double = try row["cpuSeconds"]
        {
            usage = AttemptUsage(peakMemoryBytes: peak, cpuSeconds: seconds)
        }
        return try AttemptRecord(
            id: AttemptID(job: JobID(row["job"]), number: row["number"]),
            gpuSlots: row.json("gpuSlots"), environment: row.optionalDigest("environment"),
            claimedAt: row.date("claimedAt"), startedAt: row.optionalDate("startedAt"),
            endedAt: row.optionalDate("endedAt"), howEnded: row.optionalJSON("howEnded"),
            usage: usage)
    }

    private static func state(_ row: RowReader) throws -> JobLifecycle.State {
        let attempt: Int = try row["attempt"]
        switch try row.word("state", as: JobLifecycle.State.Name.self) {
        case .queued: return .queued(attempt: attempt)
        case .starting:
            return .starting(attempt: attempt, leaseUntil: try row.date("leaseUntil"))
        case .running: return .running(attempt: attempt, leaseUntil: try row.date("leaseUntil"))
        case .stopping: return .stopping(attempt: attempt, leaseUntil: try row.date("leaseUntil"))
        case .ended: return .ended(attempt: attempt, try outcome(row))
        }
    }

    private static func outcome(_ row: RowReader) throws -> JobOutcome {
        switch try row["outcome"] as String? {
        case "succeeded": return .succeeded
        case "stopped": return .stopped
        case "failed": return .failed(try row.json("failure"))
        default: throw row.unreadable("outcome")
        }
    }
}
