import AloftArtifacts
import AloftDomain
import AloftStore
import Hummingbird

struct LoggedModelCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("logged-models", .begin, of: Subjects.newLoggedModel, create)
        calls.postSearch("logged-models/search", .read, of: Subjects.experiments, search)
        calls.get("logged-models/:model", .read, of: Subjects.loggedModel, get)
        calls.patch("logged-models/:model", .record, of: Subjects.loggedModel, finish)
        calls.delete("logged-models/:model", .discard, of: Subjects.loggedModel, delete)
        calls.patch("logged-models/:model/tags", .record, of: Subjects.loggedModelTags, setTags)
        calls.delete("logged-models/:model/tags/:key", .record, of: Subjects.loggedModel, deleteTag)
        calls.post("logged-models/:model/params", .record, of: Subjects.loggedModel, logParams)
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let experiment = try FieldReader.experimentID(fields)
        let name = try FieldReader.text(fields, "name") ?? RandomName.make(service.chance)
        try Self.checkName(name)
        let sourceRun = try FieldReader.text(fields, "source_run_id").map { RunID($0) }
        let new = NewLoggedModel(
            id: service.chance.identifier(prefix: "m-"), experiment: experiment, name: name,
            modelType: try fields.optionalString("model_type") ?? "", sourceRun: sourceRun,
            params: try Self.params(fields), tags: try Self.tags(fields))
        let (who, at) = (call.principal, service.time.now())
        let model = try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.create(db, new, at: at)
            try AccessQueries.note(db, who, made: .loggedModel, new.id.rawValue)
            return try LoggedModelQueries.get(db, new.id)
        }
        return Self.document(model)
    }

    private static func checkName(_ name: String) throws {
        guard !name.unicodeScalars.contains(where: { "/:.%\"'".unicodeScalars.contains($0) }),
            name.unicodeScalars.count <= 500
        else {
            throw ProtocolError.invalid(
                "Invalid model name ('\(name.prefix(100))') provided. Model name must not hold any "
                    + "of ('/', ':', '.', '%', '\"', ''') and have at most 500 characters.")
        }
    }

    private static func params(_ fields: Fields) throws -> [NamedText] {
        try fields.objects("params").map(FieldReader.newParam)
    }

    private static func tags(_ fields: Fields) throws -> [NamedText] {
        try FieldReader.newTags(fields, "tags")
    }

    private static func document(_ model: LoggedModelRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("model") { $0.loggedModelMembers(model) }
        }
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        return Self.document(try await service.store.read { try LoggedModelQueries.get($0, id) })
    }

    private func finish(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let text = try call.fields.string("status")
        guard let status = LoggedModelStatus(rawValue: text) else {
            throw ProtocolError.invalidValue("\"\(text.prefix(100))\"", "status")
        }
        let message = try call.fields.optionalString("status_message")
        let at = service.time.now()
        let model = try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.setStatus(db, id, status, message: message, at: at)
            return try LoggedModelQueries.get(db, id)
        }
        return Self.document(model)
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let (who, at) = (call.principal, service.time.now())
        try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.delete(db, id, at: at)
            try AuditLog(db, by: who, at: at).loggedModel(id, "deleted")
        }
        return MLflowService.empty
    }

    private func setTags(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let tags = try Self.tags(call.fields)
        let (who, at) = (call.principal, service.time.now())
        let model = try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.setTags(db, LoggedModelQueries.number(db, id), tags)
            let model = try LoggedModelQueries.get(db, id)
            if model.status == .ready {
                try AuditLog(db, by: who, at: at).loggedModel(
                    id, "changed",
                    ["tags": .array(tags.prefix(20).map { .string($0.key) })])
            }
            return model
        }
        return Self.document(model)
    }

    private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let key = call.parameter("key")
        let (who, at) = (call.principal, service.time.now())
        try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.deleteTag(db, id, key: key)
            try AuditLog(db, by: who, at: at).loggedModel(
                id, "changed", ["tagsDeleted": .array([.string(key)])])
        }
        return MLflowService.empty
    }

    private func logParams(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let params = try Self.params(call.fields)
        try await service.store.write(as: .tracking) { db in
            try LoggedModelQueries.setParams(db, LoggedModelQueries.number(db, id), params)
        }
        return MLflowService.empty
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let ids = try FieldReader.experimentIDs(fields)
        guard fields.has("experiment_ids"), ids.count <= 1000 else {
            throw ProtocolError.missing("experiment_ids")
        }
        guard !ids.isEmpty else { return MLflowService.empty }
        // Whoever asks for more gets this many and a token.
        let limit = min(try fields.maxResults(default: 50, limit: .max), 50_000)
        let after = try PageToken.position(fields)
        var search = LoggedModelSearch(
            experiments: ids, limit: limit, after: after)
        search.conditions = try LoggedModelSearchParser.conditions(fields.optionalString("filter"))
        let orders = try fields.objects("order_by")
        try OrderClause.check(count: orders.count)
        search.orders = try orders.map(LoggedModelSearchParser.order)
        search.datasets = try fields.objects("datasets").map { dataset in
            guard let name = try FieldReader.text(dataset, "dataset_name") else {
                throw ProtocolError.invalid(
                    "`dataset_name` in the `datasets` clause must be specified.")
            }
            return LoggedModelSearch.Dataset(
                name: name, digest: try FieldReader.text(dataset, "dataset_digest"))
        }
        let wanted = search
        let found = try await service.store.search { try LoggedModelQueries.search($0, wanted) }
        return Page(found).document("models") { writer, model in
            writer.loggedModel(model)
        }
    }
}
