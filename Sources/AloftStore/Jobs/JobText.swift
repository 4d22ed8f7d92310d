import AloftDomain
import Foundation
import GRDB

/// How jobs are written in their columns.
enum JobText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    static func outcome(_ outcome: JobOutcome) -> (name: String, failure: JobFailure?) {
        switch outcome {
        case .succeeded: ("succeeded", nil)
        case .failed(let failure): ("failed", failure)
        case .stopped: ("stopped", nil)
        }
    }

    static func job(_ row: Row) throws -> JobRecord {
        let spec = try decode(JobSpec.self, row["spec"])
        return JobRecord(
            id: JobID(row["id"]), spec: spec,
            lifecycle: JobLifecycle(maxAttempts: spec.maxAttempts, state: try state(row)),
            stopReason: row["stopReason"], createdAt: try date(row, "createdAt"),
            createdBy: row["createdBy"], startedAt: try optionalDate(row, "startedAt"),
            endedAt: try optionalDate(row, "endedAt"), revision: row["revision"])
    }

    static func attempt(_ row: Row) throws -> AttemptRecord {
        var usage: AttemptUsage?
        if let peak: Int64 = row["peakMemoryBytes"], let seconds: Double = row["cpuSeconds"] {
            usage = AttemptUsage(peakMemoryBytes: peak, cpuSeconds: seconds)
        }
        let environment: String? = row["environment"]
        let howEnded: String? = row["howEnded"]
        return AttemptRecord(
            id: AttemptID(job: JobID(row["job"]), number: row["number"]),
            gpuSlots: try decode([String].self, row["gpuSlots"]),
            environment: environment.flatMap { ContentDigest(hex: $0) },
            claimedAt: try date(row, "claimedAt"), startedAt: try optionalDate(row, "startedAt"),
            endedAt: try optionalDate(row, "endedAt"),
            howEnded: try howEnded.map { try decode(AttemptEnd.self, $0) }, usage: usage)
    }

    private static func state(_ row: Row) throws -> JobLifecycle.State {
        let attempt: Int = row["attempt"]
        switch JobLifecycle.State.Name(rawValue: row["state"]) {
        case .queued: return .queued(attempt: attempt)
        case .starting:
            return .starting(attempt: attempt, leaseUntil: try date(row, "leaseUntil"))
        case .running: return .running(attempt: attempt, leaseUntil: try date(row, "leaseUntil"))
        case .stopping: return .stopping(attempt: attempt, leaseUntil: try date(row, "leaseUntil"))
        case .ended: return .ended(attempt: attempt, try outcome(row))
        case nil: throw Unreadable(column: "state")
        }
    }

    private static func outcome(_ row: Row) throws -> JobOutcome {
        let failure: String? = row["failure"]
        switch (row["outcome"] as String?, failure) {
        case ("succeeded", _): return .succeeded
        case ("stopped", _): return .stopped
        case ("failed", .some(let failure)):
            return .failed(try decode(JobFailure.self, failure))
        default: throw Unreadable(column: "outcome")
        }
    }

    private static func date(_ row: Row, _ column: String) throws -> Date {
        guard let date = try optionalDate(row, column) else { throw Unreadable(column: column) }
        return date
    }

    private static func optionalDate(_ row: Row, _ column: String) throws -> Date? {
        guard let stamp: String = row[column] else { return nil }
        guard let date = Date(stamp: stamp) else { throw Unreadable(column: column) }
        return date
    }

    /// A column holds what this program never writes.
    struct Unreadable: Error { let column: String }
}
