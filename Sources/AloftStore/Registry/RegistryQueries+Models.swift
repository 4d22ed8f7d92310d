package import AloftDomain
package import Foundation

/// Reads and writes registered models. Writes belong into `Store.write`.
package enum RegistryQueries {}

extension RegistryQueries {
    /// - Throws: `RegistryError.modelExists` if the name is taken.
    @discardableResult
    package static func createModel(
        _ db: Transaction, name: String, project: ProjectID = .default, description: String = "",
        tags: [NamedText] = [], who: Principal, at: Date
    ) throws -> RegisteredModelRecord {
        if let number: Int64 = try db.firstValue(
            "SELECT number FROM registeredModel WHERE name = ?", [name])
        {
            let isPrompt = tags.contains {
                $0.key.isSame(as: "mlflow.prompt.is_prompt") && $0.value.isSame(as: "true")
            }
            throw RegistryError.taken(
                name, byPrompt: try WebhookOutbox.isPrompt(db, model: number), isPrompt: isPrompt)
        }
        let now = at.millisecondsSince1970
        // A name may be a project's before there is a model of it.
        let project = try NameOwnerQueries.find(db, .model, name)?.project ?? project
        let number = try db.insert(
            """
            INSERT INTO registeredModel (project, name, description, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, ?)
            """, [project.rawValue, name, description, now, now])
        for tag in tags { try upsertTag(db, model: number, tag) }
        try EventLog.appendCounted(
            db, at: at, project: project, entity: "model", entityID: name, what: "created", who: who
        )
        try WebhookOutbox.add(
            db, model: number, .registeredModel, orOfPrompt: .prompt, .created, at: at
        ) {
            [
                "name": .string(name), "tags": WebhookOutbox.tags(tags),
                "description": description.isEmpty ? .null : .string(description),
            ]
        }
        return try model(db, name)
    }

    /// The model of this name, created where there is none.
    package static func ensureModel(
        _ db: Transaction, name: String, project: ProjectID = .default, who: Principal, at: Date
    ) throws {
        if try db.firstRow("SELECT 1 FROM registeredModel WHERE name = ?", [name]) != nil { return }
        try createModel(db, name: name, project: project, who: who, at: at)
    }

    /// - Throws: `RegistryError.modelNotFound`.
    package static func model(_ db: Transaction, _ name: String) throws -> RegisteredModelRecord {
        guard let row = try db.firstRow("SELECT * FROM registeredModel WHERE name = ?", [name])
        else { throw RegistryError.modelNotFound(name: name) }
        return try fillModel(db, row)
    }

    /// A model keeps its project under its new name, so a name that another project has, or still has
    /// after its model was deleted, is not to be had.
    ///
    /// - Throws: `RegistryError.modelNotFound`, `.modelExists` or `.nameOfOther`.
    package static func renameModel(
        _ db: Transaction, _ name: String, to newName: String, who: Principal, at: Date
    ) throws {
        let number = try modelNumber(db, name)
        guard !newName.isSame(as: name) else { return }
        if try db.firstRow("SELECT 1 FROM registeredModel WHERE name = ?", [newName]) != nil {
            throw RegistryError.modelExists(name: newName)
        }
        let holder = try project(db, name)
        if let owner = try NameOwnerQueries.find(db, .model, newName), owner.project != holder {
            throw RegistryError.nameOfOther(owner, model: name, of: holder)
        }
        let now = at.millisecondsSince1970
        try db.perform(
            "UPDATE registeredModel SET name = ?, project = ?, updatedAt = ? WHERE number = ?",
            [newName, holder.rawValue, now, number])
        try db.perform("UPDATE modelVersion SET updatedAt = ? WHERE model = ?", [now, number])
        try EventLog.appendCounted(
            db, at: at, project: try project(db, newName), entity: "model", entityID: newName,
            what: "renamed", who: who, payload: ["from": .string(name)])
    }

    package static func describeModel(
        _ db: Transaction, _ name: String, description: String, at: Date
    ) throws {
        try db.perform(
            "UPDATE registeredModel SET description = ?, updatedAt = ? WHERE number = ?",
            [description, at.millisecondsSince1970, modelNumber(db, name)])
    }

    /// Deletes a model with its versions, tags and aliases.
    package static func deleteModel(
        _ db: Transaction, _ name: String, who: Principal, at: Date
    ) throws {
        let project = try Self.project(db, name)
        try db.perform(
            "DELETE FROM registeredModel WHERE number = ?", [modelNumber(db, name)])
        try EventLog.appendCounted(
            db, at: at, project: project, entity: "model", entityID: name, what: "deleted",
            who: who)
    }

    package static func setModelTag(
        _ db: Transaction, _ name: String, _ tag: NamedText, at: Date
    ) throws {
        let number = try modelNumber(db, name)
        try upsertTag(db, model: number, tag)
        try touch(db, model: number, at: at)
        try WebhookOutbox.add(db, model: number, nil, orOfPrompt: .promptTag, .set, at: at) {
            ["name": .string(name), "key": .string(tag.key), "value": .string(tag.value)]
        }
    }

    /// Deleting a tag that is not there changes nothing.
    package static func deleteModelTag(
        _ db: Transaction, _ name: String, key: String, at: Date
    ) throws {
        let number = try modelNumber(db, name)
        try db.perform("DELETE FROM registeredModelTag WHERE model = ? AND key = ?", [number, key])
        try touch(db, model: number, at: at)
        try WebhookOutbox.add(db, model: number, nil, orOfPrompt: .promptTag, .deleted, at: at) {
            ["name": .string(name), "key": .string(key)]
        }
    }

    static func modelNumber(_ db: Transaction, _ name: String) throws -> Int64 {
        let number: Int64? = try db.firstValue(
            "SELECT number FROM registeredModel WHERE name = ?", [name])
        guard let number else { throw RegistryError.modelNotFound(name: name) }
        return number
    }

    /// Whose a model is; `default` where it is nobody's.
    static func project(_ db: Transaction, _ name: String) throws -> ProjectID {
        try NameOwnerQueries.holder(ofModel: name, db) ?? .default
    }

    static func touch(_ db: Transaction, model: Int64, at: Date) throws {
        try db.perform(
            "UPDATE registeredModel SET updatedAt = ? WHERE number = ?",
            [at.millisecondsSince1970, model])
    }

    static func fillModel(_ db: Transaction, _ row: RowReader) throws -> RegisteredModelRecord {
        let number: Int64 = try row["number"]
        var model = try RegisteredModelRecord(
            number: number, project: ProjectID(row["project"]), name: row["name"],
            description: row["description"], createdAt: row["createdAt"],
            updatedAt: row["updatedAt"])
        model.tags = try TrackingQueries.texts(
            db, "SELECT key, value FROM registeredModelTag WHERE model = ? ORDER BY key", number)
        model.aliases = try db.allRows(
            "SELECT alias, version FROM modelAlias WHERE model = ? ORDER BY alias", [number]
        ).map { try ModelAlias(alias: $0["alias"], version: $0["version"]) }
        model.latest = try latestVersions(db, model.name, stages: [])
        return model
    }

    private static func upsertTag(_ db: Transaction, model: Int64, _ tag: NamedText) throws {
        try db.perform(
            """
            INSERT INTO registeredModelTag VALUES (?, ?, ?)
            ON CONFLICT (model, key) DO UPDATE SET value = excluded.value
            """, [model, tag.key, tag.value])
    }
}
