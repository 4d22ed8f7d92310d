package import AloftDomain

// Params and tags.
extension TrackingQueries {
    /// The tag that holds a run's name as well.
    package static let nameKey = "mlflow.runName"

    /// Sets a tag of a run that is not deleted. `mlflow.runName` renames the run.
    package static func setTag(_ db: Transaction, _ id: RunID, _ tag: NamedText) throws {
        try setTag(db, activeRun(db, id), tag)
    }

    package static func setTag(_ db: Transaction, _ run: RunHandle, _ tag: NamedText) throws {
        try upsertTag(db, run, tag)
        if tag.key == nameKey {
            try db.perform("UPDATE run SET name = ? WHERE number = ?", [tag.value, run.number])
        }
    }

    package static func tag(_ db: Transaction, _ id: RunID, key: String) throws -> String? {
        try db.firstValue(
            "SELECT value FROM runTag WHERE run = (SELECT number FROM run WHERE id = ?) AND key = ?",
            [id.rawValue, key])
    }

    package static func deleteTag(_ db: Transaction, _ run: RunHandle, key: String) throws {
        try db.perform("DELETE FROM runTag WHERE run = ? AND key = ?", [run.number, key])
        guard db.changesCount > 0 else { throw TrackingError.tagNotFound(key: key) }
    }

    /// Logs a param. The same value again is fine.
    ///
    /// - Throws: `TrackingError.paramChanged` if the param has another value.
    package static func logParam(
        _ db: Transaction, _ run: RunHandle, _ param: NamedText
    ) throws {
        try db.perform(
            """
            INSERT INTO runParam (run, key, experiment, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (run, key) DO NOTHING
            """,
            binding: [
                .int(run.number), .text(param.key), .int(run.experiment), .text(param.value),
            ])
        guard db.changesCount == 0 else { return }
        let old: String? = try db.firstValue(
            "SELECT value FROM runParam WHERE run = ? AND key = ?", [run.number, param.key])
        guard let old, !old.isSame(as: param.value) else { return }
        throw TrackingError.paramChanged(key: param.key, old: old, new: param.value)
    }

    /// The tags of a run that has none yet, each key once; several in one statement.
    static func insertTags(_ db: Transaction, _ run: RunHandle, _ tags: [NamedText]) throws {
        let most = tagInsertions.count
        for start in stride(from: 0, to: tags.count, by: most) {
            let some = tags[start..<min(start + most, tags.count)]
            var values: [SQLValue] = []
            values.reserveCapacity(some.count * 4)
            for tag in some {
                values.append(.int(run.number))
                values.append(.text(tag.key))
                values.append(.int(run.experiment))
                values.append(.text(tag.value))
            }
            try db.perform(tagInsertions[some.count - 1], binding: values)
        }
    }

    /// Of one tag, of two, and so on.
    private static let tagInsertions = (1...8).map { count in
        "INSERT INTO runTag (run, key, experiment, value) VALUES "
            + Array(repeating: "(?, ?, ?, ?)", count: count).joined(separator: ", ")
    }

    static func upsertTag(_ db: Transaction, _ run: RunHandle, _ tag: NamedText) throws {
        try db.perform(
            """
            INSERT INTO runTag (run, key, experiment, value) VALUES (?, ?, ?, ?)
            ON CONFLICT (run, key) DO UPDATE SET value = excluded.value
            """,
            binding: [.int(run.number), .text(tag.key), .int(run.experiment), .text(tag.value)])
    }
}
