package import AloftDomain
package import Foundation

/// Writes what other trackers hold. Each call is whole in the transaction that it is called in, and
/// adds only what is new when it is made again.
package enum ImportQueries {
    /// What an import may bring.
    package enum Kind: String, Sendable { case run, loggedModel }

    /// How something stands that was named to an import.
    package enum State: Sendable, Equatable {
        case unknown
        case taken(fingerprint: String)
        /// Taken once, deleted here since.
        case deleted
        /// There is one of this id that no import brought.
        case foreign
    }

    package static func state(_ db: Transaction, _ kind: Kind, _ id: String) throws -> State {
        let table = kind == .run ? "run" : "loggedModel"
        let stage = try db.firstRow("SELECT lifecycleStage FROM \(table) WHERE id = ?", [id])
        let taken = try db.firstRow(
            "SELECT fingerprint FROM imported WHERE kind = ? AND id = ?", [kind.rawValue, id])
        switch (stage, taken) {
        case (nil, nil): return .unknown
        case (nil, .some): return .deleted
        case (.some, nil): return .foreign
        case (.some(let stage), .some(let taken)):
            let stage: LifecycleStage = try stage.word("lifecycleStage")
            return stage == .active ? .taken(fingerprint: try taken["fingerprint"]) : .deleted
        }
    }

    static func note(
        _ db: Transaction, _ kind: Kind, _ id: String, source: String, fingerprint: String, at: Date
    ) throws {
        try db.perform(
            """
            INSERT INTO imported (kind, id, source, fingerprint, importedAt)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (kind, id) DO UPDATE SET source = excluded.source,
                fingerprint = excluded.fingerprint, importedAt = excluded.importedAt
            """, [kind.rawValue, id, source, fingerprint, at.stamp])
    }
}

/// An experiment of another tracker.
package struct IncomingExperiment: Sendable {
    package var source: String
    /// Its id there.
    package var id: String
    package var name: String
    /// Kept where it is not empty.
    package var artifactLocation: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText]

    package init(
        source: String, id: String, name: String, artifactLocation: String, createdAt: Int64,
        updatedAt: Int64, tags: [NamedText]
    ) {
        self.source = source
        self.id = id
        self.name = name
        self.artifactLocation = artifactLocation
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tags = tags
    }
}

extension ImportQueries {
    /// The experiment that takes what `incoming` holds: the one that took it before, else the one of
    /// its name, else a new one, of the same number if that was never given here.
    ///
    /// - Returns: the experiment and whether it is new.
    /// - Throws: `TrackingError.experimentDeleted` if it was deleted here, `ImportError.beingFreed`
    ///   while files are removed, which might be those that the import has copied before.
    package static func experiment(
        _ db: Transaction, _ incoming: IncomingExperiment, at: Date
    ) throws -> (ExperimentRecord, isNew: Bool) {
        guard try db.firstRow("SELECT 1 FROM garbage WHERE kind = 'folder'") == nil else {
            throw ImportError.beingFreed
        }
        let known: Int64? = try db.firstValue(
            "SELECT experiment FROM importedExperiment WHERE source = ? AND sourceId = ?",
            [incoming.source, incoming.id])
        if let known {
            let id = ExperimentID(String(known))
            try db.perform(
                """
                UPDATE importedExperiment SET startedAt = ? WHERE source = ? AND sourceId = ?
                """, [at.stamp, incoming.source, incoming.id])
            return (try TrackingQueries.activeExperiment(db, id), false)
        }
        var isNew = false
        var found = try TrackingQueries.experiment(db, named: incoming.name)
        if found == nil {
            found = try create(db, incoming, at: at)
            isNew = true
        }
        guard let found else { throw TrackingError.experimentNotFound(incoming.name) }
        guard found.stage == .active else {
            throw TrackingError.experimentDeleted(found.id.rawValue)
        }
        for tag in incoming.tags {
            try db.perform(
                """
                INSERT INTO experimentTag VALUES (?, ?, ?)
                ON CONFLICT (experiment, key) DO NOTHING
                """, [Int64(found.id.rawValue), tag.key, tag.value])
        }
        try db.perform(
            """
            INSERT INTO importedExperiment (source, sourceId, experiment, startedAt)
            VALUES (?, ?, ?, ?)
            """, [incoming.source, incoming.id, Int64(found.id.rawValue), at.stamp])
        return (found, isNew)
    }

    private static func create(
        _ db: Transaction, _ incoming: IncomingExperiment, at: Date
    ) throws -> ExperimentRecord? {
        let id = try TrackingQueries.createExperiment(
            db, name: incoming.name, artifactLocation: incoming.artifactLocation, at: at)
        guard let given = Int64(id.rawValue) else { return nil }
        var number = given
        // The number there is taken where no experiment here ever had it, so that links go on
        // working and no old folder becomes another experiment's.
        if let wanted = Int64(incoming.id), wanted > given, wanted < 1 << 53 { number = wanted }
        if number != given {
            try db.perform("UPDATE experiment SET number = ? WHERE number = ?", [number, given])
            try db.raiseNumbers(of: "experiment", to: number)
            if incoming.artifactLocation.isEmpty {
                try db.perform(
                    "UPDATE experiment SET artifactLocation = ? WHERE number = ?",
                    ["mlflow-artifacts:/\(number)", number])
            }
        }
        try db.perform(
            "UPDATE experiment SET createdAt = ?, updatedAt = ? WHERE number = ?",
            [incoming.createdAt, max(incoming.updatedAt, incoming.createdAt), number])
        return try TrackingQueries.experiment(db, ExperimentID(String(number)))
    }
}
