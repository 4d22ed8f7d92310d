package import AloftDomain
package import Foundation

extension RegistryQueries {
    private static let selectVersion = """
        SELECT v.*, m.name FROM modelVersion v JOIN registeredModel m ON m.number = v.model
        """

    /// Adds the next version to a model. Where only the logged model is given, its run is the
    /// version's too. Numbers are never given twice, not even after a version was deleted.
    ///
    /// - Throws: `RegistryError.modelNotFound`.
    @discardableResult
    package static func createVersion(
        _ db: Transaction, _ new: NewModelVersion, who: Principal, at: Date
    ) throws -> ModelVersionRecord {
        let row = try db.firstRow(
            "SELECT number, lastVersion FROM registeredModel WHERE name = ?", [new.name])
        guard let row else { throw RegistryError.modelNotFound(name: new.name) }
        let number: Int64 = try row["number"]
        let version: Int64 = try row["lastVersion"] + 1
        let project = try project(db, new.name)
        let now = at.millisecondsSince1970
        var run = new.run
        if run == nil, let model = new.loggedModel {
            run = try LoggedModelQueries.get(db, model).sourceRun
        }
        try db.perform(
            "UPDATE registeredModel SET lastVersion = ?, updatedAt = ? WHERE number = ?",
            [version, now, number])
        try db.perform(
            """
            INSERT INTO modelVersion (model, version, description, source, runId, runLink,
                loggedModel, userId, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                number, version, new.description, new.source, run?.rawValue ?? "", new.runLink,
                new.loggedModel?.rawValue, try PersonQueries.registrar(db, who, of: run), now, now,
            ])
        for tag in new.tags { try upsertTag(db, number, version, tag) }
        try EventLog.append(
            db, at: at, project: project, entity: "version", entityID: "\(new.name)/\(version)",
            what: "registered", who: who,
            payload: [
                "model": .string(new.name), "version": .int(version), "source": .string(new.source),
                "run": run.map { .string($0.rawValue) } ?? .null,
            ])
        if let logged = new.loggedModel {
            try LoggedModelQueries.noteVersion(db, logged, name: new.name, version: version)
        }
        try tellWebhooks(db, of: new, number: version, model: number, run: run, at: at)
        return try self.version(db, new.name, version)
    }

    /// - Throws: `RegistryError` if there is no such model or version.
    package static func version(
        _ db: Transaction, _ name: String, _ version: Int64
    ) throws -> ModelVersionRecord {
        let row = try db.firstRow(
            selectVersion + " WHERE m.name = ? AND v.version = ?", [name, version])
        guard let row else { throw RegistryError.versionNotFound(name: name, version: version) }
        return try fillVersion(db, row)
    }

    /// The version that an alias points to.
    ///
    /// - Throws: `RegistryError` if there is no such model or alias.
    package static func version(
        _ db: Transaction, _ name: String, alias: String
    ) throws -> ModelVersionRecord {
        let number = try modelNumber(db, name)
        // Nobody can give this alias; clients ask for it.
        if alias.lowercased() == "latest" {
            let last: Int64? = try db.firstValue(
                "SELECT max(version) FROM modelVersion WHERE model = ?", [number])
            guard let version = last else {
                throw RegistryError.aliasNotFound(name: name, alias: alias)
            }
            return try self.version(db, name, version)
        }
        let version: Int64? = try db.firstValue(
            "SELECT version FROM modelAlias WHERE model = ? AND alias = ?", [number, alias])
        guard let version else { throw RegistryError.aliasNotFound(name: name, alias: alias) }
        return try self.version(db, name, version)
    }

    /// The newest version of a model that came from this run; `nil` also where there is no such
    /// model.
    package static func version(
        _ db: Transaction, _ name: String, of run: RunID
    ) throws -> ModelVersionRecord? {
        try db.firstRow(
            selectVersion + " WHERE m.name = ? AND v.runId = ? ORDER BY v.version DESC LIMIT 1",
            [name, run.rawValue]
        ).map { try fillVersion(db, $0) }
    }

    /// All versions of a model, newest first.
    package static func versions(_ db: Transaction, of name: String) throws -> [ModelVersionRecord]
    {
        let number = try modelNumber(db, name)
        return try db.allRows(
            selectVersion + " WHERE v.model = ? ORDER BY v.version DESC", [number]
        ).map { try fillVersion(db, $0) }
    }

    /// The newest version of each of these stages; of every stage if none is named.
    package static func latestVersions(
        _ db: Transaction, _ name: String, stages: [ModelStage]
    ) throws -> [ModelVersionRecord] {
        let number = try modelNumber(db, name)
        let rows = try db.allRows(
            selectVersion + """
                 WHERE v.model = ? AND v.version = (SELECT max(version) FROM modelVersion
                    WHERE model = v.model AND stage = v.stage)
                ORDER BY v.version
                """, [number])
        return try rows.map { try fillVersion(db, $0) }
            .filter { stages.isEmpty || stages.contains($0.stage) }
    }

    package static func describeVersion(
        _ db: Transaction, _ name: String, _ version: Int64, description: String, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        try db.perform(
            "UPDATE modelVersion SET description = ?, updatedAt = ? WHERE model = ? AND version = ?",
            [description, at.millisecondsSince1970, found.modelNumber, version])
    }

    /// Moves a version to a stage; with `archivingOthers` the others in that stage become archived.
    package static func setStage(
        _ db: Transaction, _ name: String, _ version: Int64, _ stage: ModelStage,
        archivingOthers: Bool, who: Principal, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        let now = at.millisecondsSince1970
        if archivingOthers {
            try db.perform(
                """
                UPDATE modelVersion SET stage = 'Archived', updatedAt = ?
                WHERE model = ? AND stage = ? AND version <> ?
                """, [now, found.modelNumber, stage.rawValue, version])
        }
        try db.perform(
            "UPDATE modelVersion SET stage = ? WHERE model = ? AND version = ?",
            [stage.rawValue, found.modelNumber, version])
        try touch(db, found, at: at)
        try EventLog.appendCounted(
            db, at: at, project: try project(db, name), entity: "version",
            entityID: "\(name)/\(version)", what: "staged", who: who,
            payload: ["stage": .string(stage.rawValue)])
    }

    /// Deletes a version and its aliases.
    package static func deleteVersion(
        _ db: Transaction, _ name: String, _ version: Int64, who: Principal, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        try db.perform(
            "DELETE FROM modelVersion WHERE model = ? AND version = ?",
            [found.modelNumber, version])
        try touch(db, model: found.modelNumber, at: at)
        try EventLog.append(
            db, at: at, project: try project(db, name), entity: "version",
            entityID: "\(name)/\(version)", what: "deleted", who: who)
    }

    package static func setVersionTag(
        _ db: Transaction, _ name: String, _ version: Int64, _ tag: NamedText, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        try upsertTag(db, found.modelNumber, version, tag)
        try touch(db, found, at: at)
        try WebhookOutbox.add(
            db, model: found.modelNumber, .modelVersionTag, orOfPrompt: .promptVersionTag, .set,
            at: at
        ) {
            [
                "name": .string(name), "version": .string(String(version)),
                "key": .string(tag.key), "value": .string(tag.value),
            ]
        }
    }

    /// Deleting a tag that is not there changes nothing.
    package static func deleteVersionTag(
        _ db: Transaction, _ name: String, _ version: Int64, key: String, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        try db.perform(
            "DELETE FROM modelVersionTag WHERE model = ? AND version = ? AND key = ?",
            [found.modelNumber, version, key])
        try touch(db, found, at: at)
        try WebhookOutbox.add(
            db, model: found.modelNumber, .modelVersionTag, orOfPrompt: .promptVersionTag, .deleted,
            at: at
        ) {
            [
                "name": .string(name), "version": .string(String(version)), "key": .string(key),
            ]
        }
    }

    /// Points an alias to a version; it moves if it is there.
    package static func setAlias(
        _ db: Transaction, _ name: String, alias: String, version: Int64, who: Principal, at: Date
    ) throws {
        let found = try self.version(db, name, version)
        try db.perform(
            """
            INSERT INTO modelAlias VALUES (?, ?, ?)
            ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version
            """, [found.modelNumber, alias, version])
        try touch(db, model: found.modelNumber, at: at)
        try EventLog.appendCounted(
            db, at: at, project: try project(db, name), entity: "version",
            entityID: "\(name)/\(version)", what: "aliased", who: who,
            payload: ["alias": .string(alias)])
        try WebhookOutbox.add(
            db, model: found.modelNumber, .modelVersionAlias, orOfPrompt: .promptAlias, .created,
            at: at
        ) {
            [
                "name": .string(name), "alias": .string(alias),
                "version": .string(String(version)),
            ]
        }
    }

    /// Deleting an alias that is not there changes nothing.
    package static func deleteAlias(
        _ db: Transaction, _ name: String, alias: String, at: Date
    ) throws {
        let number = try modelNumber(db, name)
        try db.perform("DELETE FROM modelAlias WHERE model = ? AND alias = ?", [number, alias])
        try touch(db, model: number, at: at)
        try WebhookOutbox.add(
            db, model: number, .modelVersionAlias, orOfPrompt: .promptAlias, .deleted, at: at
        ) { ["name": .string(name), "alias": .string(alias)] }
    }

    static func fillVersion(_ db: Transaction, _ row: RowReader) throws -> ModelVersionRecord {
        let model: Int64 = try row["model"]
        let version: Int64 = try row["version"]
        let run: String = try row["runId"]
        var record = try ModelVersionRecord(
            modelNumber: model, name: row["name"], version: version,
            stage: row.word("stage"), description: row["description"],
            source: row["source"], run: run.isEmpty ? nil : RunID(run), runLink: row["runLink"],
            loggedModel: (row["loggedModel"] as String?).map { LoggedModelID($0) },
            user: row["userId"], createdAt: row["createdAt"], updatedAt: row["updatedAt"])
        record.tags = try db.allRows(
            "SELECT key, value FROM modelVersionTag WHERE model = ? AND version = ? ORDER BY key",
            [model, version]
        ).map { try NamedText(key: $0["key"], value: $0["value"]) }
        record.aliases = try db.allValues(
            "SELECT alias FROM modelAlias WHERE model = ? AND version = ? ORDER BY alias",
            [model, version]
        )
        return record
    }

    private static func tellWebhooks(
        _ db: Transaction, of new: NewModelVersion, number version: Int64, model: Int64,
        run: RunID?,
        at: Date
    ) throws {
        let textTag = "mlflow.prompt.text"
        let isPrompt = new.tags.contains { $0.key == "mlflow.prompt.is_prompt" }
        try WebhookOutbox.add(
            db, isPrompt ? .promptVersion : .modelVersion, .created, at: at
        ) {
            var data: [String: JSONValue] = [
                "name": .string(new.name), "version": .string(String(version)),
                "tags": WebhookOutbox.tags(new.tags.filter { $0.key != textTag }),
                "description": new.description.isEmpty ? .null : .string(new.description),
            ]
            if isPrompt {
                data["template"] =
                    new.tags.last { $0.key == textTag }.map { .string($0.value) } ?? .null
            } else {
                data["source"] = .string(new.source)
                data["run_id"] = run.map { .string($0.rawValue) } ?? .null
            }
            return data
        }
    }

    private static func touch(_ db: Transaction, _ version: ModelVersionRecord, at: Date) throws {
        try db.perform(
            "UPDATE modelVersion SET updatedAt = ? WHERE model = ? AND version = ?",
            [at.millisecondsSince1970, version.modelNumber, version.version])
        try touch(db, model: version.modelNumber, at: at)
    }

    private static func upsertTag(
        _ db: Transaction, _ model: Int64, _ version: Int64, _ tag: NamedText
    ) throws {
        try db.perform(
            """
            INSERT INTO modelVersionTag VALUES (?, ?, ?, ?)
            ON CONFLICT (model, version, key) DO UPDATE SET value = excluded.value
            """, [model, version, tag.key, tag.value])
    }
}
