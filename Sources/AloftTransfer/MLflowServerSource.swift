import AloftDomain
package import AloftWire
import Foundation

/// A server that speaks the tracking protocol: MLflow's own, or Aloft.
package struct MLflowServerSource: TransferSource {
    private let connection: SourceConnection
    private let folders: LocalPlaces
    package let faults = TransferFaults()

    /// - Parameters:
    ///   - artifacts: where files with a path of the server's own machine are found here.
    ///   - trustsPaths: whether files of this machine are read wherever the server says they are.
    package init(connection: SourceConnection, artifacts: String?, trustsPaths: Bool = false) {
        self.connection = connection
        folders = LocalPlaces(base: nil, artifacts: artifacts, trustsPaths: trustsPaths)
    }

    package var identity: String { connection.address }

    private static let root = "/api/2.0/mlflow/"

    package func experiments() async throws -> [TransferExperiment] {
        struct Body: Encodable {
            var max_results = 1000
            var view_type = "ACTIVE_ONLY"
            var page_token: String?
        }
        var body = Body()
        var found: [TransferExperiment] = []
        repeat {
            let reply: MLflowMessages.Experiments = try await connection.post(
                Self.root + "experiments/search", body)
            found += readable(reply.experiments).map { item in
                TransferExperiment(
                    id: item.experiment_id, name: item.name,
                    artifactLocation: item.artifact_location ?? "",
                    createdAt: item.creation_time ?? 0, updatedAt: item.last_update_time ?? 0,
                    tags: (item.tags ?? []).map(\.text))
            }
            body.page_token = reply.next_page_token
        } while body.page_token?.isEmpty == false
        return found.sorted { Self.isOlder($0.id, $1.id) }
    }

    private func readable<Item>(_ list: MLflowMessages.Readable<Item>?) -> [Item] {
        for name in list?.unreadable ?? [] { faults.note(name, "it is not as expected") }
        return list?.items ?? []
    }

    static func isOlder(_ left: String, _ right: String) -> Bool {
        guard let first = Int64(left), let second = Int64(right) else { return left < right }
        return first < second
    }

    package func runs(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferRun> {
        struct Body: Encodable {
            var experiment_ids: [String]
            var run_view_type = "ACTIVE_ONLY"
            var max_results = 500
            var order_by = ["attributes.start_time ASC"]
            var page_token: String?
        }
        let reply: MLflowMessages.Runs = try await connection.post(
            Self.root + "runs/search", Body(experiment_ids: [experiment], page_token: page))
        return Page(
            items: readable(reply.runs).map(TransferRun.init),
            next: reply.next_page_token.flatMap { $0.isEmpty ? nil : $0 })
    }

    package func points(
        of run: TransferRun, after cursor: PointsCursor
    ) async throws -> (points: [TransferPoints], next: PointsCursor?) {
        guard run.metrics.indices.contains(cursor.metric) else { return ([], nil) }
        let key = run.metrics[cursor.metric].key
        var query = [
            ("run_id", run.id.rawValue), ("run_uuid", run.id.rawValue), ("metric_key", key),
            ("max_results", String(ImportRun.pointsPerLine)),
        ]
        if let page = cursor.page { query.append(("page_token", page)) }
        let reply: MLflowMessages.History = try await connection.get(
            Self.root + "metrics/get-history", query)
        var points = TransferPoints(key: key)
        for metric in reply.metrics ?? [] {
            points.append(
                value: metric.value.value, timestamp: metric.timestamp ?? 0, step: metric.step ?? 0)
        }
        var next = cursor
        next.page = reply.next_page_token.flatMap { $0.isEmpty ? nil : $0 }
        if next.page == nil { next.metric += 1 }
        return ([points], next.metric < run.metrics.count ? next : nil)
    }

    package func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel> {
        struct Body: Encodable {
            var experiment_ids: [String]
            var max_results = 50
            var page_token: String?
        }
        let reply: MLflowMessages.LoggedModels
        do {
            reply = try await connection.post(
                Self.root + "logged-models/search",
                Body(experiment_ids: [experiment], page_token: page))
        } catch let error as SourceError where error.isRefusal && page == nil {
            // Servers before MLflow 3 know no logged models.
            return Page(items: [], next: nil)
        }
        return Page(
            items: readable(reply.models).map(TransferLoggedModel.init),
            next: reply.next_page_token.flatMap { $0.isEmpty ? nil : $0 })
    }

    package func place(of uri: String) -> ArtifactPlace {
        guard let path = ArtifactURI.proxied(uri) else { return folders.place(of: uri) }
        return .here(ProxyReader(connection: connection, root: path))
    }

    package func leftOut() async throws -> [LeftOut] {
        [
            LeftOut(
                "traces, webhooks, evaluation datasets, scorers and the like",
                "only experiments, runs, logged models and registered models are read from a server"
            )
        ]
    }
}

// Registered models.
extension MLflowServerSource {
    package func models() async throws -> [TransferModel] {
        // Prompts are registered models that a search shows only where it names them.
        let prompts = "tag.`mlflow.prompt.is_prompt` = 'true'"
        let plain = try await models(filter: "")
        let all = plain + ((try? await models(filter: prompts)) ?? [])
        var seen: Set<ExactText> = []
        var result: [TransferModel] = []
        for model in all where seen.insert(ExactText(model.name)).inserted {
            do {
                result.append(try await complete(model))
            } catch  where TransferFault.isOfOne(error) {
                faults.note("model '\(model.name)'", error)
            }
        }
        return result.sorted { $0.name < $1.name }
    }

    private func models(filter: String) async throws -> [MLflowMessages.Model] {
        var query = [("max_results", "500"), ("filter", filter)]
        var found: [MLflowMessages.Model] = []
        while true {
            let reply: MLflowMessages.Models = try await connection.get(
                Self.root + "registered-models/search", query)
            found += readable(reply.registered_models)
            guard let next = reply.next_page_token, !next.isEmpty else { return found }
            query = [("max_results", "500"), ("filter", filter), ("page_token", next)]
        }
    }

    private func complete(_ model: MLflowMessages.Model) async throws -> TransferModel {
        let one: MLflowMessages.OneModel = try await connection.get(
            Self.root + "registered-models/get", [("name", model.name)])
        let whole = one.registered_model
        let isPrompt = (whole.tags ?? []).contains {
            $0.key == "mlflow.prompt.is_prompt" && $0.value == "true"
        }
        let versions = try await versions(of: model.name, isPrompt: isPrompt)
        return TransferModel(
            name: whole.name, description: whole.description ?? "",
            createdAt: whole.creation_timestamp ?? 0,
            updatedAt: whole.last_updated_timestamp ?? 0, tags: (whole.tags ?? []).map(\.text),
            aliases: (whole.aliases ?? []).compactMap { alias in
                Int64(alias.version).map { TransferModel.Alias(alias: alias.alias, version: $0) }
            }, versions: versions)
    }

    private func versions(
        of name: String, isPrompt: Bool
    ) async throws -> [TransferModel.Version] {
        let quoted = name.replacing(scalar: "'", with: "''")
        let filter =
            "name = '\(quoted)'"
            + (isPrompt ? " AND tag.`mlflow.prompt.is_prompt` = 'true'" : "")
        var found: [MLflowMessages.Version] = []
        var page: String?
        repeat {
            var query = [("max_results", "1000"), ("filter", filter)]
            if let page { query.append(("page_token", page)) }
            let reply: MLflowMessages.Versions = try await connection.get(
                Self.root + "model-versions/search", query)
            found += readable(reply.model_versions)
            page = reply.next_page_token
        } while page?.isEmpty == false
        return found.compactMap(TransferModel.Version.init).sorted { $0.version < $1.version }
    }
}
