package import AloftDomain
package import Foundation

/// A logged model of another tracker.
package struct IncomingLoggedModel: Sendable {
    package struct Metric: Sendable {
        package var key: String
        package var point: MetricPoint
        package var run: RunID
        package var context: MetricContext

        package init(key: String, point: MetricPoint, run: RunID, context: MetricContext) {
            self.key = key
            self.point = point
            self.run = run
            self.context = context
        }
    }

    package var source: String
    package var fingerprint: String
    package var model: NewLoggedModel
    /// Kept where its files stay where they are.
    package var artifactURI: String?
    package var status: LoggedModelStatus
    package var statusMessage: String?
    package var createdAt: Int64
    package var updatedAt: Int64
    package var metrics: [Metric]

    package init(
        source: String, fingerprint: String, model: NewLoggedModel, artifactURI: String?,
        status: LoggedModelStatus, statusMessage: String?, createdAt: Int64, updatedAt: Int64,
        metrics: [Metric]
    ) {
        self.source = source
        self.fingerprint = fingerprint
        self.model = model
        self.artifactURI = artifactURI
        self.status = status
        self.statusMessage = statusMessage
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.metrics = metrics
    }
}

extension ImportQueries {
    /// Inserts a logged model, or brings one that was imported before up to date.
    ///
    /// - Returns: whether it is new.
    /// - Throws: `ImportError`, `TrackingError`.
    package static func loggedModel(
        _ db: Transaction, _ incoming: IncomingLoggedModel, at: Date
    ) throws -> Bool {
        let id = incoming.model.id
        let isNew: Bool
        switch try state(db, .loggedModel, id.rawValue) {
        case .unknown: isNew = true
        case .taken: isNew = false
        case .deleted: throw ImportError.deletedHere(id: id.rawValue)
        case .foreign: throw ImportError.foreign(id: id.rawValue)
        }
        if isNew { try LoggedModelQueries.create(db, incoming.model, at: at) }
        let number = try LoggedModelQueries.number(db, id)
        try LoggedModelQueries.setParams(db, number, incoming.model.params)
        try LoggedModelQueries.setTags(db, number, incoming.model.tags)
        try db.perform(
            """
            UPDATE loggedModel SET status = ?, statusMessage = ?, createdAt = ?, updatedAt = ?,
                artifactUri = coalesce(?, artifactUri) WHERE number = ?
            """,
            [
                incoming.status.rawValue, incoming.statusMessage, incoming.createdAt,
                incoming.updatedAt, isNew ? incoming.artifactURI : nil, number,
            ])
        for metric in incoming.metrics {
            let context = try TrackingQueries.contextNumber(db, metric.context)
            try db.perform(
                """
                INSERT INTO loggedModelMetric (model, key, run, context, step, timestamp, value)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (model, key, run, context, step, timestamp) DO NOTHING
                """,
                [
                    number, metric.key, metric.run.rawValue, context, metric.point.step,
                    metric.point.timestamp, TrackingQueries.stored(metric.point.value),
                ])
        }
        try note(
            db, .loggedModel, id.rawValue, source: incoming.source,
            fingerprint: incoming.fingerprint, at: at)
        return isNew
    }
}

/// A registered model of another tracker.
package struct IncomingModel: Sendable {
    package var source: String
    package var name: String
    package var description: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText]
    package var aliases: [ModelAlias]
    package var versions: [ModelVersionRecord]

    package init(
        source: String, name: String, description: String, createdAt: Int64, updatedAt: Int64,
        tags: [NamedText], aliases: [ModelAlias], versions: [ModelVersionRecord]
    ) {
        self.source = source
        self.name = name
        self.description = description
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tags = tags
        self.aliases = aliases
        self.versions = versions
    }
}

/// What became of a registered model.
package struct ModelImport: Sendable, Equatable {
    package var isNew = false
    package var newVersions = 0
    package var conflicts: [String] = []
}

extension ImportQueries {
    /// Inserts a registered model with its versions, or adds to one of its name the versions and
    /// aliases that it does not have. What is here stays as it is.
    package static func model(
        _ db: Transaction, _ incoming: IncomingModel, who: Principal, at: Date
    ) throws -> ModelImport {
        var result = ModelImport()
        let holder = try RegistryQueries.project(db, incoming.name)
        if try db.firstRow("SELECT 1 FROM registeredModel WHERE name = ?", [incoming.name]) == nil {
            result.isNew = true
            try db.perform(
                """
                INSERT INTO registeredModel (project, name, description, createdAt, updatedAt)
                VALUES (?, ?, ?, ?, ?)
                """,
                [
                    holder.rawValue, incoming.name, incoming.description,
                    incoming.createdAt, incoming.updatedAt,
                ])
        }
        let number = try RegistryQueries.modelNumber(db, incoming.name)
        let last: Int64? = try db.firstValue(
            "SELECT lastVersion FROM registeredModel WHERE number = ?", [number])
        let target = Target(number: number, name: incoming.name, lastVersion: last ?? 0)
        for tag in incoming.tags {
            try db.perform(
                "INSERT INTO registeredModelTag VALUES (?, ?, ?) ON CONFLICT (model, key) DO NOTHING",
                [number, tag.key, tag.value])
        }
        for version in incoming.versions {
            try add(db, version, to: target, &result)
        }
        for alias in incoming.aliases { try add(db, alias, to: target, &result) }
        guard result.isNew || result.newVersions > 0 else { return result }
        try EventLog.append(
            db, at: at, project: holder, entity: "model", entityID: incoming.name,
            what: "imported", who: who,
            payload: [
                "source": .string(incoming.source), "versions": .int(Int64(result.newVersions)),
            ])
        return result
    }

    private struct Target {
        let number: Int64
        let name: String
        /// Before the import.
        let lastVersion: Int64
    }

    private static func add(
        _ db: Transaction, _ version: ModelVersionRecord, to target: Target,
        _ result: inout ModelImport
    ) throws {
        let (model, name) = (target.number, target.name)
        let here: Int64? = try db.firstValue(
            "SELECT createdAt FROM modelVersion WHERE model = ? AND version = ?",
            [model, version.version])
        if let here {
            if here != version.createdAt {
                result.conflicts.append(
                    "version \(version.version) of \(name) is another one here; it stays")
            }
            return
        }
        guard version.version > target.lastVersion else {
            result.conflicts.append(
                "version \(version.version) of \(name) was deleted here; it does not come back")
            return
        }
        try db.perform(
            """
            INSERT INTO modelVersion (model, version, stage, description, source, runId, runLink,
                loggedModel, userId, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                model, version.version, version.stage.rawValue, version.description, version.source,
                version.run?.rawValue ?? "", version.runLink, version.loggedModel?.rawValue,
                version.user, version.createdAt, version.updatedAt,
            ])
        for tag in version.tags {
            try db.perform(
                """
                INSERT INTO modelVersionTag VALUES (?, ?, ?, ?)
                ON CONFLICT (model, version, key) DO NOTHING
                """, [model, version.version, tag.key, tag.value])
        }
        try db.perform(
            "UPDATE registeredModel SET lastVersion = \(Dialect.greatest("lastVersion", "?")) "
                + "WHERE number = ?",
            [version.version, model])
        result.newVersions += 1
    }

    private static func add(
        _ db: Transaction, _ alias: ModelAlias, to target: Target, _ result: inout ModelImport
    ) throws {
        let (model, name) = (target.number, target.name)
        let here: Int64? = try db.firstValue(
            "SELECT version FROM modelAlias WHERE model = ? AND alias = ?", [model, alias.alias])
        if let here {
            if here != alias.version {
                result.conflicts.append(
                    "alias \(alias.alias) of \(name) points to version \(here) here and to "
                        + "\(alias.version) there; it stays")
            }
            return
        }
        let version = try db.firstRow(
            "SELECT 1 FROM modelVersion WHERE model = ? AND version = ?", [model, alias.version])
        guard version != nil else {
            result.conflicts.append(
                "alias \(alias.alias) of \(name) points to version \(alias.version), which is not "
                    + "there")
            return
        }
        try db.perform(
            "INSERT INTO modelAlias VALUES (?, ?, ?)", [model, alias.alias, alias.version])
    }
}
