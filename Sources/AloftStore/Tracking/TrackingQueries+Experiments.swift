package import AloftDomain
package import Foundation

/// Reads and writes what runs record. Writes belong into `Store.write`.
package enum TrackingQueries {}

extension TrackingQueries {
    /// Creates an experiment.
    ///
    /// - Parameter artifactLocation: where its runs' artifacts go; the server's own place if empty.
    /// - Throws: `TrackingError.experimentExists` if the name is taken, by a deleted one too.
    package static func createExperiment(
        _ db: Transaction, name: String, project: ProjectID = .default,
        artifactLocation: String = "",
        tags: [NamedText] = [], at: Date
    ) throws -> ExperimentID {
        if try db.firstRow("SELECT 1 FROM experiment WHERE name = ?", [name]) != nil {
            throw TrackingError.experimentExists(name: name)
        }
        let now = at.millisecondsSince1970
        let number = try db.insert(
            """
            INSERT INTO experiment (project, name, artifactLocation, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, ?)
            """, [project.rawValue, name, artifactLocation, now, now])
        if artifactLocation.isEmpty {
            try db.perform(
                "UPDATE experiment SET artifactLocation = ? WHERE number = ?",
                ["mlflow-artifacts:/\(number)", number])
        }
        for tag in tags {
            try db.perform(
                """
                INSERT INTO experimentTag VALUES (?, ?, ?)
                ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value
                """, [number, tag.key, tag.value])
        }
        return ExperimentID(String(number))
    }

    /// The experiment with this name; created, or brought back if it was deleted, where needed.
    package static func ensureExperiment(
        _ db: Transaction, name: String, project: ProjectID = .default, at: Date
    ) throws -> ExperimentID {
        guard let found = try experiment(db, named: name) else {
            return try createExperiment(db, name: name, project: project, at: at)
        }
        if found.stage == .deleted { try restoreExperiment(db, found.id, at: at) }
        return found.id
    }

    package static func experiment(_ db: Transaction, _ id: ExperimentID) throws
        -> ExperimentRecord?
    {
        guard let number = Int64(id.rawValue) else { return nil }
        return try db.firstRow("SELECT * FROM experiment WHERE number = ?", [number]).map {
            try experimentRecord(db, $0)
        }
    }

    package static func experiment(
        _ db: Transaction, named name: String
    ) throws -> ExperimentRecord? {
        try db.firstRow("SELECT * FROM experiment WHERE name = ?", [name]).map {
            try experimentRecord(db, $0)
        }
    }

    package static func renameExperiment(
        _ db: Transaction, _ id: ExperimentID, to name: String, at: Date
    ) throws {
        let found = try activeExperiment(db, id)
        guard !found.name.isSame(as: name) else { return }
        if try experiment(db, named: name) != nil {
            throw TrackingError.experimentExists(name: name)
        }
        try db.perform(
            "UPDATE experiment SET name = ?, updatedAt = ? WHERE number = ?",
            [name, at.millisecondsSince1970, Int64(id.rawValue)])
    }

    /// Marks an experiment and its runs deleted.
    ///
    /// - Throws: `TrackingError.experimentNotFound` if there is none or it is deleted already.
    package static func deleteExperiment(_ db: Transaction, _ id: ExperimentID, at: Date) throws {
        guard let found = try experiment(db, id), found.stage == .active else {
            throw TrackingError.experimentNotFound(id.rawValue)
        }
        // Later than what was deleted of it before, so that restoring tells the two apart.
        let last: Int64? = try db.firstValue(
            "SELECT max(deletedAt) FROM run WHERE experiment = ?", [Int64(id.rawValue)])
        let now = max(at.millisecondsSince1970, (last ?? 0) + 1)
        try db.perform(
            "UPDATE experiment SET lifecycleStage = 'deleted', updatedAt = ? WHERE number = ?",
            [now, Int64(id.rawValue)])
        try db.perform(
            """
            UPDATE run SET lifecycleStage = 'deleted', deletedAt = ?
            WHERE experiment = ? AND lifecycleStage = 'active'
            """, [now, Int64(id.rawValue)])
    }

    /// Brings an experiment back, with the runs that went with it; runs that were deleted before stay so.
    ///
    /// - Throws: `TrackingError.experimentNotDeleted` if there is no deleted one with this id.
    package static func restoreExperiment(_ db: Transaction, _ id: ExperimentID, at: Date) throws {
        guard let found = try experiment(db, id), found.stage == .deleted else {
            throw TrackingError.experimentNotDeleted(id.rawValue)
        }
        try db.perform(
            "UPDATE experiment SET lifecycleStage = 'active', updatedAt = ? WHERE number = ?",
            [at.millisecondsSince1970, Int64(id.rawValue)])
        try db.perform(
            """
            UPDATE run SET lifecycleStage = 'active', deletedAt = NULL
            WHERE experiment = ? AND lifecycleStage = 'deleted' AND deletedAt = ?
            """, [Int64(id.rawValue), found.updatedAt])
    }

    package static func setExperimentTag(
        _ db: Transaction, _ id: ExperimentID, _ tag: NamedText, at: Date
    ) throws {
        _ = try activeExperiment(db, id)
        try db.perform(
            """
            INSERT INTO experimentTag VALUES (?, ?, ?)
            ON CONFLICT (experiment, key) DO UPDATE SET value = excluded.value
            """, [Int64(id.rawValue), tag.key, tag.value])
        try touch(db, id, at: at)
    }

    package static func deleteExperimentTag(
        _ db: Transaction, _ id: ExperimentID, key: String, at: Date
    ) throws {
        _ = try activeExperiment(db, id)
        try db.perform(
            "DELETE FROM experimentTag WHERE experiment = ? AND key = ?",
            [Int64(id.rawValue), key])
        guard db.changesCount > 0 else { throw TrackingError.tagNotFound(key: key) }
        try touch(db, id, at: at)
    }

    /// - Throws: `TrackingError` if there is no such experiment or it is deleted.
    package static func activeExperiment(
        _ db: Transaction, _ id: ExperimentID
    ) throws -> ExperimentRecord {
        guard let found = try experiment(db, id) else {
            throw TrackingError.experimentNotFound(id.rawValue)
        }
        guard found.stage == .active else { throw TrackingError.experimentDeleted(id.rawValue) }
        return found
    }

    static func experimentRecord(_ db: Transaction, _ row: RowReader) throws -> ExperimentRecord {
        let number: Int64 = try row["number"]
        return try ExperimentRecord(
            id: ExperimentID(String(number)), project: ProjectID(row["project"]),
            name: row["name"], artifactLocation: row["artifactLocation"],
            stage: row.word("lifecycleStage"),
            createdAt: row["createdAt"], updatedAt: row["updatedAt"],
            tags: texts(
                db, "SELECT key, value FROM experimentTag WHERE experiment = ? ORDER BY key",
                number))
    }

    private static func touch(_ db: Transaction, _ id: ExperimentID, at: Date) throws {
        try db.perform(
            "UPDATE experiment SET updatedAt = ? WHERE number = ?",
            [at.millisecondsSince1970, Int64(id.rawValue)])
    }
}
