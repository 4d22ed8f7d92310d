import AloftDomain
import AloftStore

// The protocol's entities as JSON.
extension JSONWriter {
    mutating func texts(_ name: StaticString, _ texts: [NamedText]) {
        list(name, texts) { writer, text in
            writer.object { writer in
                writer.member("key", text.key)
                writer.member("value", text.value)
            }
        }
    }

    mutating func experiment(_ experiment: ExperimentRecord) {
        object { writer in writer.experimentMembers(experiment) }
    }

    mutating func experimentMembers(_ experiment: ExperimentRecord) {
        member("experiment_id", experiment.id.rawValue)
        member("name", experiment.name)
        member("artifact_location", experiment.artifactLocation)
        member("lifecycle_stage", experiment.stage.rawValue)
        member("last_update_time", experiment.updatedAt)
        member("creation_time", experiment.createdAt)
        texts("tags", experiment.tags)
    }

    mutating func runInfo(_ name: StaticString, _ info: RunInfo) {
        object(name) { writer in
            writer.member("run_id", info.id.rawValue)
            writer.member("run_uuid", info.id.rawValue)
            writer.member("run_name", info.name)
            writer.member("experiment_id", info.experiment.rawValue)
            writer.member("user_id", info.user)
            writer.member("status", info.status.rawValue)
            writer.member("start_time", info.startTime)
            writer.member("end_time", info.endTime)
            writer.member("artifact_uri", info.artifactURI)
            writer.member("lifecycle_stage", info.stage.rawValue)
        }
    }

    mutating func run(_ run: RunRecord) {
        object { writer in writer.runMembers(run) }
    }

    mutating func runMembers(_ run: RunRecord) {
        runInfo("info", run.info)
        object("data") { writer in
            writer.list("metrics", run.metrics) { writer, metric in
                writer.metric(metric.key, metric.point, metric.context)
            }
            writer.texts("params", run.params)
            writer.texts("tags", run.tags)
        }
        object("inputs") { writer in
            writer.list("dataset_inputs", run.datasets) { writer, input in
                writer.datasetInput(input)
            }
            writer.list("model_inputs", run.modelInputs) { writer, model in
                writer.object { $0.member("model_id", model.rawValue) }
            }
        }
        guard !run.modelOutputs.isEmpty else { return }
        object("outputs") { writer in
            writer.list("model_outputs", run.modelOutputs) { writer, output in
                writer.object { writer in
                    writer.member("model_id", output.model.rawValue)
                    writer.member("step", output.step)
                }
            }
        }
    }

    mutating func metric(
        _ key: String, _ point: MetricPoint, _ context: MetricContext = .none, run: RunID? = nil
    ) {
        object { writer in
            writer.member("key", key)
            writer.member("value", point.value)
            writer.member("timestamp", point.timestamp)
            writer.member("step", point.step)
            writer.member("dataset_name", context.datasetName)
            writer.member("dataset_digest", context.datasetDigest)
            writer.member("model_id", context.model?.rawValue)
            writer.member("run_id", run?.rawValue)
        }
    }

    private mutating func datasetInput(_ input: DatasetInput) {
        object { writer in
            writer.texts("tags", input.tags)
            writer.object("dataset") { writer in
                writer.member("name", input.dataset.name)
                writer.member("digest", input.dataset.digest)
                writer.member("source_type", input.dataset.sourceType)
                writer.member("source", input.dataset.source)
                writer.member("schema", input.dataset.schema)
                writer.member("profile", input.dataset.profile)
            }
        }
    }

    mutating func loggedModel(_ model: LoggedModelRecord) {
        object { writer in writer.loggedModelMembers(model) }
    }

    mutating func loggedModelMembers(_ model: LoggedModelRecord) {
        object("info") { writer in
            writer.member("model_id", model.id.rawValue)
            writer.member("experiment_id", model.experiment.rawValue)
            writer.member("name", model.name)
            writer.member("creation_timestamp_ms", model.createdAt)
            writer.member("last_updated_timestamp_ms", model.updatedAt)
            writer.member("artifact_uri", model.artifactURI)
            writer.member("status", model.status.rawValue)
            writer.member("status_message", model.statusMessage)
            writer.member("model_type", model.modelType)
            writer.member("source_run_id", model.sourceRun?.rawValue)
            writer.texts("tags", model.tags)
            writer.list("registrations", model.registrations) { writer, registration in
                writer.object { writer in
                    writer.member("name", registration.name)
                    writer.member("version", String(registration.version))
                }
            }
        }
        object("data") { writer in
            writer.texts("params", model.params)
            writer.list("metrics", model.metrics) { writer, metric in
                var context = metric.context
                context.model = model.id
                writer.metric(metric.key, metric.point, context, run: metric.run)
            }
        }
    }

    mutating func registeredModelMembers(_ model: RegisteredModelRecord) {
        member("name", model.name)
        member("creation_timestamp", model.createdAt)
        member("last_updated_timestamp", model.updatedAt)
        if !model.description.isEmpty { member("description", model.description) }
        list("latest_versions", model.latest) { writer, version in writer.modelVersion(version) }
        texts("tags", model.tags)
        list("aliases", model.aliases) { writer, alias in
            writer.object { writer in
                writer.member("alias", alias.alias)
                writer.member("version", String(alias.version))
            }
        }
    }

    mutating func modelVersion(_ version: ModelVersionRecord) {
        object { writer in writer.modelVersionMembers(version) }
    }

    mutating func modelVersionMembers(_ version: ModelVersionRecord) {
        member("name", version.name)
        member("version", String(version.version))
        member("creation_timestamp", version.createdAt)
        member("last_updated_timestamp", version.updatedAt)
        member("current_stage", version.stage.rawValue)
        member("description", version.description)
        member("source", version.source)
        member("run_id", version.run?.rawValue ?? "")
        member("run_link", version.runLink)
        member("status", "READY")
        texts("tags", version.tags)
        list("aliases", version.aliases) { writer, alias in writer.string(alias) }
        member("model_id", version.loggedModel?.rawValue)
        if !version.user.isEmpty { member("user_id", version.user) }
    }
}
