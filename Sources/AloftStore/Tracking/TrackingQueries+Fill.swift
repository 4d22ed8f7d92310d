import AloftDomain

extension TrackingQueries {
    /// Runs with all that belongs to them, in the order given. Costs what the runs hold, not what
    /// the database holds: metrics come from their latest points.
    package static func fill(_ db: Transaction, _ infos: [RunInfo]) throws -> [RunRecord] {
        var filler = RunFiller(db: db)
        var runs: [RunRecord] = []
        runs.reserveCapacity(infos.count)
        var start = 0
        while start < infos.count {
            let end = min(start + Transaction.mostNumbers, infos.count)
            runs += try filler.fill(infos[start..<end])
            start = end
        }
        return runs
    }
}

extension TrackingQueries {
    /// What a statement finds as `key` and `value`.
    static func texts(_ db: Transaction, _ sql: String, _ number: Int64) throws -> [NamedText] {
        var texts: [NamedText] = []
        try db.forEach(sql, [number]) { row in
            texts.append(NamedText(key: try row["key"], value: try row["value"]))
        }
        return texts
    }
}

/// Reads what belongs to many runs with one statement a table, not one a run.
private struct RunFiller {
    let db: Transaction
    private var contexts: [Int64: MetricContext] = [0: .none]
    private var datasets: [Int64: DatasetRecord] = [:]
    private var runs: [RunRecord] = []
    private var positions: [Int64: Int] = [:]

    init(db: Transaction) { self.db = db }

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

    /// These runs' rows of `table`, by run and `order`.
    private func statement(_ columns: String, _ table: String, order: String) -> String {
        "SELECT run, \(columns) FROM \(table) WHERE run IN (#) ORDER BY run, \(order)"
    }

    private var numbers: [Int64] { runs.map(\.info.number) }

    private mutating func addMetrics() throws {
        let (db, numbers) = (db, numbers)
        let sql = statement(
            "key, value, timestamp, step, context", "latestMetric", order: "key")
        try db.forEach(sql, numbers: numbers) { row in
            guard let position = positions[try row.int("run")] else { return }
            let key: String = try row["key"]
            let value: Double? = try row["value"]
            let (timestamp, step) = (try row.int("timestamp"), try row.int("step"))
            let number = try row.int("context")
            let context = try contexts[number] ?? TrackingQueries.context(db, number)
            contexts[number] = context
            runs[position].metrics.append(
                LatestMetric(
                    key: key,
                    point: MetricPoint(value: value ?? .nan, timestamp: timestamp, step: step),
                    context: context))
        }
    }

    private mutating func addTexts(
        _ table: String, _ path: WritableKeyPath<RunRecord, [NamedText]>
    ) throws {
        let (db, numbers) = (db, numbers)
        try db.forEach(statement("key, value", table, order: "key"), numbers: numbers) { row in
            guard let position = positions[try row.int("run")] else { return }
            runs[position][keyPath: path].append(
                NamedText(key: try row["key"], value: try row["value"]))
        }
    }

    private mutating func addInputs() throws {
        let (db, numbers) = (db, numbers)
        var places: [Int: [Int64: Int]] = [:]
        let inputs = statement("dataset", "runDataset", order: "dataset")
        try db.forEach(inputs, numbers: numbers) { row in
            let (run, number) = (try row.int("run"), try row.int("dataset"))
            guard let position = positions[run], let dataset = try dataset(number) else { return }
            places[position, default: [:]][number] = runs[position].datasets.count
            runs[position].datasets.append(DatasetInput(dataset: dataset, tags: []))
        }
        if !places.isEmpty {
            let tags = statement("dataset, key, value", "runDatasetTag", order: "dataset, key")
            try db.forEach(tags, numbers: numbers) { row in
                let (run, number) = (try row.int("run"), try row.int("dataset"))
                guard let position = positions[run], let place = places[position]?[number]
                else { return }
                runs[position].datasets[place].tags.append(
                    NamedText(key: try row["key"], value: try row["value"]))
            }
        }
        let models = statement("model", "runModelInput", order: "model")
        try db.forEach(models, numbers: numbers) { row in
            guard let position = positions[try row.int("run")] else { return }
            runs[position].modelInputs.append(LoggedModelID(try row["model"]))
        }
        let outputs = statement("model, step", "runModelOutput", order: "model")
        try db.forEach(outputs, numbers: numbers) { row in
            guard let position = positions[try row.int("run")] else { return }
            runs[position].modelOutputs.append(
                ModelOutput(model: LoggedModelID(try row["model"]), step: try row.int("step")))
        }
    }

    /// Many runs read the same dataset, whose profile may be long.
    private mutating func dataset(_ number: Int64) throws -> DatasetRecord? {
        if let known = datasets[number] { return known }
        let row = try db.firstRow("SELECT * FROM dataset WHERE number = ?", [number])
        datasets[number] = try row.map { row in
            try DatasetRecord(
                name: row["name"], digest: row["digest"], sourceType: row["sourceType"],
                source: row["source"], schema: row["schema"], profile: row["profile"])
        }
        return datasets[number]
    }
}
