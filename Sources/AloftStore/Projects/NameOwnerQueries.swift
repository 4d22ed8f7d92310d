package import AloftDomain
package import Foundation

/// The names that belong to a project.
package enum NameOwnerQueries {
    package static func find(
        _ db: Transaction, _ kind: NameOwner.Kind, _ name: String
    ) throws -> NameOwner? {
        try db.row(
            sql: "SELECT * FROM nameOwner WHERE kind = ? AND name = ?",
            arguments: [kind.rawValue, name]
        ).map(record)
    }

    package static func list(_ db: Transaction, of project: ProjectID) throws -> [NameOwner] {
        try db.rows(
            sql: "SELECT * FROM nameOwner WHERE project = ? ORDER BY kind, name",
            arguments: [project.rawValue]
        ).map(record)
    }

    /// Gives a name to a project, if it is nobody's.
    package static func claim(
        _ db: Transaction, _ kind: NameOwner.Kind, _ name: String, for project: ProjectID, at: Date,
        by who: Principal
    ) throws {
        try ProjectQueries.ensure(db, project, at: at)
        try db.execute(
            sql: """
                INSERT INTO nameOwner (kind, name, project, since, takenBy) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (kind, name) DO NOTHING
                """,
            arguments: [kind.rawValue, name, project.rawValue, at.stamp, who.description])
    }

    /// Takes a name from the project that has it, with the deployments or the model of that name.
    package static func takeOver(
        _ db: Transaction, _ owner: NameOwner, for project: ProjectID, at: Date, by who: Principal
    ) throws {
        try ProjectQueries.ensure(db, project, at: at)
        try db.execute(
            sql: """
                INSERT INTO nameOwner (kind, name, project, since, takenBy)
                VALUES (:kind, :name, :project, :at, :by)
                ON CONFLICT (kind, name) DO UPDATE SET project = :project, since = :at,
                    takenBy = :by
                """,
            arguments: [
                "kind": owner.kind.rawValue, "name": owner.name, "project": project.rawValue,
                "at": at.stamp, "by": who.description,
            ])
        let table = owner.kind == .deployment ? "deployment" : "registeredModel"
        try db.execute(
            sql: "UPDATE \(table) SET project = ? WHERE name = ?",
            arguments: [project.rawValue, owner.name])
        // Both are told: who has it now, and who has it no longer.
        for told in Set([project, owner.project]) {
            try EventLog.append(
                db, at: at, project: told, entity: "projectFile", entityID: told.rawValue,
                what: "tookOver", who: who,
                payload: [
                    "kind": .string(owner.kind.rawValue), "name": .string(owner.name),
                    "from": .string(owner.project.rawValue), "to": .string(project.rawValue),
                ])
        }
        switch owner.kind {
        case .deployment: try DesiredStateQueries.refresh(db)
        case .model: try convertAgain(db, owner.name, for: project, at: at, by: who)
        }
    }

    /// What jobs of the former project were converting is converted anew: their tokens write to the
    /// model no longer.
    private static func convertAgain(
        _ db: Transaction, _ model: String, for project: ProjectID, at: Date, by who: Principal
    ) throws {
        for servable in try ServableQueries.converting(db, model: model) {
            guard let job = servable.job else { continue }
            let failure = ConversionFailure(reason: "the project \(project) took the model over")
            for event in [ServableLifecycle.Event.jobFailed(job, failure), .retried] {
                try ServableQueries.apply(
                    db, event, to: servable.version, project: project, at: at, by: who)
            }
        }
    }

    /// Lets go of a name that its project no longer uses.
    package static func release(_ db: Transaction, _ owner: NameOwner) throws {
        try db.execute(
            sql: "DELETE FROM nameOwner WHERE kind = ? AND name = ? AND project = ?",
            arguments: [owner.kind.rawValue, owner.name, owner.project.rawValue])
    }

    /// Whether there is a deployment or a registered model of this name in the project.
    package static func isInUse(_ db: Transaction, _ owner: NameOwner) throws -> Bool {
        let table = owner.kind == .deployment ? "deployment" : "registeredModel"
        return try db.value(
            of: Bool.self,
            sql: "SELECT EXISTS (SELECT 1 FROM \(table) WHERE name = ? AND project = ?)",
            arguments: [owner.name, owner.project.rawValue]) ?? false
    }

    /// Whose a model's name is, whether or not there is such a model: that of the project whose file
    /// names it, else that of the project that made it; `nil` where it is nobody's.
    package static func holder(ofModel name: String, _ db: Transaction) throws -> ProjectID? {
        try find(db, .model, name)?.project ?? project(ofModel: name, db)
    }

    /// Who has had a model's name since `moment`, if that is not `project` and the name was not theirs
    /// before.
    package static func newHolder(
        ofModel name: String, after moment: Date, otherThan project: ProjectID, _ db: Transaction
    ) throws -> NameOwner? {
        guard let owner = try find(db, .model, name), owner.project != project,
            let since = owner.since, since > moment.stamp
        else { return nil }
        return owner
    }

    /// The project that a registered model was made in; `nil` where there is no such model.
    package static func project(ofModel name: String, _ db: Transaction) throws -> ProjectID? {
        try db.value(
            of: String.self, sql: "SELECT project FROM registeredModel WHERE name = ?",
            arguments: [name]
        ).map(ProjectID.init)
    }

    private static func record(_ row: RowReader) throws -> NameOwner {
        try NameOwner(
            kind: row.word("kind"), name: row["name"], project: ProjectID(row["project"]),
            since: row["since"],
            takenBy: row["takenBy"])
    }
}
