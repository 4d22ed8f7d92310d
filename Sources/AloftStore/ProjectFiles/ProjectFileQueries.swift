package import AloftDomain
package import Foundation

/// One revision of a project's file, as text: whoever needs it parsed reads it with
/// `ProjectFileParser`.
package struct ProjectFileRecord: Sendable, Equatable {
    package var project: ProjectID
    /// 1, 2, …
    package var revision: Int
    package var text: String
    /// The folder that the file came with: a tar in the blob store.
    package var snapshot: ContentDigest?
    /// Where the folder comes from.
    package var code: CodeOrigin?
    package var appliedAt: String
    package var appliedBy: String
}

package enum ProjectFileQueries {
    /// Makes `text` the project's file. The same text with the same snapshot again changes nothing.
    ///
    /// - Returns: the project's current file, and whether this call made it so.
    package static func apply(
        _ db: Transaction, project: ProjectID, text: String, snapshot: ContentDigest?,
        code: CodeOrigin? = nil, at: Date, by who: Principal
    ) throws -> (record: ProjectFileRecord, isNew: Bool) {
        let current = try current(db, project)
        if var current, current.text == text, current.snapshot == snapshot {
            guard current.code != code else { return (current, false) }
            // The same files, committed meanwhile.
            try db.execute(
                sql: "UPDATE projectFile SET code = ? WHERE project = ? AND revision = ?",
                arguments: [
                    try code.map(StoredJSON.text), project.rawValue, current.revision,
                ])
            current.code = code
            return (current, false)
        }
        let record = ProjectFileRecord(
            project: project, revision: (current?.revision ?? 0) + 1, text: text,
            snapshot: snapshot, code: code, appliedAt: at.stamp, appliedBy: who.description)
        try ProjectQueries.ensure(db, project, at: at)
        try db.execute(
            sql: """
                INSERT INTO projectFile
                    (project, revision, text, snapshot, appliedAt, appliedBy, code)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                project.rawValue, record.revision, text, snapshot?.hex, record.appliedAt,
                record.appliedBy, try code.map(StoredJSON.text),
            ])
        try EventLog.appendCounted(
            db, at: at, project: project, entity: "projectFile", entityID: project.rawValue,
            what: "applied", who: who, payload: ["revision": .int(Int64(record.revision))])
        return (record, true)
    }

    /// The project's newest file, if it has one.
    package static func current(_ db: Transaction, _ project: ProjectID) throws
        -> ProjectFileRecord?
    {
        try db.row(
            sql: "SELECT * FROM projectFile WHERE project = ? ORDER BY revision DESC LIMIT 1",
            arguments: [project.rawValue]
        ).map(record)
    }

    package static func find(
        _ db: Transaction, _ project: ProjectID, revision: Int
    ) throws -> ProjectFileRecord? {
        try db.row(
            sql: "SELECT * FROM projectFile WHERE project = ? AND revision = ?",
            arguments: [project.rawValue, revision]
        ).map(record)
    }

    /// The projects that have a file, by name.
    package static func projects(_ db: Transaction) throws -> [ProjectID] {
        try db.values(
            of: String.self, sql: "SELECT DISTINCT project FROM projectFile ORDER BY project"
        )
        .map(ProjectID.init)
    }

    /// The same, whose first file is oldest first.
    package static func projectsByAge(_ db: Transaction) throws -> [ProjectID] {
        try db.values(
            of: String.self,
            sql: """
                SELECT project FROM projectFile GROUP BY project ORDER BY min(appliedAt), project
                """
        ).map(ProjectID.init)
    }

    private static func record(_ row: RowReader) throws -> ProjectFileRecord {
        try ProjectFileRecord(
            project: ProjectID(row["project"]), revision: row["revision"], text: row["text"],
            snapshot: row.optionalDigest("snapshot"), code: row.optionalJSON("code"),
            appliedAt: row["appliedAt"],
            appliedBy: row["appliedBy"])
    }
}
