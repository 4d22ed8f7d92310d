package import AloftDomain
package import Foundation

/// Reads and writes traces. Writes belong into `Store.write`.
package enum TraceQueries {
    static let spansLocationTag = "mlflow.trace.spansLocation"

    // MARK: Reading

    /// - Throws: `TraceError.notFound`.
    package static func get(_ db: Transaction, _ id: TraceID) throws -> TraceRecord {
        let row = try db.firstRow("SELECT * FROM trace WHERE id = ?", [id.rawValue])
        guard let row else { throw TraceError.notFound(id.rawValue) }
        return try record(db, row)
    }

    /// Those of the traces that are there.
    package static func find(_ db: Transaction, _ ids: [TraceID]) throws -> [TraceRecord] {
        try ids.compactMap { id in
            try db.firstRow("SELECT * FROM trace WHERE id = ?", [id.rawValue]).map {
                try record(db, $0)
            }
        }
    }

    /// The spans' JSON, oldest first.
    package static func spans(_ db: Transaction, of id: TraceID) throws -> [String] {
        try db.allValues(
            """
            SELECT s.content FROM traceSpan s JOIN trace x ON x.number = s.trace
            WHERE x.id = ? ORDER BY s.startedAt, s.id
            """, [id.rawValue])
    }

    static func number(_ db: Transaction, _ id: TraceID) throws -> Int64 {
        let number: Int64? = try db.firstValue(
            "SELECT number FROM trace WHERE id = ?", [id.rawValue])
        guard let number else { throw TraceError.notFound(id.rawValue) }
        return number
    }

    static func record(_ db: Transaction, _ row: RowReader) throws -> TraceRecord {
        let number: Int64 = try row["number"]
        let experiment: Int64 = try row["experiment"]
        return try TraceRecord(
            id: TraceID(row["id"]), experiment: ExperimentID(String(experiment)),
            requestTime: row["requestTime"], duration: row["duration"],
            state: row.word("state"),
            clientRequestID: row["clientRequestId"], requestPreview: row["requestPreview"],
            responsePreview: row["responsePreview"],
            metadata: try TrackingQueries.texts(
                db, "SELECT key, value FROM traceMetadata WHERE trace = ? ORDER BY key", number),
            tags: try TrackingQueries.texts(
                db, "SELECT key, value FROM traceTag WHERE trace = ? ORDER BY key", number),
            assessments: try AssessmentQueries.list(db, trace: number))
    }

    // MARK: Writing

    /// Writes what the client tells of the whole trace; spans of it may have come before.
    ///
    /// - Throws: `TrackingError` if the experiment is not there or deleted.
    package static func start(_ db: Transaction, _ trace: TraceRecord) throws {
        let experiment = try TrackingQueries.activeExperiment(db, trace.experiment)
        try db.perform(
            """
            INSERT INTO trace (id, experiment, requestTime, duration, state, clientRequestId,
                requestPreview, responsePreview, isFinal)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
            ON CONFLICT (id) DO UPDATE SET experiment = excluded.experiment,
                requestTime = excluded.requestTime, duration = excluded.duration,
                state = excluded.state, clientRequestId = excluded.clientRequestId,
                requestPreview = coalesce(excluded.requestPreview, requestPreview),
                responsePreview = coalesce(excluded.responsePreview, responsePreview), isFinal = 1
            """,
            [
                trace.id.rawValue, Int64(trace.experiment.rawValue), trace.requestTime,
                trace.duration, trace.state.rawValue, trace.clientRequestID, trace.requestPreview,
                trace.responsePreview,
            ])
        let number = try number(db, trace.id)
        try takeLinks(db, trace.id, number)
        try upsert(db, "traceTag", number, trace.tags + [location(of: trace.id, in: experiment)])
        try upsert(db, "traceMetadata", number, trace.metadata)
        for assessment in trace.assessments {
            try AssessmentQueries.insert(db, assessment, trace: number)
        }
    }

    /// What the client tells at a trace's end, as clients of the protocol's second version do.
    package static func end(
        _ db: Transaction, _ id: TraceID, endTime: Int64, state: TraceState, tags: [NamedText],
        metadata: [NamedText]
    ) throws {
        let number = try number(db, id)
        try db.perform(
            "UPDATE trace SET duration = \(Dialect.greatest("0", "? - requestTime")), state = ? "
                + "WHERE number = ?",
            [endTime, state.rawValue, number])
        try upsert(db, "traceTag", number, tags)
        try upsert(db, "traceMetadata", number, metadata)
    }

    private static func location(
        of id: TraceID, in experiment: ExperimentRecord
    ) -> NamedText {
        NamedText(
            key: "mlflow.artifactLocation",
            value: "\(experiment.artifactLocation)/traces/\(id)/artifacts")
    }

    /// Stores spans; a trace that nobody told of is made from them.
    ///
    /// - Throws: `TrackingError` if the experiment is not there or deleted.
    package static func logSpans(
        _ db: Transaction, _ batches: [SpanBatch], experiment id: ExperimentID, run: RunID?
    ) throws {
        let experiment = try TrackingQueries.activeExperiment(db, id)
        for batch in batches where !batch.spans.isEmpty {
            let number = try makeTrace(db, for: batch, in: experiment)
            for span in batch.spans {
                try db.perform(
                    """
                    INSERT INTO traceSpan VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                    ON CONFLICT (trace, id) DO UPDATE SET parent = excluded.parent,
                        name = excluded.name, type = excluded.type, status = excluded.status,
                        startedAt = excluded.startedAt, endedAt = excluded.endedAt,
                        content = excluded.content
                    """,
                    [
                        number, span.id, span.parent, span.name, span.type, span.status,
                        span.startedAt, span.endedAt, span.content,
                    ])
            }
            try followSpans(db, number, batch)
            if let run { try link(db, trace: number, to: run) }
        }
    }

    private static func makeTrace(
        _ db: Transaction, for batch: SpanBatch, in experiment: ExperimentRecord
    ) throws -> Int64 {
        if let number: Int64 = try db.firstValue(
            "SELECT number FROM trace WHERE id = ?", [batch.trace.rawValue])
        {
            return number
        }
        let number = try db.insert(
            """
            INSERT INTO trace (id, experiment, requestTime, state, isFinal)
            VALUES (?, ?, ?, 'IN_PROGRESS', 0)
            """,
            [
                batch.trace.rawValue, Int64(experiment.id.rawValue),
                batch.spans.map(\.startedAt).min().map { $0 / 1_000_000 },
            ])
        try takeLinks(db, batch.trace, number)
        try upsert(db, "traceTag", number, [location(of: batch.trace, in: experiment)])
        return number
    }

    /// Lets a trace that its client has not finished follow its spans, and adds what they say where
    /// the client said nothing.
    private static func followSpans(_ db: Transaction, _ number: Int64, _ batch: SpanBatch) throws {
        try db.perform(
            """
            UPDATE trace SET
                requestTime = (SELECT min(startedAt) / 1000000 FROM traceSpan WHERE trace = number),
                duration = (SELECT max(endedAt) / 1000000 - min(startedAt) / 1000000
                    FROM traceSpan WHERE trace = number)
            WHERE number = ? AND isFinal = 0
            """, [number])
        if let root = batch.spans.first(where: { $0.parent == nil }) {
            try db.perform(
                """
                UPDATE trace SET state = ?
                WHERE number = ? AND state IN ('IN_PROGRESS', 'STATE_UNSPECIFIED')
                """, [root.status == "ERROR" ? "ERROR" : "OK", number])
            try insertMissing(
                db, "traceTag", number,
                batch.tags + [NamedText(key: "mlflow.traceName", value: root.name)])
        }
        try db.perform(
            """
            UPDATE trace SET requestPreview = coalesce(requestPreview, ?),
                responsePreview = coalesce(responsePreview, ?) WHERE number = ?
            """, [batch.requestPreview, batch.responsePreview, number])
        try insertMissing(db, "traceMetadata", number, batch.metadata)
        try upsert(
            db, "traceTag", number, [NamedText(key: spansLocationTag, value: "TRACKING_STORE")])
    }

    private static func upsert(
        _ db: Transaction, _ table: String, _ number: Int64, _ texts: [NamedText]
    ) throws {
        for text in texts {
            try db.perform(
                """
                INSERT INTO \(table) VALUES (?, ?, ?)
                ON CONFLICT (trace, key) DO UPDATE SET value = excluded.value
                """, [number, text.key, text.value])
        }
    }

    private static func insertMissing(
        _ db: Transaction, _ table: String, _ number: Int64, _ texts: [NamedText]
    ) throws {
        for text in texts {
            try db.perform(
                "INSERT INTO \(table) VALUES (?, ?, ?) ON CONFLICT (trace, key) DO NOTHING",
                [number, text.key, text.value])
        }
    }
}

extension TraceQueries {
    package static func setTag(_ db: Transaction, _ id: TraceID, _ tag: NamedText) throws {
        try upsert(db, "traceTag", try number(db, id), [tag])
    }

    /// - Throws: `TraceError` if there is no such trace or tag.
    package static func deleteTag(_ db: Transaction, _ id: TraceID, key: String) throws {
        try db.perform(
            "DELETE FROM traceTag WHERE trace = ? AND key = ?", [try number(db, id), key])
        guard db.changesCount > 0 else {
            throw TraceError.tagNotFound(key: key, trace: id.rawValue)
        }
    }

    /// How long a link waits for its trace, which clients send in the background.
    private static let linkWaits: Duration = .seconds(7 * 86_400)

    /// Links traces to a run, also those that are still on their way.
    ///
    /// - Throws: `TrackingError.runNotFound`.
    package static func link(
        _ db: Transaction, _ ids: [TraceID], to run: RunID, at: Date
    ) throws {
        guard try TrackingQueries.runInfo(db, run) != nil else {
            throw TrackingError.runNotFound(run.rawValue)
        }
        for id in ids {
            let number: Int64? = try db.firstValue(
                "SELECT number FROM trace WHERE id = ?", [id.rawValue])
            if let number {
                try link(db, trace: number, to: run)
            } else {
                try db.perform(
                    "INSERT INTO traceLink VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                    [id.rawValue, run.rawValue, at.millisecondsSince1970])
            }
        }
        let oldest = at.millisecondsSince1970 - linkWaits.components.seconds * 1000
        try db.perform("DELETE FROM traceLink WHERE at < ?", [oldest])
    }

    /// Links a trace that has come to the runs that have waited for it.
    private static func takeLinks(_ db: Transaction, _ id: TraceID, _ number: Int64) throws {
        let runs: [String] = try db.allValues(
            "SELECT runId FROM traceLink WHERE traceId = ?", [id.rawValue])
        for run in runs { try link(db, trace: number, to: RunID(run)) }
        try db.perform("DELETE FROM traceLink WHERE traceId = ?", [id.rawValue])
    }

    private static func link(_ db: Transaction, trace: Int64, to run: RunID) throws {
        try db.perform(
            "INSERT INTO traceRun VALUES (?, ?) ON CONFLICT DO NOTHING", [run.rawValue, trace])
    }

    /// Which traces of an experiment to delete.
    package enum Deletion: Sendable {
        case these([TraceID])
        /// Those that began at this time or before, in milliseconds since 1970, the oldest first.
        case until(Int64, limit: Int?)
    }

    /// Deletes traces with their spans and assessments.
    ///
    /// - Returns: how many.
    package static func delete(
        _ db: Transaction, _ deletion: Deletion, of experiment: ExperimentID
    ) throws -> Int {
        let experiment = Int64(experiment.rawValue)
        switch deletion {
        case .these(let ids):
            var count = 0
            for id in ids {
                try db.perform(
                    "DELETE FROM trace WHERE experiment = ? AND id = ?", [experiment, id.rawValue])
                count += db.changesCount
            }
            return count
        case .until(let time, let limit):
            try db.perform(
                """
                DELETE FROM trace WHERE number IN (
                    SELECT number FROM trace WHERE experiment = ? AND requestTime <= ?
                    ORDER BY requestTime, id LIMIT ?)
                """, [experiment, time, limit ?? Dialect.all])
            return db.changesCount
        }
    }
}
