import AloftDomain
import Foundation
import GRDB

/// How sweeps and trials are written in their columns.
enum SweepText {
    static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    static func sweep(_ row: Row) throws -> SweepRecord {
        let snapshot: String? = row["snapshot"]
        var registered: RegisteredVersion?
        if let model: String = row["registeredModel"],
            let version: Int64 = row["registeredVersion"]
        {
            registered = RegisteredVersion(model: model, version: version)
        }
        return SweepRecord(
            id: SweepID(row["id"]), project: ProjectID(row["project"]),
            definition: try decode(JobDefinition.self, row["definition"]),
            fileRevision: row["fileRevision"],
            snapshot: snapshot.flatMap { ContentDigest(hex: $0) },
            lifecycle: SweepLifecycle(state: try sweepState(row)), searcher: row["searcher"],
            stopping: row["stopping"], isExhausted: row["isExhausted"], registered: registered,
            createdAt: row["createdAt"], createdBy: row["createdBy"], endedAt: row["endedAt"],
            revision: row["revision"])
    }

    static func trial(_ row: Row) throws -> TrialRecord {
        TrialRecord(
            sweep: SweepID(row["sweep"]), number: row["number"],
            point: try decode([ParameterValue].self, row["point"]), run: RunID(row["run"]),
            job: JobID(row["job"]), lifecycle: TrialLifecycle(state: try trialState(row)),
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

    /// A column holds what this program never writes.
    struct Unreadable: Error { let column: String }

    private static func sweepState(_ row: Row) throws -> SweepLifecycle.State {
        let reason: String = row["reason"] ?? ""
        switch (row["state"] as String, row["outcome"] as String?) {
        case ("running", nil): return .running
        case ("closing", "stopped"): return .closing(.stopped)
        case ("closing", "failed"): return .closing(.failed(reason: reason))
        case ("ended", "succeeded"): return .ended(.succeeded, best: row["best"])
        case ("ended", "stopped"): return .ended(.stopped, best: row["best"])
        case ("ended", "failed"): return .ended(.failed(reason: reason), best: row["best"])
        default: throw Unreadable(column: "sweep.state")
        }
    }

    private static func trialState(_ row: Row) throws -> TrialLifecycle.State {
        let last = TrialObjective(value: row["objective"] ?? 0, step: row["step"] ?? 0)
        switch (row["state"] as String, row["outcome"] as String?) {
        case ("running", nil): return .running
        case ("stopping", nil): return .stopping(rung: row["rung"])
        case ("cancelling", nil): return .cancelling
        case ("ended", "succeeded"): return .ended(.succeeded(last))
        case ("ended", "stoppedEarly"): return .ended(.stoppedEarly(last, rung: row["rung"] ?? 0))
        case ("ended", "failed"): return .ended(.failed(reason: row["reason"] ?? ""))
        case ("ended", "cancelled"): return .ended(.cancelled)
        default: throw Unreadable(column: "trial.state")
        }
    }
}
