import AloftDomain
import AloftStore
import Foundation
import Hummingbird

struct ExperimentCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("experiments/create", .begin, of: Subjects.newExperiment, create)
        calls.get("experiments/get", .read, of: Subjects.experiment, get)
        calls.get("experiments/get-by-name", .read, of: Subjects.experimentByName, getByName)
        calls.postSearch("experiments/search", .read, of: Subjects.list, search)
        calls.getSearch("experiments/search", .read, of: Subjects.list, search)
        calls.post("experiments/update", .discard, of: Subjects.experiment, update)
        calls.post("experiments/delete", .discard, of: Subjects.experiment, delete)
        calls.post("experiments/restore", .discard, of: Subjects.experiment, restore)
        calls.post("experiments/set-experiment-tag", .record, of: Subjects.experiment, setTag)
        calls.post("experiments/delete-experiment-tag", .record, of: Subjects.experiment, deleteTag)
        calls.post("experiments/search-datasets", .read, of: Subjects.experiments, searchDatasets)
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        let name = try call.fields.text("name", limit: 500)
        let location = try call.fields.optionalString("artifact_location") ?? ""
        try Self.checkLocation(location)
        let tags = try FieldReader.tags(call.fields, "tags", maxValue: 20_000)
        let at = service.time.now()
        let (who, project) = (call.principal, call.project)
        let id = try await service.store.write { db in
            let id = try TrackingQueries.createExperiment(
                db, name: name, project: project, artifactLocation: location, tags: tags, at: at)
            try AccessQueries.note(db, who, made: .experiment, id.rawValue)
            return id
        }
        service.store.changed(.experiment, id.rawValue)
        service.chosen.note(call.principal, id)
        return JSONWriter.document { $0.member("experiment_id", id.rawValue) }
    }

    /// Artifacts' root: a plain path or URI, without a query, a fragment or a way out.
    private static func checkLocation(_ location: String) throws {
        let last = location.pieces(at: "/", keepingEmpty: true).last ?? ""
        guard !location.holds("#"), !last.holds(";") else {
            throw ProtocolError.invalid(
                "'artifact_location' URL can't include fragments or params.")
        }
        let decoded = location.removingPercentEncoding ?? location
        let leaves = decoded.pieces(atAnyOf: "/\\".unicodeScalars).contains { $0.isSame(as: "..") }
        guard !location.holds("?"), !leaves, location.utf8.count <= 4096
        else {
            throw ProtocolError.invalid(
                "Invalid artifact_location '\(location.prefix(200))': it may hold no query "
                    + "and no '..', and at most 4096 bytes.")
        }
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let found = try await service.store.read { try TrackingQueries.experiment($0, id) }
        guard let found else { throw TrackingError.experimentNotFound(id.rawValue) }
        service.chosen.note(call.principal, id)
        return Self.document(found)
    }

    private func getByName(_ call: Call) async throws -> [UInt8] {
        let name = try call.fields.string("experiment_name")
        let found = try await service.store.read { try TrackingQueries.experiment($0, named: name) }
        guard let found else {
            throw ProtocolError(
                .resourceDoesNotExist,
                "Could not find experiment with name '\(name.prefix(500))'")
        }
        service.chosen.note(call.principal, found.id)
        return Self.document(found)
    }

    private static func document(_ experiment: ExperimentRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("experiment") { $0.experimentMembers(experiment) }
        }
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let limit = try call.fields.maxResults(default: nil, limit: 50_000)
        let after = try PageToken.position(call.fields)
        var search = ExperimentSearch(
            stage: try FieldReader.stage(call.fields, "view_type"),
            conditions: try ExperimentSearchParser.conditions(
                call.fields.optionalString("filter")),
            orders: try ExperimentSearchParser.orders(call.fields.strings("order_by")),
            limit: limit, after: after)
        search.project = call.narrowedProject
        let wanted = search
        let found = try await service.store.search { try TrackingQueries.search($0, wanted) }
        return Page(found).document("experiments") { writer, one in
            writer.experiment(one)
        }
    }

    private func update(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let name = try call.fields.text("new_name", limit: 500)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.experiment, id.rawValue) { db in
            let before = try TrackingQueries.experiment(db, id)?.name
            try TrackingQueries.renameExperiment(db, id, to: name, at: at)
            try AuditLog(db, by: who, at: at).experiment(
                id, "renamed", ["from": .string(before ?? ""), "to": .string(name)])
        }
        return MLflowService.empty
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.experiment, id.rawValue) {
            try TrackingQueries.deleteExperiment($0, id, at: at)
            try AuditLog($0, by: who, at: at).experiment(id, "deleted")
        }
        return MLflowService.empty
    }

    private func restore(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.experiment, id.rawValue) {
            try TrackingQueries.restoreExperiment($0, id, at: at)
            try AuditLog($0, by: who, at: at).experiment(id, "restored")
        }
        return MLflowService.empty
    }

    private func setTag(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let tag = try FieldReader.tag(call.fields, maxValue: 20_000)
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.experiment, id.rawValue) {
            try TrackingQueries.setExperimentTag($0, id, tag, at: at)
            try AuditLog($0, by: who, at: at).experiment(
                id, "changed", ["tags": .array([.string(tag.key)])])
        }
        return MLflowService.empty
    }

    private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.experimentID(call.fields)
        let key = try call.fields.string("key")
        let (who, at) = (call.principal, service.time.now())
        try await service.change(.experiment, id.rawValue) { db in
            try TrackingQueries.deleteExperimentTag(db, id, key: key, at: at)
            try AuditLog(db, by: who, at: at).experiment(
                id, "changed", ["tagsDeleted": .array([.string(key)])])
        }
        return MLflowService.empty
    }

    private func searchDatasets(_ call: Call) async throws -> [UInt8] {
        let count = try call.fields.strings("experiment_ids").count
        guard count > 0 else {
            throw ProtocolError.invalid(
                "SearchDatasets request must specify at least one experiment_id.")
        }
        guard count <= 20 else {
            throw ProtocolError.invalid(
                "SearchDatasets request cannot specify more than 20 experiment_ids. Received "
                    + "\(count) experiment_ids.")
        }
        let ids = try FieldReader.experimentIDs(call.fields)
        let found = try await service.store.read { try TrackingQueries.datasetSummaries($0, ids) }
        return JSONWriter.document { writer in
            writer.list("dataset_summaries", found) { writer, one in
                writer.object { writer in
                    writer.member("experiment_id", one.experiment.rawValue)
                    writer.member("name", one.name)
                    writer.member("digest", one.digest)
                    writer.member("context", one.context)
                }
            }
        }
    }
}
