package import AloftDomain
package import Foundation

package struct LoggedModelMetric: Sendable, Equatable {
    package var key: String
    package var point: MetricPoint
    package var context: MetricContext
    package var run: RunID
}

package struct LoggedModelRecord: Sendable, Equatable {
    package var number: Int64
    package var id: LoggedModelID
    package var experiment: ExperimentID
    package var name: String
    package var modelType: String
    package var sourceRun: RunID?
    package var artifactURI: String
    package var status: LoggedModelStatus
    package var statusMessage: String?
    package var createdAt: Int64
    package var updatedAt: Int64
    package var params: [NamedText] = []
    package var tags: [NamedText] = []
    package var metrics: [LoggedModelMetric] = []
    /// The model versions made of it.
    package var registrations: [Registration] = []

    package struct Registration: Sendable, Equatable {
        package var name: String
        package var version: Int64
    }
}

/// A logged model to create.
package struct NewLoggedModel: Sendable {
    package var id: LoggedModelID
    package var experiment: ExperimentID
    package var name: String
    package var modelType: String
    package var sourceRun: RunID?
    package var params: [NamedText]
    package var tags: [NamedText]

    package init(
        id: LoggedModelID, experiment: ExperimentID, name: String, modelType: String = "",
        sourceRun: RunID? = nil, params: [NamedText] = [], tags: [NamedText] = []
    ) {
        self.id = id
        self.experiment = experiment
        self.name = name
        self.modelType = modelType
        self.sourceRun = sourceRun
        self.params = params
        self.tags = tags
    }
}

package enum LoggedModelQueries {
    package static func create(_ db: Transaction, _ new: NewLoggedModel, at: Date) throws {
        let experiment = try TrackingQueries.activeExperiment(db, new.experiment)
        let root = experiment.artifactLocation.droppingLast("/")
        let now = at.millisecondsSince1970
        let number = try db.insert(
            """
            INSERT INTO loggedModel (id, experiment, name, modelType, sourceRun, artifactUri,
                status, createdAt, updatedAt)
            VALUES (?, ?, ?, ?, ?, ?, 'LOGGED_MODEL_PENDING', ?, ?)
            """,
            [
                new.id.rawValue, Int64(new.experiment.rawValue), new.name, new.modelType,
                new.sourceRun?.rawValue, "\(root)/models/\(new.id)/artifacts", now, now,
            ])
        try setParams(db, number, new.params)
        try setTags(db, number, new.tags)
    }

    /// - Throws: `TrackingError.loggedModelNotFound` if there is none or it is deleted.
    package static func number(_ db: Transaction, _ id: LoggedModelID) throws -> Int64 {
        let number: Int64? = try db.firstValue(
            "SELECT number FROM loggedModel WHERE id = ? AND lifecycleStage = 'active'",
            [id.rawValue])
        guard let number else { throw TrackingError.loggedModelNotFound(id.rawValue) }
        return number
    }

    /// - Throws: `TrackingError.loggedModelNotFound` if there is none or it is deleted.
    package static func get(_ db: Transaction, _ id: LoggedModelID) throws -> LoggedModelRecord {
        let row = try db.firstRow(
            "SELECT * FROM loggedModel WHERE id = ? AND lifecycleStage = 'active'", [id.rawValue])
        guard let row else { throw TrackingError.loggedModelNotFound(id.rawValue) }
        return try fill(db, row)
    }

    /// The models that a run logged, oldest first.
    package static func list(_ db: Transaction, of run: RunID) throws -> [LoggedModelRecord] {
        try db.allRows(
            """
            SELECT * FROM loggedModel WHERE sourceRun = ? AND lifecycleStage = 'active'
            ORDER BY number
            """, [run.rawValue]
        ).map { try fill(db, $0) }
    }

    package static func setStatus(
        _ db: Transaction, _ id: LoggedModelID, _ status: LoggedModelStatus, message: String? = nil,
        at: Date
    ) throws {
        try db.perform(
            """
            UPDATE loggedModel SET status = ?, statusMessage = coalesce(?, statusMessage),
                updatedAt = ? WHERE number = ?
            """, [status.rawValue, message, at.millisecondsSince1970, number(db, id)])
    }

    package static func delete(_ db: Transaction, _ id: LoggedModelID, at: Date) throws {
        try db.perform(
            "UPDATE loggedModel SET lifecycleStage = 'deleted', updatedAt = ? WHERE number = ?",
            [at.millisecondsSince1970, number(db, id)])
    }

    package static func setTags(_ db: Transaction, _ number: Int64, _ tags: [NamedText]) throws {
        for tag in tags {
            try db.perform(
                """
                INSERT INTO loggedModelTag VALUES (?, ?, ?)
                ON CONFLICT (model, key) DO UPDATE SET value = excluded.value
                """, [number, tag.key, tag.value])
        }
    }

    /// Adds a version to the tag in which clients look for those made of a model. Doing it again
    /// changes nothing.
    static func noteVersion(
        _ db: Transaction, _ id: LoggedModelID, name: String, version: Int64
    ) throws {
        let key = "mlflow.modelVersions"
        let found: Int64? = try db.firstValue(
            "SELECT number FROM loggedModel WHERE id = ?", [id.rawValue])
        guard let number = found else { return }
        let old: String? = try db.firstValue(
            "SELECT value FROM loggedModelTag WHERE model = ? AND key = ?", [number, key])
        var versions: [(name: String, version: Int64)] = []
        if let text = old,
            case .array(let known)? = try? StoredJSON.value(JSONValue.self, from: text)
        {
            versions = known.compactMap(Self.noted)
        }
        guard !versions.contains(where: { $0.name.isSame(as: name) && $0.version == version })
        else { return }
        // Spaced as Python spaces it: clients compare the text.
        let items = try (versions + [(name, version)]).map { one in
            let name = try StoredJSON.text(JSONValue.string(one.name))
            return "{\"name\": \(name), \"version\": \(one.version)}"
        }
        let text = "[\(items.joined(separator: ", "))]"
        try setTags(db, number, [NamedText(key: key, value: text)])
    }

    /// A version as the tag names it; its number may be a text.
    private static func noted(_ json: JSONValue) -> (name: String, version: Int64)? {
        guard let name = json["name"]?.stringValue else { return nil }
        switch json["version"] {
        case .int(let number)?: return (name, number)
        case .string(let text)?: return Int64(text).map { (name, $0) }
        default: return nil
        }
    }

    package static func deleteTag(_ db: Transaction, _ id: LoggedModelID, key: String) throws {
        try db.perform(
            "DELETE FROM loggedModelTag WHERE model = ? AND key = ?", [number(db, id), key])
        guard db.changesCount > 0 else {
            throw TrackingError.loggedModelTagNotFound(key: key, model: id.rawValue)
        }
    }

    package static func setParams(_ db: Transaction, _ number: Int64, _ params: [NamedText]) throws
    {
        for param in params {
            try db.perform(
                """
                INSERT INTO loggedModelParam VALUES (?, ?, ?)
                ON CONFLICT (model, key) DO UPDATE SET value = excluded.value
                """, [number, param.key, param.value])
        }
    }

    static func fill(_ db: Transaction, _ row: RowReader) throws -> LoggedModelRecord {
        let number: Int64 = try row["number"]
        let experiment: Int64 = try row["experiment"]
        let id: String = try row["id"]
        var model = try LoggedModelRecord(
            number: number, id: LoggedModelID(id), experiment: ExperimentID(String(experiment)),
            name: row["name"], modelType: row["modelType"],
            sourceRun: (row["sourceRun"] as String?).map { RunID($0) },
            artifactURI: row["artifactUri"],
            status: row.word("status"),
            statusMessage: row["statusMessage"], createdAt: row["createdAt"],
            updatedAt: row["updatedAt"])
        model.params = try TrackingQueries.texts(
            db, "SELECT key, value FROM loggedModelParam WHERE model = ? ORDER BY key", number)
        model.tags = try TrackingQueries.texts(
            db, "SELECT key, value FROM loggedModelTag WHERE model = ? ORDER BY key", number)
        model.metrics = try db.allRows(
            """
            SELECT key, run, context, step, timestamp, value FROM loggedModelMetric
            WHERE model = ? ORDER BY key, run, step, timestamp
            """, [number]
        ).map {
            try LoggedModelMetric(
                key: $0["key"], point: TrackingQueries.point($0),
                context: TrackingQueries.context(db, $0["context"]), run: RunID($0["run"]))
        }
        model.registrations = try db.allRows(
            """
            SELECT m.name, v.version FROM modelVersion v
            JOIN registeredModel m ON m.number = v.model WHERE v.loggedModel = ?
            ORDER BY m.name, v.version
            """, [id]
        ).map {
            try LoggedModelRecord.Registration(name: $0["name"], version: $0["version"])
        }
        return model
    }
}
