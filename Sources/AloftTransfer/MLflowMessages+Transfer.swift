import AloftDomain
import AloftWire

extension TransferRun {
    init(_ item: MLflowMessages.Runs.Item) {
        let info = item.info
        self.init(
            id: RunID(info.run_id), experiment: info.experiment_id, name: info.run_name ?? "",
            user: info.user_id ?? "", status: RunStatus(rawValue: info.status) ?? .running,
            startTime: info.start_time ?? 0, endTime: info.end_time,
            artifactURI: info.artifact_uri ?? "", params: (item.data?.params ?? []).map(\.text),
            tags: (item.data?.tags ?? []).map(\.text),
            metrics: (item.data?.metrics ?? []).map {
                Metric(
                    key: $0.key, value: $0.value.value, timestamp: $0.timestamp ?? 0,
                    step: $0.step ?? 0)
            })
        datasets = (item.inputs?.dataset_inputs ?? []).compactMap { input in
            guard let set = input.dataset else { return nil }
            return Dataset(
                name: set.name, digest: set.digest, sourceType: set.source_type ?? "",
                source: set.source ?? "", schema: set.schema, profile: set.profile,
                tags: (input.tags ?? []).map(\.text))
        }
        modelInputs = (item.inputs?.model_inputs ?? []).map { LoggedModelID($0.model_id) }
        modelOutputs = (item.outputs?.model_outputs ?? []).map {
            Output(model: LoggedModelID($0.model_id), step: $0.step ?? 0)
        }
    }
}

extension TransferLoggedModel {
    init(_ item: MLflowMessages.LoggedModels.Item) {
        let info = item.info
        self.init(
            id: LoggedModelID(info.model_id), experiment: info.experiment_id,
            name: info.name ?? "", modelType: info.model_type ?? "",
            sourceRun: info.source_run_id.flatMap { $0.isEmpty ? nil : RunID($0) },
            artifactURI: info.artifact_uri ?? "",
            status: LoggedModelStatus(rawValue: info.status ?? "") ?? .pending,
            statusMessage: info.status_message, createdAt: info.creation_timestamp_ms ?? 0,
            updatedAt: info.last_updated_timestamp_ms ?? 0,
            params: (item.data?.params ?? []).map(\.text), tags: (info.tags ?? []).map(\.text),
            metrics: (item.data?.metrics ?? []).map {
                Metric(
                    key: $0.key, value: $0.value.value, timestamp: $0.timestamp ?? 0,
                    step: $0.step ?? 0, run: RunID($0.run_id ?? ""), datasetName: $0.dataset_name,
                    datasetDigest: $0.dataset_digest)
            })
    }
}

extension TransferModel.Version {
    init?(_ item: MLflowMessages.Version) {
        guard let number = Int64(item.version) else { return nil }
        let stage = item.current_stage.flatMap { $0.isEmpty ? nil : $0 } ?? "None"
        self.init(
            version: number, stage: stage, description: item.description ?? "",
            source: item.source ?? "",
            run: item.run_id.flatMap { $0.isEmpty ? nil : RunID($0) },
            runLink: item.run_link ?? "",
            loggedModel: item.model_id.flatMap { $0.isEmpty ? nil : LoggedModelID($0) }
                ?? TransferModel.loggedModel(in: item.source ?? ""),
            user: item.user_id ?? "", createdAt: item.creation_timestamp ?? 0,
            updatedAt: item.last_updated_timestamp ?? 0, tags: (item.tags ?? []).map(\.text))
    }
}

extension TransferModel {
    /// The logged model that a version's source `models:/m-…` names.
    static func loggedModel(in source: String) -> LoggedModelID? {
        guard let rest = source.rest(after: "models:/"), rest.begins(with: "m-"), !rest.holds("/")
        else { return nil }
        return LoggedModelID(String(rest))
    }
}
