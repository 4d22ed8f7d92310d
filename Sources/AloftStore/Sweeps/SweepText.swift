import AloftDomain
import Foundation

/// How sweeps and trials are written in their columns.
enum SweepText {
    static func sweep(_ row: RowReader) throws -> SweepRecord {
        var registered: RegisteredVersion?
        if let model: String = try row["registeredModel"],
            let version: Int64 = try row["registeredVersion"]
        {
            registered = RegisteredVersion(model: model, version: version)
        }
        return try SweepRecord(
            id: SweepID(row["id"]), project: ProjectID(row["project"]),
            definition: row.json("definition"),
            fileRevision: row["fileRevision"],
            snapshot: row.optionalDigest("snapshot"),
            lifecycle: SweepLifecycle(state: sweepState(row)), searcher: row["searcher"],
            stopping: row["stopping"], isExhausted: row["isExhausted"], registered: registered,
            createdAt: row["createdAt"], createdBy: row["createdBy"], endedAt: row["endedAt"],
            revision: row["revision"])
    }

    static func trial(_ row: RowReader) throws -> TrialRecord {
        try TrialRecord(
            sweep: SweepID(row["sweep"]), number: row["number"],
            point: row.json("point"), run: RunID(row["run"]),
            job: JobID(row["job"]), lifecycle: TrialLifecycle(state: trialState(row)),
            createdAt: row["createdAt"], endedAt: row["endedAt"])
    }

    struct SweepColumns {
        var name: String
        var outcome: String?
        var reason: String?
        var best: Int?
    }

    static func columns(_ state: SweepLifecycle.State) -> SweepColumns {
        switch state {
        case .running: SweepColumns(name: "running")
        case .closing(.stopped): SweepColumns(name: "closing", outcome: "stopped")
        case .closing(.failed(let reason)):
            SweepColumns(name: "closing", outcome: "failed", reason: reason)
        case .ended(.succeeded, let best):
            SweepColumns(name: "ended", outcome: "succeeded", best: best)
        case .ended(.stopped, let best): SweepColumns(name: "ended", outcome: "stopped", best: best)
        case .ended(.failed(let reason), let best):
            SweepColumns(name: "ended", outcome: "failed", reason: reason, best: best)
        }
    }

    struct TrialColumns {
        var name: String
        var outcome: String?
        var rung: Int?
        var objective: TrialObjective?
        var reason: String?
    }

    static func columns(_ state: TrialLifecycle.State) -> TrialColumns {
        switch state {
        case .running: TrialColumns(name: "running")
        case .stopping(let rung): TrialColumns(name: "stopping", rung: rung)
        case .cancelling: TrialColumns(name: "cancelling")
        case .ended(.succeeded(let last)):
            TrialColumns(name: "ended", outcome: "succeeded", objective: last)
        case .ended(.stoppedEarly(let last, let rung)):
            TrialColumns(name: "ended", outcome: "stoppedEarly", rung: rung, objective: last)
        case .ended(.failed(let reason)):
            TrialColumns(name: "ended", outcome: "failed", reason: reason)
        case .ended(.cancelled): TrialColumns(name: "ended", outcome: "cancelled")
        }
    }

    private static func sweepState(_ row: RowReader) throws -> SweepLifecycle.State {
        let reason: String = try row["reason"] ?? ""
        switch (try row["state"] as String, try row["outcome"] as String?) {
        case ("running", nil): return .running
        case ("closing", "stopped"): return .closing(.stopped)
        case ("closing", "failed"): return .closing(.failed(reason: reason))
        case ("ended", "succeeded"): return .ended(.succeeded, best: try row["best"])
        case ("ended", "stopped"): return .ended(.stopped, best: try row["best"])
        case ("ended", "failed"): return .ended(.failed(reason: reason), best: try row["best"])
        default: throw row.unreadable("state")
        }
    }

    private static func trialState(_ row: RowReader) throws -> TrialLifecycle.State {
        switch (try row["state"] as String, try row["outcome"] as String?) {
        case ("running", nil): return .running
        case ("stopping", nil): return .stopping(rung: try row["rung"])
        case ("cancelling", nil): return .cancelling
        case ("ended", "succeeded"): return .ended(.succeeded(try last(row)))
        case ("ended", "stoppedEarly"):
            return .ended(.stoppedEarly(try last(row), rung: try row["rung"]))
        case ("ended", "failed"): return .ended(.failed(reason: try row["reason"] ?? ""))
        case ("ended", "cancelled"): return .ended(.cancelled)
        default: throw row.unreadable("state")
        }
    }

    private static func last(_ row: RowReader) throws -> TrialObjective {
        TrialObjective(value: try row["objective"], step: try row["step"])
    }
}
