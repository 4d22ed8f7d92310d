import AloftDomain
import AloftStore
import Hummingbird

struct RegisteredModelCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("registered-models/create", .register, of: Subjects.model, create)
        calls.get("registered-models/get", .read, of: Subjects.model, get)
        calls.post("registered-models/rename", .discard, of: Subjects.renamedModel, rename)
        calls.patch("registered-models/update", .steer, of: Subjects.model, update)
        calls.delete("registered-models/delete", .discard, of: Subjects.model, delete)
        calls.getSearch("registered-models/search", .read, of: Subjects.list, search)
        calls.post(
            "registered-models/get-latest-versions", .read, of: Subjects.model, latestVersions)
        calls.get(
            "registered-models/get-latest-versions", .read, of: Subjects.model, latestVersions)
        calls.post("registered-models/set-tag", .steer, of: Subjects.model, setTag)
        calls.delete("registered-models/delete-tag", .steer, of: Subjects.model, deleteTag)
        calls.post("registered-models/alias", .steer, of: Subjects.model, setAlias)
        calls.delete("registered-models/alias", .steer, of: Subjects.model, deleteAlias)
        calls.get("registered-models/alias", .read, of: Subjects.model, getAlias)
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.newName(call.fields, "name")
        let description = try call.fields.optionalString("description") ?? ""
        let tags = try RegistryFields.tags(call.fields)
        let (who, at) = (call.principal, service.time.now())
        let project = call.project
        let model = try await service.store.write { db in
            let model = try RegistryQueries.createModel(
                db, name: name, project: project, description: description, tags: tags, who: who,
                at: at)
            try AccessQueries.note(db, who, madeModel: name)
            return model
        }
        return Self.document(model)
    }

    private static func document(_ model: RegisteredModelRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("registered_model") { $0.registeredModelMembers(model) }
        }
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        return Self.document(try await service.store.read { try RegistryQueries.model($0, name) })
    }

    private func rename(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let newName = try RegistryFields.newName(call.fields, "new_name")
        let (who, at) = (call.principal, service.time.now())
        let model = try await service.store.write { db in
            try RegistryQueries.renameModel(db, name, to: newName, who: who, at: at)
            return try RegistryQueries.model(db, newName)
        }
        return Self.document(model)
    }

    private func update(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let description = try call.fields.optionalString("description") ?? ""
        let (who, at) = (call.principal, service.time.now())
        let model = try await service.change(.model, name) { db in
            try RegistryQueries.describeModel(db, name, description: description, at: at)
            try AuditLog(db, by: who, at: at).model(name, "described")
            return try RegistryQueries.model(db, name)
        }
        return Self.document(model)
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.store.write {
            try RegistryQueries.deleteModel($0, name, who: who, at: at)
        }
        return MLflowService.empty
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let limit = try call.fields.maxResults(default: 100, limit: 1000)
        let after = try PageToken.position(call.fields)
        var search = ModelSearch(
            conditions: try RegistrySearchParser.modelConditions(
                call.fields.optionalString("filter")),
            orders: try RegistrySearchParser.modelOrders(call.fields.strings("order_by")),
            limit: limit, after: after)
        search.project = call.narrowedProject
        let wanted = search
        let found = try await service.store.search { try RegistryQueries.search($0, wanted) }
        return Page(found).document("registered_models") {
            writer, model in writer.object { $0.registeredModelMembers(model) }
        }
    }

    private func latestVersions(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let stages = try call.fields.strings("stages").map(RegistryFields.stage)
        let versions = try await service.store.read { db in
            try RegistryQueries.latestVersions(db, name, stages: stages)
        }
        return JSONWriter.document { writer in
            writer.list("model_versions", versions) { writer, one in writer.modelVersion(one) }
        }
    }

    private func setTag(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let tag = try RegistryFields.tag(call.fields, maxValue: 100_000)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.model, name) {
            try RegistryQueries.setModelTag($0, name, tag, at: at)
            try AuditLog($0, by: who, at: at).model(
                name, "changed", ["tags": .array([.string(tag.key)])])
        }
        return MLflowService.empty
    }

    private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let key = try call.fields.string("key")
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.model, name) { db in
            try RegistryQueries.deleteModelTag(db, name, key: key, at: at)
            try AuditLog(db, by: who, at: at).model(
                name, "changed", ["tagsDeleted": .array([.string(key)])])
        }
        return MLflowService.empty
    }

    private func setAlias(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let alias = try RegistryFields.newAlias(call.fields)
        let version = try RegistryFields.version(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.store.write { db in
            try RegistryQueries.setAlias(
                db, name, alias: alias, version: version, who: who, at: at)
        }
        return MLflowService.empty
    }

    private func deleteAlias(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let alias = try RegistryFields.alias(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.model, name) { db in
            let before = try RegistryQueries.model(db, name).aliases.first {
                $0.alias.isSame(as: alias)
            }
            try RegistryQueries.deleteAlias(db, name, alias: alias, at: at)
            guard let before else { return }
            try AuditLog(db, by: who, at: at).version(
                name, before.version, "aliasDeleted", ["alias": .string(alias)])
        }
        return MLflowService.empty
    }

    private func getAlias(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let alias = try RegistryFields.alias(call.fields)
        let version = try await service.store.read { db in
            try RegistryQueries.version(db, name, alias: alias)
        }
        return ModelVersionCalls.document(version)
    }
}

/// Fields of the registry's calls.
enum RegistryFields {
    static func name(_ fields: Fields) throws -> String {
        try plainName(fields.string("name"), "name")
    }

    static func newName(_ fields: Fields, _ name: String) throws -> String {
        try plainName(fields.text(name, limit: 256), name)
    }

    private static func plainName(_ text: String, _ field: String) throws -> String {
        guard !text.holds("/"), !text.holds(":") else {
            throw ProtocolError.invalid(
                "Invalid model name '\(text.prefix(300))'. Names cannot contain '/' or ':'.")
        }
        guard text.unicodeScalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw ProtocolError.missing(field)
        }
        try ValueRules.checkPath(text, field)
        return text
    }

    static func alias(_ fields: Fields) throws -> String {
        let alias = try fields.string("alias")
        let isPlain = alias.unicodeScalars.allSatisfy {
            switch $0 {
            case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
            default: false
            }
        }
        guard isPlain else {
            throw ProtocolError.invalid(
                "Invalid alias name: '\(alias.prefix(300))'. Names may only contain alphanumerics, "
                    + "underscores (_), and dashes (-).")
        }
        guard alias.utf8.count <= 255 else {
            throw ProtocolError.tooLong("Registered model alias name", limit: 255)
        }
        return alias
    }

    static func newAlias(_ fields: Fields) throws -> String {
        let alias = try alias(fields)
        guard alias.lowercased() != "latest" else {
            throw ProtocolError.invalid("'latest' alias name (case insensitive) is reserved.")
        }
        let digits = alias.utf8.dropFirst()
        let isVersion =
            alias.lowercased().begins(with: "v") && !digits.isEmpty
            && digits.allSatisfy { (48...57).contains($0) }
        guard !isVersion else {
            throw ProtocolError.invalid("Version alias name '\(alias)' is reserved.")
        }
        return alias
    }

    static func version(_ fields: Fields) throws -> Int64 {
        if case .int(let number)? = fields.value("version") { return number }
        let text = try fields.string("version")
        guard let number = Int64(text) else {
            throw ProtocolError.invalid(
                "Parameter 'version' must be an integer, got '\(text.prefix(100))'.")
        }
        return number
    }

    static func stage(_ text: String) throws -> ModelStage {
        guard
            let stage = ModelStage.allCases.first(where: {
                $0.rawValue.lowercased() == text.lowercased()
            })
        else {
            throw ProtocolError.invalid(
                "Invalid Model Version stage: \(text.prefix(100)). Value must be one of None, "
                    + "Staging, Production, Archived.")
        }
        return stage
    }

    static func tag(_ fields: Fields, maxValue: Int) throws -> NamedText {
        let key = try fields.string("key")
        try ValueRules.checkKey(key, fields.path(of: "key"))
        let value = try fields.optionalString("value") ?? ""
        guard value.utf8.count <= maxValue || value.unicodeScalars.count <= maxValue else {
            // Clients know a prompt that is too long by these words.
            throw key.isSame(as: "mlflow.prompt.text")
                ? ProtocolError.invalid("Prompt text exceeds max length of \(maxValue) characters.")
                : ProtocolError.tooLong(fields.path(of: "value"), limit: maxValue)
        }
        return NamedText(key: key, value: value)
    }

    static func tags(_ fields: Fields) throws -> [NamedText] {
        try fields.objects("tags").map { try tag($0, maxValue: 100_000) }
    }
}
