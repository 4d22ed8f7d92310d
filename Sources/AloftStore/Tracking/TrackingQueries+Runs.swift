package import AloftDomain
package import Foundation
package import GRDB

extension TrackingQueries {
    /// Creates a run. Its name is kept as the tag `mlflow.runName` too, as clients expect.
    ///
    /// - Throws: `TrackingError` if there is no such experiment or it is deleted.
    @discardableResult
    package static func createRun(_ db: Database, _ new: NewRun) throws -> RunHandle {
        let info = try createdRun(db, new).info
        return RunHandle(
            id: info.id, number: info.number, experiment: Int64(info.experiment.rawValue) ?? 0)
    }

    /// Creates a run as `createRun` and returns it as it would be read.
    package static func createdRun(_ db: Database, _ new: NewRun) throws -> RunRecord {
        let (number, root) = try artifactRoot(db, of: new.experiment)
        let artifacts = "\(root)/\(new.id)/artifacts"
        try db.perform(
            """
            INSERT INTO run (id, experiment, name, userId, status, startTime, artifactUri)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            binding: [
                .text(new.id.rawValue), .int(number), .text(new.name), .text(new.user),
                .text(new.status.rawValue), .int(new.startTime), .text(artifacts),
            ])
        let info = RunInfo(
            number: db.lastInsertedRowID, id: new.id, experiment: ExperimentID(String(number)),
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
        _ db: Database, of experiment: ExperimentID
    ) throws -> (number: Int64, root: String) {
        let row = try Int64(experiment.rawValue).flatMap { number in
            try db.firstRow(
                "SELECT lifecycleStage, artifactLocation FROM experiment WHERE number = ?",
                binding: [.int(number)]
            ) { (number: number, stage: $0.text(0), root: $0.text(1)) }
        }
        guard let row else { throw TrackingError.experimentNotFound(experiment.rawValue) }
        guard row.stage == "active" else {
            throw TrackingError.experimentDeleted(experiment.rawValue)
        }
        return (row.number, String(row.root.droppingLast("/")))
    }

    package static func runInfo(_ db: Database, _ id: RunID) throws -> RunInfo? {
        try db.firstRow("SELECT \(runColumns) FROM run WHERE id = ?", [id.rawValue]).map(runInfo)
    }

    /// The run with everything that belongs to it, also if it is deleted.
    package static func run(_ db: Database, _ id: RunID) throws -> RunRecord? {
        guard let info = try runInfo(db, id) else { return nil }
        return try fill(db, [info]).first
    }

    /// A run that may be written to.
    ///
    /// - Throws: `TrackingError` if there is no such run or it is deleted.
    package static func activeRun(_ db: Database, _ id: RunID) throws -> RunHandle {
        let row = try db.firstRow(
            "SELECT number, experiment, lifecycleStage, status FROM run WHERE id = ?",
            binding: [.text(id.rawValue)]
        ) {
            (
                handle: RunHandle(
                    id: id, number: $0.int(0), experiment: $0.int(1),
                    hasEnded: RunStatus(rawValue: $0.text(3))?.isEnded ?? false),
                stage: $0.text(2)
            )
        }
        guard let row else { throw TrackingError.runNotFound(id.rawValue) }
        guard row.stage == "active" else { throw TrackingError.runDeleted(id.rawValue) }
        return row.handle
    }

    /// Changes what is given and leaves the rest.
    package static func updateRun(
        _ db: Database, _ run: RunHandle, status: RunStatus? = nil, endTime: Int64? = nil,
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
        _ db: Database, _ id: RunID, _ status: RunStatus, at: Date
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
    package static func deleteRun(_ db: Database, _ id: RunID, at: Date) throws {
        guard try runInfo(db, id) != nil else { throw TrackingError.runNotFound(id.rawValue) }
        try db.perform(
            """
            UPDATE run SET lifecycleStage = 'deleted', deletedAt = ?
            WHERE id = ? AND lifecycleStage = 'active'
            """, [at.millisecondsSince1970, id.rawValue])
    }

    /// Brings a deleted run back; doing it again changes nothing.
    package static func restoreRun(_ db: Database, _ id: RunID) throws {
        guard try runInfo(db, id) != nil else { throw TrackingError.runNotFound(id.rawValue) }
        try db.perform(
            "UPDATE run SET lifecycleStage = 'active', deletedAt = NULL WHERE id = ?",
            [id.rawValue])
    }

    /// What `runInfo` reads, in its order.
    static let runColumns = """
        number, id, experiment, name, userId, status, startTime, endTime, artifactUri,
        lifecycleStage
        """

    static func runInfo(_ row: Row) -> RunInfo {
        let experiment: Int64 = row[2]
        return RunInfo(
            number: row[0], id: RunID(row[1]), experiment: ExperimentID(String(experiment)),
            name: row[3], user: row[4], status: RunStatus(rawValue: row[5]) ?? .running,
            startTime: row[6], endTime: row[7], artifactURI: row[8],
            stage: LifecycleStage(rawValue: row[9]) ?? .active)
    }
}
