import AloftDomain
import AloftStore
import Foundation
import Hummingbird

struct ModelVersionCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("model-versions/create", .register, of: Subjects.newVersion, create)
        calls.get("model-versions/get", .read, of: Subjects.version, get)
        calls.patch("model-versions/update", .steer, of: Subjects.version, update)
        calls.delete("model-versions/delete", .discard, of: Subjects.version, delete)
        calls.post("model-versions/transition-stage", .steer, of: Subjects.model, setStage)
        calls.getSearch("model-versions/search", .read, of: Subjects.list, search)
        calls.get("model-versions/get-download-uri", .read, of: Subjects.version, downloadURI)
        calls.post("model-versions/set-tag", .steer, of: Subjects.version, setTag)
        calls.delete("model-versions/delete-tag", .steer, of: Subjects.version, deleteTag)
    }

    static func document(_ version: ModelVersionRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("model_version") { $0.modelVersionMembers(version) }
        }
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let new = NewModelVersion(
            name: try RegistryFields.name(fields),
            source: try fields.optionalString("source") ?? "",
            run: try FieldReader.text(fields, "run_id").map { RunID($0) },
            loggedModel: try FieldReader.text(fields, "model_id").map { LoggedModelID($0) },
            runLink: try fields.optionalString("run_link") ?? "",
            description: try fields.optionalString("description") ?? "",
            tags: try RegistryFields.tags(fields))
        let isPrompt = new.tags.contains { $0.key == RegistrySearchParser.promptTag }
        guard isPrompt || !new.source.isEmpty else { throw ProtocolError.missing("source") }
        let (who, at) = (call.principal, service.time.now())
        let version = try await service.store.write { db in
            if !isPrompt { try ModelSource(new.source).check(db, run: new.run) }
            let version = try RegistryQueries.createVersion(db, new, who: who, at: at)
            try AccessQueries.note(db, who, madeModel: new.name, version: version.version)
            return version
        }
        return Self.document(version)
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        Self.document(try await found(call))
    }

    private func found(_ call: Call) async throws -> ModelVersionRecord {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        return try await service.store.read { try RegistryQueries.version($0, name, version) }
    }

    private func update(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        let description = try call.fields.optionalString("description") ?? ""
        let (who, at) = (call.principal, service.time.now())
        let changed = try await service.change(.version, "\(name)/\(version)") { db in
            try RegistryQueries.describeVersion(
                db, name, version, description: description, at: at)
            try AuditLog(db, by: who, at: at).version(name, version, "described")
            return try RegistryQueries.version(db, name, version)
        }
        return Self.document(changed)
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.store.write { db in
            try RegistryQueries.deleteVersion(db, name, version, who: who, at: at)
        }
        return MLflowService.empty
    }

    private func setStage(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        let stage = try RegistryFields.stage(call.fields.string("stage"))
        let archives = try call.fields.bool("archive_existing_versions")
        guard !archives || stage == .staging || stage == .production else {
            throw ProtocolError.invalid(
                "archive_existing_versions goes with the stages Staging and Production only.")
        }
        let (who, at) = (call.principal, service.time.now())
        let changed = try await service.store.write { db in
            try RegistryQueries.setStage(
                db, name, version, stage, archivingOthers: archives, who: who, at: at)
            return try RegistryQueries.version(db, name, version)
        }
        return Self.document(changed)
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let limit = try call.fields.maxResults(default: 200_000, limit: 200_000)
        let after = try PageToken.position(call.fields)
        var search = VersionSearch(
            conditions: try RegistrySearchParser.versionConditions(
                call.fields.optionalString("filter")),
            orders: try RegistrySearchParser.versionOrders(call.fields.strings("order_by")),
            limit: limit, after: after)
        search.project = call.narrowedProject
        let wanted = search
        let found = try await service.store.search { try RegistryQueries.search($0, wanted) }
        return Page(found).document("model_versions") {
            writer, version in writer.modelVersion(version)
        }
    }

    private func downloadURI(_ call: Call) async throws -> [UInt8] {
        let version = try await found(call)
        let uri = try await service.store.read { db in
            try ModelSource(version.source).resolved(db)
        }
        return JSONWriter.document { $0.member("artifact_uri", uri) }
    }

    private func setTag(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        let tag = try RegistryFields.tag(call.fields, maxValue: 100_000)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.version, "\(name)/\(version)") { db in
            try RegistryQueries.setVersionTag(db, name, version, tag, at: at)
            try AuditLog(db, by: who, at: at).version(
                name, version, "changed", ["tags": .array([.string(tag.key)])])
        }
        return MLflowService.empty
    }

    private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let name = try RegistryFields.name(call.fields)
        let version = try RegistryFields.version(call.fields)
        let key = try call.fields.string("key")
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.version, "\(name)/\(version)") { db in
            try RegistryQueries.deleteVersionTag(db, name, version, key: key, at: at)
            try AuditLog(db, by: who, at: at).version(
                name, version, "changed", ["tagsDeleted": .array([.string(key)])])
        }
        return MLflowService.empty
    }
}
