import AloftDomain
import AloftStore
import Hummingbird

/// What a run logs.
struct LoggingCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("runs/log-metric", .record, of: Subjects.loggedMetric, logMetric)
        calls.post("runs/log-parameter", .record, of: Subjects.run, logParam)
        calls.post("runs/set-tag", .record, of: Subjects.run, setTag)
        calls.post("runs/delete-tag", .record, of: Subjects.run, deleteTag)
        calls.raw(.post, "runs/log-batch", .record) { request, context in
            try await logBatch(request, context.bearer, context.principal)
        }
        calls.postLarge("runs/log-inputs", .record, of: Subjects.runOfModels, logInputs)
        calls.post("runs/outputs", .record, of: Subjects.runOfModels, logOutputs)
        calls.postLarge("runs/log-model", .record, of: Subjects.run, logModel)
    }

    nonisolated(nonsending) private func logMetric(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let series = try FieldReader.metric(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.log(to: id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.log(db, run, [series])
            try AuditLog(db, by: who, at: at).ended(
                run, "changed", ["metrics": .array([.string(series.key)])])
            return run
        }
        return MLflowService.empty
    }

    nonisolated(nonsending) private func logParam(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let param = try FieldReader.param(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.log(to: id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.logParam(db, run, param)
            try AuditLog(db, by: who, at: at).ended(
                run, "changed", ["params": .array([.string(param.key)])])
            return run
        }
        return MLflowService.empty
    }

    nonisolated(nonsending) private func setTag(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let tag = try FieldReader.runTag(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.log(to: id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.setTag(db, run, tag)
            try AuditLog(db, by: who, at: at).ended(
                run, "changed", ["tags": .array([.string(tag.key)])])
            return run
        }
        return MLflowService.empty
    }

    nonisolated(nonsending) private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let key = try call.fields.string("key")
        let (who, at) = (call.principal, service.time.now())
        try await service.log(to: id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.deleteTag(db, run, key: key)
            try AuditLog(db, by: who, at: at).ended(
                run, "changed", ["tagsDeleted": .array([.string(key)])])
            return run
        }
        return MLflowService.empty
    }

    private static let batchLimit = 1_000_000

    nonisolated(nonsending) private func logBatch(
        _ request: Request, _ bearer: Bearer, _ who: Principal
    ) async throws -> Response {
        let buffer = try await MLflowBody.collect(request, limit: Self.batchLimit)
        let usual = buffer.withUnsafeReadableBytes { LogBatchReader.read($0) }
        let batch: LogBatch
        if let usual {
            batch = usual
        } else {
            batch = try LogBatch(MLflowBody.fields(buffer))
        }
        if bearer != .person {
            let (run, models) = (batch.run, Set(batch.metrics.compactMap(\.context.model)))
            try await service.access.check(bearer, .record) { queries in
                try [Claim(queries.run(run))]
                    + models.map { Claim(try queries.loggedModel($0), .read) }
            }
        }
        let at = service.time.now()
        try await service.log(to: batch.run) { db in
            let run = try TrackingQueries.activeRun(db, batch.run)
            try TrackingQueries.log(db, run, batch.metrics)
            for param in batch.params { try TrackingQueries.logParam(db, run, param) }
            for tag in batch.tags { try TrackingQueries.setTag(db, run, tag) }
            try AuditLog(db, by: who, at: at).ended(run, "changed", batch.named)
            return run
        }
        return MLflowBody.json(MLflowService.empty)
    }

    private func logInputs(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.plainRunID(call.fields)
        let datasets = try call.fields.objects("datasets").compactMap(Self.datasetInput)
        let models = try call.fields.objects("models").map {
            LoggedModelID(try $0.string("model_id"))
        }
        try await service.change(id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.logDatasets(db, run, datasets)
            try TrackingQueries.logModelInputs(db, run, models)
        }
        return MLflowService.empty
    }

    /// `nil` for an input without a dataset, which the protocol lets pass.
    private static func datasetInput(_ fields: Fields) throws -> DatasetInput? {
        let tags = try fields.objects("tags").map { tag in
            NamedText(key: try tag.text("key", limit: 255), value: try shortValue(tag))
        }
        guard let dataset = try fields.object("dataset") else { return nil }
        let record = DatasetRecord(
            name: try limited(dataset, "name", 500) ?? "",
            digest: try limited(dataset, "digest", 36) ?? "",
            sourceType: try limited(dataset, "source_type", 65_535) ?? "",
            source: try limited(dataset, "source", 65_535) ?? "",
            schema: try limited(dataset, "schema", 1_048_575),
            profile: try limited(dataset, "profile", 16_777_215))
        return DatasetInput(dataset: record, tags: tags)
    }

    private static func shortValue(_ fields: Fields) throws -> String {
        try limited(fields, "value", 500) ?? ""
    }

    private static func limited(_ fields: Fields, _ name: String, _ limit: Int) throws -> String? {
        guard let text = try fields.optionalString(name) else { return nil }
        guard text.utf8.count <= limit || text.unicodeScalars.count <= limit else {
            throw ProtocolError.tooLong(fields.path(of: name), limit: limit)
        }
        return text
    }

    private func logOutputs(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        guard call.fields.has("models") else { throw ProtocolError.missing("models") }
        let outputs = try call.fields.objects("models").map {
            ModelOutput(
                model: LoggedModelID(try $0.string("model_id")),
                step: try $0.optionalInt("step") ?? 0)
        }
        try await service.change(id) { db in
            let run = try TrackingQueries.activeRun(db, id)
            try TrackingQueries.logModelOutputs(db, run, outputs)
        }
        return MLflowService.empty
    }

    /// Older clients note a logged model in a tag, as a list that grows.
    private func logModel(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let text = try call.fields.string("model_json")
        let model = try Self.json(text)
        guard case .object(let members)? = model else {
            throw ProtocolError.invalid("Malformed model info. 'model_json' is no JSON object.")
        }
        for name in ["run_id", "artifact_path", "utc_time_created", "flavors"]
        where members[name] == nil {
            throw ProtocolError.invalid("Model json is missing mandatory fields: \(name)")
        }
        try await service.change(id) { db in
            let key = "mlflow.log-model.history"
            var models: [JSONValue] = []
            if let old = try TrackingQueries.tag(db, id, key: key),
                case .array(let items)? = try Self.json(old)
            {
                models = items
            }
            models.append(.object(members))
            var writer = JSONWriter()
            writer.value(.array(models))
            let value = String(decoding: writer.bytes, as: UTF8.self)
            try TrackingQueries.setTag(db, id, NamedText(key: key, value: value))
        }
        return MLflowService.empty
    }

    private static func json(_ text: String) throws -> JSONValue? {
        var text = text
        return text.withUTF8 { try? JSONReader.read(UnsafeRawBufferPointer($0)) }
    }
}

extension LogBatch {
    /// The names of what it writes, the first of many.
    fileprivate var named: [String: JSONValue] {
        func some(_ names: [String]) -> JSONValue { .array(names.prefix(20).map { .string($0) }) }
        return [
            "metrics": some(metrics.map(\.key)), "params": some(params.map(\.key)),
            "tags": some(tags.map(\.key)),
        ]
    }
}
