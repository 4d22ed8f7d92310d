import AloftDomain
package import AloftWire
import GRDB

extension MLflowDatabaseSource {
    package func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel> {
        guard has("logged_models") else { return Page(items: [], next: nil) }
        let limit = 100
        let (items, last, count) = try await read { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM logged_models WHERE experiment_id = ?
                        AND coalesce(lifecycle_stage, 'active') = 'active' AND model_id > ?
                    ORDER BY model_id LIMIT ?
                    """, arguments: [Int64(experiment), page ?? "", limit])
            let items = rows.compactMap { row in
                readable("logged model", row, "model_id") {
                    try Self.loggedModel(db, row, experiment)
                }
            }
            return (items, rows.last?.text("model_id"), rows.count)
        }
        return Page(items: items, next: count == limit ? last : nil)
    }

    private static func loggedModel(
        _ db: Database, _ row: Row, _ experiment: String
    ) throws -> TransferLoggedModel {
        let id = try row.requiredText("model_id")
        let status: LoggedModelStatus =
            switch row.number("status") ?? 0 {
            case 2: .ready
            case 3: .failed
            default: .pending
            }
        return TransferLoggedModel(
            id: LoggedModelID(id), experiment: experiment, name: row.text("name") ?? "",
            modelType: row.text("model_type") ?? "",
            sourceRun: row.text("source_run_id").flatMap { $0.isEmpty ? nil : RunID($0) },
            artifactURI: row.text("artifact_location") ?? "", status: status,
            statusMessage: row.text("status_message"),
            createdAt: row.number("creation_timestamp_ms") ?? 0,
            updatedAt: row.number("last_updated_timestamp_ms") ?? 0,
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
                    key: try row.requiredText("metric_name"),
                    value: row.real("metric_value") ?? .nan,
                    timestamp: row.number("metric_timestamp_ms") ?? 0,
                    step: row.number("metric_step") ?? 0, run: RunID(row.text("run_id") ?? ""),
                    datasetName: row.text("dataset_name"),
                    datasetDigest: row.text("dataset_digest"))
            })
    }

    package func models() async throws -> [TransferModel] {
        guard has("registered_models") else { return [] }
        let hasAliases = has("registered_model_aliases")
        return try await read { db in
            try Row.fetchAll(
                db, sql: "SELECT * FROM registered_models ORDER BY name"
            ).compactMap { row in
                readable("model", row, "name") {
                    let name = try row.requiredText("name")
                    let aliases =
                        hasAliases
                        ? try Row.fetchAll(
                            db,
                            sql: """
                                SELECT alias, version FROM registered_model_aliases WHERE name = ?
                                ORDER BY alias
                                """, arguments: [name]) : []
                    return TransferModel(
                        name: name, description: row.text("description") ?? "",
                        createdAt: row.number("creation_time") ?? 0,
                        updatedAt: row.number("last_updated_time") ?? 0,
                        tags: try Self.texts(
                            db, "SELECT key, value FROM registered_model_tags WHERE name = ?",
                            [name]),
                        aliases: aliases.compactMap { row in
                            guard let alias = row.text("alias"), let version = row.number("version")
                            else { return nil }
                            return .init(alias: alias, version: version)
                        },
                        versions: try versions(db, of: name))
                }
            }
        }
    }

    private func versions(
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
        ).compactMap { row in
            readable("a version of model '\(name)':", row, "version") {
                let version = try row.requiredNumber("version")
                let source = row.text("source") ?? ""
                let stage = row.text("current_stage") ?? ""
                return TransferModel.Version(
                    version: version, stage: stage.isEmpty ? "None" : stage,
                    description: row.text("description") ?? "", source: source,
                    run: row.text("run_id").flatMap { $0.isEmpty ? nil : RunID($0) },
                    runLink: row.text("run_link") ?? "",
                    loggedModel: TransferModel.loggedModel(in: source),
                    user: row.text("user_id") ?? "", createdAt: row.number("creation_time") ?? 0,
                    updatedAt: row.number("last_updated_time") ?? 0,
                    tags: try Self.texts(
                        db,
                        "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?",
                        [name, version]))
            }
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
