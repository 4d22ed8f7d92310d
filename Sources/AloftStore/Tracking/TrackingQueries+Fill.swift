import AloftDomain
package import GRDB

extension TrackingQueries {
    /// Runs with all that belongs to them, in the order given. Costs what the runs hold, not what
    /// the database holds: metrics come from their latest points.
    package static func fill(_ db: Database, _ infos: [RunInfo]) throws -> [RunRecord] {
        var contexts: [Int64: MetricContext] = [0: .none]
        return try infos.map { info in
            var run = RunRecord(info: info)
            run.metrics = try latestMetrics(db, run: info.number, &contexts)
            run.params = try texts(
                db, "SELECT key, value FROM runParam WHERE run = ? ORDER BY key", info.number)
            run.tags = try texts(
                db, "SELECT key, value FROM runTag WHERE run = ? ORDER BY key", info.number)
            run.datasets = try datasets(db, run: info.number)
            run.modelInputs = try db.allRows(
                "SELECT model FROM runModelInput WHERE run = ? ORDER BY model", [info.number]
            ).map { LoggedModelID($0[0]) }
            run.modelOutputs = try db.allRows(
                "SELECT model, step FROM runModelOutput WHERE run = ? ORDER BY model",
                [info.number]
            ).map { ModelOutput(model: LoggedModelID($0[0]), step: $0[1]) }
            return run
        }
    }

    static func texts(_ db: Database, _ sql: String, _ number: Int64) throws -> [NamedText] {
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [number])
        var texts: [NamedText] = []
        while let row = try rows.next() { texts.append(NamedText(key: row[0], value: row[1])) }
        return texts
    }

    private static func latestMetrics(
        _ db: Database, run: Int64, _ contexts: inout [Int64: MetricContext]
    ) throws -> [LatestMetric] {
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT key, value, timestamp, step, context FROM latestMetric
                    WHERE run = ? ORDER BY key
                    """), arguments: [run])
        var metrics: [LatestMetric] = []
        while let row = try rows.next() {
            let number: Int64 = row[4]
            let context = try contexts[number] ?? self.context(db, number)
            contexts[number] = context
            metrics.append(
                LatestMetric(
                    key: row[0],
                    point: MetricPoint(value: row[1] ?? .nan, timestamp: row[2], step: row[3]),
                    context: context))
        }
        return metrics
    }

    private static func datasets(_ db: Database, run: Int64) throws -> [DatasetInput] {
        try db.allRows(
            """
            SELECT d.* FROM runDataset r JOIN dataset d ON d.number = r.dataset
            WHERE r.run = ? ORDER BY d.number
            """, [run]
        ).map { row in
            let number: Int64 = row["number"]
            let tags = try db.allRows(
                "SELECT key, value FROM runDatasetTag WHERE run = ? AND dataset = ? ORDER BY key",
                [run, number])
            return DatasetInput(
                dataset: DatasetRecord(
                    name: row["name"], digest: row["digest"], sourceType: row["sourceType"],
                    source: row["source"], schema: row["schema"], profile: row["profile"]),
                tags: tags.map { NamedText(key: $0[0], value: $0[1]) })
        }
    }
}
