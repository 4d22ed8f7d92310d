import AloftDomain
package import AloftWire
import GRDB

extension MLflowDatabaseSource {
    package func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel> {
        guard has("logged_models") else { return Page(items: [], next: nil) }
        let limit = 100
        let items = try await read { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM logged_models WHERE experiment_id = ?
                        AND coalesce(lifecycle_stage, 'active') = 'active' AND model_id > ?
                    ORDER BY model_id LIMIT ?
                    """, arguments: [Int64(experiment), page ?? "", limit]
            ).map { try Self.loggedModel(db, $0, experiment) }
        }
        return Page(items: items, next: items.count == limit ? items.last?.id.rawValue : nil)
    }

    private static func loggedModel(
        _ db: Database, _ row: Row, _ experiment: String
    ) throws -> TransferLoggedModel {
        let id: String = row["model_id"]
        let status: LoggedModelStatus =
            switch row["status"] as Int? ?? 0 {
            case 2: .ready
            case 3: .failed
            default: .pending
            }
        return TransferLoggedModel(
            id: LoggedModelID(id), experiment: experiment, name: row["name"],
            modelType: row["model_type"] ?? "",
            sourceRun: (row["source_run_id"] as String?).flatMap { $0.isEmpty ? nil : RunID($0) },
            artifactURI: row["artifact_location"], status: status,
            statusMessage: row["status_message"], createdAt: row["creation_timestamp_ms"],
            updatedAt: row["last_updated_timestamp_ms"],
            params: try texts(
                db, "SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?",
                [id]),
            tags: try texts(
                db, "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?", [id]),
            metrics: try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM logged_model_metrics WHERE model_id = ?
                    ORDER BY metric_name, metric_step, metric_timestamp_ms
                    """, arguments: [id]
            ).map { row in
                TransferLoggedModel.Metric(
                    key: row["metric_name"], value: row["metric_value"] ?? .nan,
                    timestamp: row["metric_timestamp_ms"], step: row["metric_step"],
                    run: RunID(row["run_id"]), datasetName: row["dataset_name"],
                    datasetDigest: row["dataset_digest"])
            })
    }

    package func models() async throws -> [TransferModel] {
        guard has("registered_models") else { return [] }
        let hasAliases = has("registered_model_aliases")
        return try await read { db in
            try Row.fetchAll(db, sql: "SELECT * FROM registered_models ORDER BY name").map { row in
                let name: String = row["name"]
                let aliases =
                    hasAliases
                    ? try Row.fetchAll(
                        db,
                        sql: """
                            SELECT alias, version FROM registered_model_aliases WHERE name = ?
                            ORDER BY alias
                            """, arguments: [name]) : []
                return TransferModel(
                    name: name, description: row["description"] ?? "",
                    createdAt: row["creation_time"] ?? 0, updatedAt: row["last_updated_time"] ?? 0,
                    tags: try Self.texts(
                        db, "SELECT key, value FROM registered_model_tags WHERE name = ?", [name]),
                    aliases: aliases.map { .init(alias: $0["alias"], version: $0["version"]) },
                    versions: try Self.versions(db, of: name))
            }
        }
    }

    private static func versions(
        _ db: Database, of name: String
    ) throws -> [TransferModel.Version] {
        // A version that was deleted there is kept as a row of an internal stage.
        try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM model_versions
                WHERE name = ? AND coalesce(current_stage, '') <> 'Deleted_Internal'
                ORDER BY version
                """, arguments: [name]
        ).map { row in
            let version: Int64 = row["version"]
            let source: String = row["source"] ?? ""
            let stage: String = row["current_stage"] ?? ""
            return TransferModel.Version(
                version: version, stage: stage.isEmpty ? "None" : stage,
                description: row["description"] ?? "", source: source,
                run: (row["run_id"] as String?).flatMap { $0.isEmpty ? nil : RunID($0) },
                runLink: row["run_link"] ?? "", loggedModel: TransferModel.loggedModel(in: source),
                user: row["user_id"] ?? "", createdAt: row["creation_time"] ?? 0,
                updatedAt: row["last_updated_time"] ?? 0,
                tags: try texts(
                    db, "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?",
                    [name, version]))
        }
    }

    package func leftOut() async throws -> [LeftOut] {
        let kinds = [
            ("trace_info", "traces"), ("webhooks", "webhooks"), ("scorers", "scorers"),
            ("evaluation_datasets", "evaluation datasets"), ("endpoints", "gateway endpoints"),
        ].filter { has($0.0) }
        return try await read { db in
            var left: [LeftOut] = []
            for (table, name) in kinds {
                let count = try Int.fetchOne(db, sql: "SELECT count(*) FROM \(table)") ?? 0
                if count > 0 { left.append(LeftOut("\(count) \(name)", "not imported")) }
            }
            let deleted =
                try Int.fetchOne(
                    db, sql: "SELECT count(*) FROM runs WHERE lifecycle_stage = 'deleted'") ?? 0
            if deleted > 0 { left.append(LeftOut("\(deleted) runs", "deleted there")) }
            return left
        }
    }
}
