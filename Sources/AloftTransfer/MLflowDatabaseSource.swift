import AloftDomain
package import AloftWire
import Foundation
import GRDB

/// The SQLite file of an MLflow server, read without one. It may be in use.
package struct MLflowDatabaseSource: TransferSource {
    private let database: DatabaseQueue
    private let places: LocalPlaces
    // text: names of MLflow's own tables
    private let columns: [String: Set<String>]
    package let identity: String
    package let faults = TransferFaults()

    /// - Parameters:
    ///   - artifacts: the folder of the artifacts, where it is not beside the file.
    ///   - trustsPaths: whether files are read wherever the database says they are.
    /// - Throws: `SourceError` if the file is no database of MLflow's.
    package init(path: String, artifacts: String?, trustsPaths: Bool = false) throws {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        do {
            database = try DatabaseQueue(path: absolute, configuration: configuration)
            columns = try database.read { db in
                // text: as above
                var columns: [String: Set<String>] = [:]
                for table in try String.fetchAll(
                    db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
                {
                    columns[table] = Set(try db.columns(in: table).map(\.name))
                }
                return columns
            }
        } catch let error as DatabaseError {
            throw SourceError("\(path): \(error.message ?? "it cannot be read")", isRefusal: true)
        }
        guard columns["runs"] != nil, columns["experiments"] != nil, columns["metrics"] != nil
        else {
            throw SourceError(
                "\(path) holds no MLflow tables (experiments, runs, metrics)", isRefusal: true)
        }
        identity = "sqlite:" + absolute
        places = LocalPlaces(
            base: URL(fileURLWithPath: absolute).deletingLastPathComponent().path,
            artifacts: artifacts, trustsPaths: trustsPaths)
    }

    package func place(of uri: String) -> ArtifactPlace { places.place(of: uri) }

    package func experiments() async throws -> [TransferExperiment] {
        let createdAt = column("experiments", "creation_time", else: "0")
        let updatedAt = column("experiments", "last_update_time", else: "0")
        let hasTags = columns["experiment_tags"] != nil
        return try await database.read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT experiment_id, name, artifact_location, \(createdAt) AS createdAt,
                        \(updatedAt) AS updatedAt
                    FROM experiments WHERE lifecycle_stage = 'active' ORDER BY experiment_id
                    """
            ).compactMap { row in
                readable("experiment", row, "experiment_id") {
                    let id = try row.requiredNumber("experiment_id")
                    return TransferExperiment(
                        id: String(id), name: try row.requiredText("name"),
                        artifactLocation: row.text("artifact_location") ?? "",
                        createdAt: row.number("createdAt") ?? 0,
                        updatedAt: row.number("updatedAt") ?? 0,
                        tags: hasTags
                            ? try Self.texts(
                                db,
                                "SELECT key, value FROM experiment_tags WHERE experiment_id = ?",
                                [id]) : [])
                }
            }
        }
    }

    /// What can be made of a row; else its fault is noted.
    func readable<Value>(
        _ what: String, _ row: Row, _ id: String, _ make: () throws -> Value
    ) -> Value? {
        do {
            return try make()
        } catch {
            faults.note("\(what) \(row.text(id) ?? "without an id")", error)
            return nil
        }
    }

    package func runs(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferRun> {
        let limit = 500
        let name = column("runs", "name", else: "NULL")
        let hasInputs = columns["inputs"] != nil && columns["datasets"] != nil
        let step = column("inputs", "step", else: "0")
        let hasLatest = columns["latest_metrics"] != nil
        let (items, last, count) = try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT run_uuid, \(name) AS name, user_id, status, start_time, end_time,
                        artifact_uri FROM runs
                    WHERE experiment_id = ? AND lifecycle_stage = 'active' AND run_uuid > ?
                    ORDER BY run_uuid LIMIT ?
                    """, arguments: [Int64(experiment), page ?? "", limit])
            let items = rows.compactMap { row in
                readable("run", row, "run_uuid") {
                    var run = try Self.run(db, row, experiment, hasLatest: hasLatest)
                    if hasInputs { try Self.addInputs(db, &run, step: step) }
                    return run
                }
            }
            return (items, rows.last?.text("run_uuid"), rows.count)
        }
        return Page(items: items, next: count == limit ? last : nil)
    }

    private static func run(
        _ db: Database, _ row: Row, _ experiment: String, hasLatest: Bool
    ) throws -> TransferRun {
        let id = try row.requiredText("run_uuid")
        let tags = try texts(db, "SELECT key, value FROM tags WHERE run_uuid = ?", [id])
        let named = tags.first { $0.key == "mlflow.runName" }?.value
        let metrics =
            hasLatest
            ? try Row.fetchAll(
                db,
                sql: """
                    SELECT key, value, timestamp, step, is_nan FROM latest_metrics
                    WHERE run_uuid = ? ORDER BY key
                    """, arguments: [id]) : []
        return TransferRun(
            id: RunID(id), experiment: experiment, name: row.text("name") ?? named ?? "",
            user: row.text("user_id") ?? "",
            status: RunStatus(rawValue: row.text("status") ?? "") ?? .running,
            startTime: row.number("start_time") ?? 0, endTime: row.number("end_time"),
            artifactURI: row.text("artifact_uri") ?? "",
            params: try texts(db, "SELECT key, value FROM params WHERE run_uuid = ?", [id]),
            tags: tags,
            metrics: try metrics.map { row in
                TransferRun.Metric(
                    key: try row.requiredText("key"), value: Self.value(row),
                    timestamp: row.number("timestamp") ?? 0, step: row.number("step") ?? 0)
            })
    }

    private static func value(_ row: Row) -> Double {
        row.number("is_nan") ?? 0 != 0 ? .nan : row.real("value") ?? .nan
    }

    private static func addInputs(_ db: Database, _ run: inout TransferRun, step: String) throws {
        run.datasets = try Row.fetchAll(
            db,
            sql: """
                SELECT d.*, i.input_uuid FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id
                WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN'
                    AND i.destination_id = ? ORDER BY d.name, d.digest
                """, arguments: [run.id.rawValue]
        ).map { row in
            let input = row.text("input_uuid") ?? ""
            return TransferRun.Dataset(
                name: row.text("name") ?? "", digest: row.text("digest") ?? "",
                sourceType: row.text("dataset_source_type") ?? "",
                source: row.text("dataset_source") ?? "", schema: row.text("dataset_schema"),
                profile: row.text("dataset_profile"),
                tags: try texts(
                    db, "SELECT name, value FROM input_tags WHERE input_uuid = ?", [input]))
        }
        let inputs = try links(db, of: run.id, "RUN_INPUT", step: step)
        let outputs = try links(db, of: run.id, "RUN_OUTPUT", step: step)
        run.modelInputs = inputs.map(\.model)
        run.modelOutputs = outputs
    }

    /// The logged models that a run read, or made.
    private static func links(
        _ db: Database, of run: RunID, _ kind: String, step: String
    ) throws -> [TransferRun.Output] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT destination_id, \(step) AS step FROM inputs
                WHERE source_type = ? AND source_id = ? ORDER BY destination_id
                """, arguments: [kind, run.rawValue]
        ).map {
            TransferRun.Output(
                model: LoggedModelID(try $0.requiredText("destination_id")),
                step: $0.number("step") ?? 0)
        }
    }

    package func points(
        of run: TransferRun, after cursor: PointsCursor
    ) async throws -> (points: [TransferPoints], next: PointsCursor?) {
        let limit = ImportRun.pointsPerLine
        return try await database.read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT rowid, key, value, timestamp, step, is_nan FROM metrics
                    WHERE run_uuid = ? AND rowid > ? ORDER BY rowid LIMIT ?
                    """, arguments: [run.id.rawValue, cursor.row, limit])
            var byKey: [ExactText: TransferPoints] = [:]
            for row in rows {
                guard let key = row.text("key") else { continue }
                byKey[ExactText(key), default: TransferPoints(key: key)].append(
                    value: Self.value(row), timestamp: row.number("timestamp") ?? 0,
                    step: row.number("step") ?? 0)
            }
            var next = cursor
            next.row = rows.last?.number("rowid") ?? cursor.row
            return (byKey.values.sorted { $0.key < $1.key }, rows.count == limit ? next : nil)
        }
    }

    static func texts(
        _ db: Database, _ sql: String, _ arguments: StatementArguments
    ) throws -> [NamedText] {
        try Row.fetchAll(db, sql: sql + " ORDER BY 1", arguments: arguments)
            .compactMap { row in
                guard let first = row.text(at: 0) else { return nil }
                return NamedText(key: first, value: row.text(at: 1) ?? "")
            }
    }

    /// The column, or what stands for it in files of older versions.
    private func column(_ table: String, _ name: String, else other: String) -> String {
        columns[table]?.contains(name) == true ? name : other
    }

    func has(_ table: String) -> Bool { columns[table] != nil }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }
}
