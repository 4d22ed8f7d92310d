package import AloftDomain
import Foundation

/// Reads and writes assessments of traces. Writes belong into `Store.write`.
package enum AssessmentQueries {
    /// Adds an assessment; the one that it overrides is valid no longer.
    ///
    /// - Throws: `TraceError` if the trace is not there, or the assessment that it overrides.
    package static func insert(
        _ db: Transaction, _ assessment: AssessmentRecord, of trace: TraceID
    ) throws {
        let number = try TraceQueries.number(db, trace)
        if let overridden = assessment.overrides {
            try setValid(db, number, overridden, false)
            guard db.changesCount > 0 else {
                throw TraceError.assessmentNotFound(overridden, trace: trace.rawValue)
            }
        }
        try insert(db, assessment, trace: number)
    }

    static func insert(_ db: Transaction, _ assessment: AssessmentRecord, trace: Int64) throws {
        try db.perform(
            """
            INSERT INTO traceAssessment (trace, id, name, kind, value, isValid, overrides, createdAt,
                updatedAt, body)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (trace, id) DO UPDATE SET name = excluded.name, kind = excluded.kind,
                value = excluded.value, isValid = excluded.isValid, body = excluded.body,
                updatedAt = excluded.updatedAt
            """,
            [
                trace, assessment.id, assessment.name, assessment.kind.rawValue, assessment.value,
                assessment.isValid, assessment.overrides, assessment.createdAt,
                assessment.updatedAt, try StoredJSON.text(JSONValue.object(assessment.body)),
            ])
    }

    /// - Throws: `TraceError.assessmentNotFound`.
    package static func get(
        _ db: Transaction, _ id: String, of trace: TraceID
    ) throws -> AssessmentRecord {
        let row = try db.firstRow(
            """
            SELECT a.* FROM traceAssessment a JOIN trace x ON x.number = a.trace
            WHERE x.id = ? AND a.id = ?
            """, [trace.rawValue, id])
        guard let row else { throw TraceError.assessmentNotFound(id, trace: trace.rawValue) }
        return try record(row)
    }

    /// Writes an assessment that is there.
    package static func update(
        _ db: Transaction, _ assessment: AssessmentRecord, of trace: TraceID
    ) throws {
        try insert(db, assessment, trace: try TraceQueries.number(db, trace))
    }

    /// Deletes an assessment; the one that it overrode is valid again. Doing it again changes nothing.
    ///
    /// - Throws: `TraceError.notFound` if the trace is not there.
    package static func delete(_ db: Transaction, _ id: String, of trace: TraceID) throws {
        let number = try TraceQueries.number(db, trace)
        let row = try db.firstRow(
            "SELECT overrides FROM traceAssessment WHERE trace = ? AND id = ?", [number, id])
        guard let row else { return }
        if let overridden: String = try row["overrides"] {
            try setValid(db, number, overridden, true)
        }
        try db.perform("DELETE FROM traceAssessment WHERE trace = ? AND id = ?", [number, id])
    }

    static func list(_ db: Transaction, trace: Int64) throws -> [AssessmentRecord] {
        try db.allRows(
            "SELECT * FROM traceAssessment WHERE trace = ? ORDER BY number", [trace]
        ).map(record)
    }

    private static func setValid(
        _ db: Transaction, _ trace: Int64, _ id: String, _ flag: Bool
    ) throws {
        try db.perform(
            "UPDATE traceAssessment SET isValid = ? WHERE trace = ? AND id = ?", [flag, trace, id])
    }

    private static func record(_ row: RowReader) throws -> AssessmentRecord {
        guard case .object(let members) = try row.json("body", as: JSONValue.self) else {
            throw row.unreadable("body")
        }
        return try AssessmentRecord(
            id: row["id"], name: row["name"],
            kind: row.word("kind"), value: row["value"],
            isValid: row["isValid"], overrides: row["overrides"], createdAt: row["createdAt"],
            updatedAt: row["updatedAt"], body: members)
    }
}
