import AloftDomain
package import GRDB

extension TrackingQueries {
    /// Runs with all that belongs to them, in the order given. Costs what the runs hold, not what
    /// the database holds: metrics come from their latest points.
    package static func fill(_ db: Database, _ infos: [RunInfo]) throws -> [RunRecord] {
        var filler = RunFiller(db: db)
        var runs: [RunRecord] = []
        runs.reserveCapacity(infos.count)
        var start = 0
        while start < infos.count {
            let end = min(start + Database.mostNumbers, infos.count)
            runs += try filler.fill(infos[start..<end])
            start = end
        }
        return runs
    }
}

extension TrackingQueries {
    /// The names and texts of one statement's two columns.
    static func texts(_ db: Database, _ sql: String, _ number: Int64) throws -> [NamedText] {
        let rows = try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: [number])
        var texts: [NamedText] = []
        while let row = try rows.next() { texts.append(NamedText(key: row[0], value: row[1])) }
        return texts
    }
}

/// Reads what belongs to many runs with one statement a table, not one a run.
private struct RunFiller {
    let db: Database
    private var contexts: [Int64: MetricContext] = [0: .none]
    private var datasets: [Int64: DatasetRecord] = [:]
    private var runs: [RunRecord] = []
    private var positions: [Int64: Int] = [:]

    init(db: Database) { self.db = db }

    mutating func fill(_ infos: ArraySlice<RunInfo>) throws -> [RunRecord] {
        runs = infos.map { RunRecord(info: $0) }
        positions = Dictionary(
            runs.indices.map { (runs[$0].info.number, $0) }, uniquingKeysWith: { first, _ in first }
        )
        try addMetrics()
        try addTexts("runParam", \.params)
        try addTexts("runTag", \.tags)
        try addInputs()
        return runs
    }

    /// These runs' rows of `table`, by run and `order`; the run comes first.
    private func rows(_ columns: String, _ table: String, order: String) throws -> RowCursor {
        try db.rows(
            "SELECT run, \(columns) FROM \(table) WHERE run IN (#) ORDER BY run, \(order)",
            numbers: runs.map(\.info.number))
    }

    private mutating func addMetrics() throws {
        let rows = try rows(
            "key, value, timestamp, step, context", "latestMetric", order: "key")
        while let row = try rows.next() {
            guard let position = positions[row[0]] else { continue }
            let number: Int64 = row[5]
            let context = try contexts[number] ?? TrackingQueries.context(db, number)
            contexts[number] = context
            runs[position].metrics.append(
                LatestMetric(
                    key: row[1],
                    point: MetricPoint(value: row[2] ?? .nan, timestamp: row[3], step: row[4]),
                    context: context))
        }
    }

    private mutating func addTexts(
        _ table: String, _ path: WritableKeyPath<RunRecord, [NamedText]>
    ) throws {
        let rows = try rows("key, value", table, order: "key")
        while let row = try rows.next() {
            guard let position = positions[row[0]] else { continue }
            runs[position][keyPath: path].append(NamedText(key: row[1], value: row[2]))
        }
    }

    private mutating func addInputs() throws {
        var places: [Int: [Int64: Int]] = [:]
        let inputs = try rows("dataset", "runDataset", order: "dataset")
        while let row = try inputs.next() {
            guard let position = positions[row[0]], let dataset = try dataset(row[1]) else {
                continue
            }
            places[position, default: [:]][row[1]] = runs[position].datasets.count
            runs[position].datasets.append(DatasetInput(dataset: dataset, tags: []))
        }
        if !places.isEmpty {
            let tags = try rows("dataset, key, value", "runDatasetTag", order: "dataset, key")
            while let row = try tags.next() {
                guard let position = positions[row[0]], let place = places[position]?[row[1]]
                else { continue }
                runs[position].datasets[place].tags.append(NamedText(key: row[2], value: row[3]))
            }
        }
        let models = try rows("model", "runModelInput", order: "model")
        while let row = try models.next() {
            guard let position = positions[row[0]] else { continue }
            runs[position].modelInputs.append(LoggedModelID(row[1]))
        }
        let outputs = try rows("model, step", "runModelOutput", order: "model")
        while let row = try outputs.next() {
            guard let position = positions[row[0]] else { continue }
            runs[position].modelOutputs.append(
                ModelOutput(model: LoggedModelID(row[1]), step: row[2]))
        }
    }

    /// Many runs read the same dataset, whose profile may be long.
    private mutating func dataset(_ number: Int64) throws -> DatasetRecord? {
        if let known = datasets[number] { return known }
        let row = try db.firstRow("SELECT * FROM dataset WHERE number = ?", [number])
        datasets[number] = row.map { row in
            DatasetRecord(
                name: row["name"], digest: row["digest"], sourceType: row["sourceType"],
                source: row["source"], schema: row["schema"], profile: row["profile"])
        }
        return datasets[number]
    }
}
