package import AloftDomain
package import Foundation

extension TrackingQueries {
    /// Creates a run. Its name is kept as the tag `mlflow.runName` too, as clients expect.
    ///
    /// - Throws: `TrackingError` if there is no such experiment or it is deleted.
    @discardableResult
    package static func createRun(_ db: Transaction, _ new: NewRun) throws -> RunHandle {
        let info = try createdRun(db, new).info
        return RunHandle(
            id: info.id, number: info.number, experiment: Int64(info.experiment.rawValue) ?? 0)
    }

    /// Creates a run as `createRun` and returns it as it would be read.
    package static func createdRun(_ db: Transaction, _ new: NewRun) throws -> RunRecord {
        let (number, root) = try artifactRoot(db, of: new.experiment)
        let artifacts = "\(root)/\(new.id)/artifacts"
        let runNumber = try db.insert(
            """
            INSERT INTO run (id, experiment, name, userId, status, startTime, artifactUri)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            binding: [
                .text(new.id.rawValue), .int(number), .text(new.name), .text(new.user),
                .text(new.status.rawValue), .int(new.startTime), .text(artifacts),
            ])
        let info = RunInfo(
            number: runNumber, id: new.id, experiment: ExperimentID(String(number)),
            name: new.name, user: new.user, status: new.status, startTime: new.startTime,
            endTime: nil, artifactURI: artifacts, stage: .active)
        let handle = RunHandle(id: new.id, number: info.number, experiment: number)
        var run = RunRecord(info: info)
        run.tags = new.tags
        try insertTags(db, handle, run.tags)
        return run
    }

    /// An experiment that is not deleted: its number, and where its runs' artifacts are.
    private static func artifactRoot(
        _ db: Transaction, of experiment: ExperimentID
    ) throws -> (number: Int64, root: String) {
        let number = Int64(experiment.rawValue)
        let row = try number.flatMap { number in
            try db.firstRow(
                "SELECT lifecycleStage, artifactLocation FROM experiment WHERE number = ?",
                binding: [.int(number)]
            ) {
                try (
                    stage: $0.word("lifecycleStage", as: LifecycleStage.self),
                    root: $0["artifactLocation"] as String
                )
            }
        }
        guard let number, let row else {
            throw TrackingError.experimentNotFound(experiment.rawValue)
        }
        guard row.stage == .active else {
            throw TrackingError.experimentDeleted(experiment.rawValue)
        }
        return (number, String(row.root.droppingLast("/")))
    }

    package static func runInfo(_ db: Transaction, _ id: RunID) throws -> RunInfo? {
        var info: RunInfo?
        try db.forEach("SELECT \(runColumns) FROM run WHERE id = ?", [id.rawValue]) { row in
            info = try runInfo(&row)
        }
        return info
    }

    /// The run with everything that belongs to it, also if it is deleted.
    package static func run(_ db: Transaction, _ id: RunID) throws -> RunRecord? {
        guard let info = try runInfo(db, id) else { return nil }
        return try fill(db, [info]).first
    }

    /// A run that may be written to.
    ///
    /// - Throws: `TrackingError` if there is no such run or it is deleted.
    package static func activeRun(_ db: Transaction, _ id: RunID) throws -> RunHandle {
        let row = try db.firstRow(
            "SELECT number, experiment, lifecycleStage, status FROM run WHERE id = ?",
            binding: [.text(id.rawValue)]
        ) {
            let (number, experiment) = (try $0.int("number"), try $0.int("experiment"))
            let stage: LifecycleStage = try $0.word("lifecycleStage")
            let status: RunStatus = try $0.word("status")
            let handle = RunHandle(
                id: id, number: number, experiment: experiment, hasEnded: status.isEnded)
            return (handle: handle, stage: stage)
        }
        guard let row else { throw TrackingError.runNotFound(id.rawValue) }
        guard row.stage == .active else { throw TrackingError.runDeleted(id.rawValue) }
        return row.handle
    }

    /// Changes what is given and leaves the rest.
    package static func updateRun(
        _ db: Transaction, _ run: RunHandle, status: RunStatus? = nil, endTime: Int64? = nil,
        name: String? = nil
    ) throws {
        try db.perform(
            """
            UPDATE run SET status = coalesce(?, status), endTime = coalesce(?, endTime),
                name = coalesce(?, name)
            WHERE number = ?
            """, [status?.rawValue, endTime, name, run.number])
        if let name { try upsertTag(db, run, NamedText(key: nameKey, value: name)) }
    }

    /// Sets a run's status on behalf of the platform: `RUNNING` stamps the start of one that only
    /// was scheduled, an ending status stamps the end. A run that has ended keeps how it ended.
    ///
    /// - Returns: whether the status changed.
    @discardableResult
    package static func setStatus(
        _ db: Transaction, _ id: RunID, _ status: RunStatus, at: Date
    ) throws -> Bool {
        let now = at.millisecondsSince1970
        try db.perform(
            """
            UPDATE run SET status = :status,
                startTime = CASE WHEN status = 'SCHEDULED' AND :status = 'RUNNING'
                    THEN :now ELSE startTime END,
                endTime = CASE WHEN :ended THEN :now ELSE endTime END
            WHERE id = :id AND status IN ('RUNNING', 'SCHEDULED') AND status <> :status
            """,
            ["status": status.rawValue, "now": now, "ended": status.isEnded, "id": id.rawValue])
        return db.changesCount > 0
    }

    /// Marks a run deleted; doing it again changes nothing.
    package static func deleteRun(_ db: Transaction, _ id: RunID, at: Date) throws {
        guard try runInfo(db, id) != nil else { throw TrackingError.runNotFound(id.rawValue) }
        try db.perform(
            """
            UPDATE run SET lifecycleStage = 'deleted', deletedAt = ?
            WHERE id = ? AND lifecycleStage = 'active'
            """, [at.millisecondsSince1970, id.rawValue])
    }

    /// Brings a deleted run back; doing it again changes nothing.
    package static func restoreRun(_ db: Transaction, _ id: RunID) throws {
        guard try runInfo(db, id) != nil else { throw TrackingError.runNotFound(id.rawValue) }
        try db.perform(
            "UPDATE run SET lifecycleStage = 'active', deletedAt = NULL WHERE id = ?",
            [id.rawValue])
    }

    /// What `runInfo` reads.
    static let runColumns = """
        number, id, experiment, name, userId, status, startTime, endTime, artifactUri,
        lifecycleStage
        """

    static func runInfo(_ row: inout StandingRow) throws -> RunInfo {
        let (number, id): (Int64, String) = (try row["number"], try row["id"])
        let experiment: Int64 = try row["experiment"]
        return try RunInfo(
            number: number, id: RunID(id), experiment: ExperimentID(String(experiment)),
            name: row["name"], user: row["userId"], status: row.word("status"),
            startTime: row["startTime"], endTime: row["endTime"],
            artifactURI: row["artifactUri"], stage: row.word("lifecycleStage"))
    }
}
