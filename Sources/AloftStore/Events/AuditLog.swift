package import AloftDomain
package import Foundation

/// Events on what people change or delete by hand: who did what to a run, an experiment, a model, an
/// artifact. What a run logs while it runs is no event; what is written to one that has ended is.
///
/// Call each in the transaction of the change.
package struct AuditLog {
    private let db: Transaction
    private let who: Principal
    private let at: Date

    package init(_ db: Transaction, by who: Principal, at: Date) {
        self.db = db
        self.who = who
        self.at = at
    }

    package func run(
        _ id: RunID, _ what: String, _ payload: [String: JSONValue] = [:]
    ) throws {
        let project = try projectOfRun(id)
        try append("run", id.rawValue, what, project, payload)
    }

    /// A change of a run that has ended; nothing for one that runs.
    package func ended(
        _ run: RunHandle, _ what: String, _ payload: @autoclosure () -> [String: JSONValue] = [:]
    ) throws {
        if run.hasEnded { try self.run(run.id, what, payload()) }
    }

    package func experiment(
        _ id: ExperimentID, _ what: String, _ payload: [String: JSONValue] = [:]
    ) throws {
        let owner = try project(
            "SELECT project FROM experiment WHERE number = ?", [Int64(id.rawValue)])
        try append("experiment", id.rawValue, what, owner, payload)
    }

    package func loggedModel(
        _ id: LoggedModelID, _ what: String, _ payload: [String: JSONValue] = [:]
    ) throws {
        let owner = try project(
            """
            SELECT e.project FROM loggedModel m JOIN experiment e ON e.number = m.experiment
            WHERE m.id = ?
            """, [id.rawValue])
        try append("loggedModel", id.rawValue, what, owner, payload)
    }

    package func model(
        _ name: String, _ what: String, _ payload: [String: JSONValue] = [:]
    ) throws {
        try append("model", name, what, try project(ofModel: name), payload)
    }

    package func version(
        _ name: String, _ version: Int64, _ what: String, _ payload: [String: JSONValue] = [:]
    ) throws {
        try append("version", "\(name)/\(version)", what, try project(ofModel: name), payload)
    }

    /// A file or folder of artifacts, by its path.
    package func artifact(_ path: String, of run: RunID?, _ what: String) throws {
        let project = try run.map { try projectOfRun($0) }
        var payload: [String: JSONValue] = [:]
        if let run { payload["run"] = .string(run.rawValue) }
        try append("artifact", path, what, project ?? .default, payload)
    }

    private func projectOfRun(_ id: RunID) throws -> ProjectID {
        try project(
            """
            SELECT e.project FROM run r JOIN experiment e ON e.number = r.experiment
            WHERE r.id = ?
            """, [id.rawValue])
    }

    private func project(ofModel name: String) throws -> ProjectID {
        try RegistryQueries.project(db, name)
    }

    private func project(_ sql: String, _ arguments: Bindings) throws -> ProjectID {
        try db.value(of: String.self, sql: sql, arguments: arguments).map(ProjectID.init)
            ?? .default
    }

    private func append(
        _ entity: String, _ id: String, _ what: String, _ project: ProjectID,
        _ payload: [String: JSONValue]
    ) throws {
        try EventLog.appendCounted(
            db, at: at, project: project, entity: entity, entityID: id, what: what, who: who,
            payload: payload)
    }
}
