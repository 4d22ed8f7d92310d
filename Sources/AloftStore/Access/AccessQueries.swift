package import AloftDomain

/// What a job asks about, as `AccessRules` takes it.
package struct AccessQueries {
    package enum Kind: String, Sendable {
        case run, experiment, loggedModel, trace, model, version
    }

    let db: Transaction
    let job: JobID
    let project: ProjectID

    package init(_ db: Transaction, job: JobID, project: ProjectID) {
        self.db = db
        self.job = job
        self.project = project
    }

    /// Notes that a job made something; nothing for other principals.
    package static func note(
        _ db: Transaction, _ who: Principal, made kind: Kind, _ id: String
    ) throws {
        guard case .job(let job) = who else { return }
        try db.execute(
            sql: """
                INSERT INTO jobMade (kind, id, job) VALUES (?, ?, ?)
                ON CONFLICT (kind, id) DO NOTHING
                """,
            arguments: [kind.rawValue, id, job.rawValue])
    }

    /// The project of what a principal makes.
    package static func project(_ bearer: Bearer) -> ProjectID {
        if case .job(_, let project) = bearer { project } else { .default }
    }

    private func isMade(_ kind: Kind, _ id: String) throws -> Bool {
        try db.value(
            of: Bool.self, sql: "SELECT 1 FROM jobMade WHERE kind = ? AND id = ? AND job = ?",
            arguments: [kind.rawValue, id, job.rawValue]) ?? false
    }

    private func item(_ project: String, _ kind: Kind, _ id: String, isAssigned: Bool) throws
        -> Thing
    {
        let hold: Thing.Hold = try isMade(kind, id) ? .made : isAssigned ? .assigned : .none
        return .item(project: ProjectID(project), hold)
    }

    // MARK: Tracking

    package func experiment(_ id: ExperimentID) throws -> Thing {
        guard let number = Int64(id.rawValue),
            let project = try db.value(
                of: String.self, sql: "SELECT project FROM experiment WHERE number = ?",
                arguments: [number])
        else { return .missing }
        let isAssigned =
            try db.value(
                of: Bool.self,
                sql: """
                    SELECT 1 FROM job JOIN run ON run.id = job.run
                    WHERE job.id = ? AND run.experiment = ?
                    """, arguments: [job.rawValue, number]) ?? false
        return try item(project, .experiment, String(number), isAssigned: isAssigned)
    }

    package func experiment(named name: String) throws -> Thing {
        let number = try db.value(
            of: Int64.self, sql: "SELECT number FROM experiment WHERE name = ?", arguments: [name])
        return try number.map { try experiment(ExperimentID(String($0))) } ?? .missing
    }

    package func run(_ id: RunID) throws -> Thing {
        let found = try db.value(
            of: String.self,
            sql: """
                SELECT e.project FROM run r JOIN experiment e ON e.number = r.experiment
                WHERE r.id = ?
                """, arguments: [id.rawValue])
        guard var owner = found else { return .missing }
        let isAssigned =
            try db.value(
                of: Bool.self, sql: "SELECT 1 FROM job WHERE id = ? AND run = ?",
                arguments: [job.rawValue, id.rawValue]) ?? false
        if owner != project.rawValue, try isSource("runId", id.rawValue) {
            owner = project.rawValue
        }
        return try item(owner, .run, id.rawValue, isAssigned: isAssigned)
    }

    package func loggedModel(_ id: LoggedModelID) throws -> Thing {
        let row = try db.row(
            sql: """
                SELECT e.project, m.sourceRun FROM loggedModel m
                JOIN experiment e ON e.number = m.experiment WHERE m.id = ?
                """, arguments: [id.rawValue])
        guard let row else { return .missing }
        var owner: String = try row["project"]
        if owner != project.rawValue, try isSource("loggedModel", id.rawValue) {
            owner = project.rawValue
        }
        let thing = try item(owner, .loggedModel, id.rawValue, isAssigned: false)
        guard case .item(let project, .made) = thing else { return thing }
        let models = try db.values(
            of: String.self,
            sql: """
                SELECT DISTINCT m.name FROM modelVersion v JOIN registeredModel m ON m.number = v.model
                WHERE v.loggedModel = ? OR v.source = 'models:/' || ?
                """, arguments: [id.rawValue, id.rawValue])
        // What a version of another project's model consists of stays as it is.
        return try models.contains(where: isOthers) ? .item(project: project, .none) : thing
    }

    /// Whether it is what a version of a model of the job's project was made of: who may read a model
    /// may read its files, wherever they were logged.
    private func isSource(_ column: String, _ id: String) throws -> Bool {
        try db.value(
            of: Bool.self,
            sql: """
                SELECT 1 FROM modelVersion v JOIN registeredModel m ON m.number = v.model
                LEFT JOIN nameOwner o ON o.kind = 'model' AND o.name = m.name
                WHERE v.\(column) = ? AND coalesce(o.project, m.project) = ?
                """, arguments: [id, project.rawValue]) ?? false
    }

    package func trace(_ id: TraceID) throws -> Thing {
        let owner = try db.value(
            of: String.self,
            sql: """
                SELECT e.project FROM trace t JOIN experiment e ON e.number = t.experiment
                WHERE t.id = ?
                """, arguments: [id.rawValue])
        guard let owner else { return .missing }
        return try item(owner, .trace, id.rawValue, isAssigned: false)
    }

    /// What a trace's files belong to, by the place that its tag says; `nil` without one.
    package func files(of id: TraceID) throws -> Thing? {
        let place = try db.value(
            of: String.self,
            sql: """
                SELECT g.value FROM trace t JOIN traceTag g ON g.trace = t.number
                WHERE t.id = ? AND g.key = 'mlflow.artifactLocation'
                """, arguments: [id.rawValue])
        return try place.map(source)
    }

    // MARK: Registry

    package func model(_ name: String) throws -> Thing {
        // A project file may own a name that nobody has registered, or take one over.
        let holder = try NameOwnerQueries.holder(ofModel: name, db)
        let isNamed = try isNamed(name)
        let number: Int64? = try db.firstValue(
            "SELECT number FROM registeredModel WHERE name = ?", [name])
        guard let number else {
            return .model(project: holder, .none, isNamed: isNamed)
        }
        let isOwn = try holder == project && isMade(.model, String(number))
        return .model(project: holder, isOwn ? .made : .none, isNamed: isNamed)
    }

    /// Whether the person who started the job named this model, and it is still whose it was then.
    private func isNamed(_ name: String) throws -> Bool {
        guard let record = try JobQueries.find(db, job),
            record.spec.registers?.isSame(as: name) == true
        else { return false }
        return try NameOwnerQueries.newHolder(
            ofModel: name, after: record.createdAt, otherThan: project, db) == nil
    }

    /// Whether a model is another project's, and not one that the job was told to register.
    func isOthers(model name: String) throws -> Bool {
        guard let holder = try NameOwnerQueries.holder(ofModel: name, db), holder != project
        else { return false }
        return try !isNamed(name)
    }

    /// A version's tags and description are its maker's, for as long as the model is not another
    /// project's.
    package func version(_ name: String, _ version: Int64) throws -> Thing {
        let row = try db.row(
            sql: """
                SELECT m.number FROM modelVersion v
                JOIN registeredModel m ON m.number = v.model WHERE m.name = ? AND v.version = ?
                """, arguments: [name, version])
        guard let row, case .model(let holder, _, let isNamed) = try model(name) else {
            return .missing
        }
        let id = "\(try row["number"] as Int64)/\(version)"
        if let holder, holder == project || isNamed, try isMade(.version, id) {
            return .item(project: holder, .made)
        }
        // Whoever made the model did not make each of its versions.
        return .model(project: holder, .none, isNamed: isNamed)
    }

    /// Notes a model, and its newest version if it has one.
    package static func note(
        _ db: Transaction, _ who: Principal, madeModel name: String, version: Int64? = nil
    ) throws {
        guard case .job = who else { return }
        let number = try RegistryQueries.modelNumber(db, name)
        if let version {
            try note(db, who, made: .version, "\(number)/\(version)")
        } else {
            try note(db, who, made: .model, String(number))
        }
    }

    /// What a version may be made of: what the job may read. Places that other systems keep are
    /// nobody's here.
    package func source(_ source: String) throws -> Thing {
        var text = source
        if text.begins(with: "models:/") {
            let parts = text.dropFirst("models:/".count).pieces(at: "/").map(String.init)
            if parts.count == 1, parts[0].begins(with: "m-") {
                return try loggedModel(LoggedModelID(parts[0]))
            }
            // Of a version's own files one may make another only where one may read the model.
            return parts.count == 2 ? try model(parts[0]) : .missing
        }
        if text.begins(with: "runs:/") {
            let run = text.dropFirst("runs:/".count).prefix { $0 != "/" }
            return try self.run(RunID(String(run)))
        }
        guard text.begins(with: "mlflow-artifacts:") else { return .item(project: project, .none) }
        text = String(text.dropFirst("mlflow-artifacts:".count))
        if text.begins(with: "//") { text = String(text.dropFirst(2).drop { $0 != "/" }) }
        let parts = text.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        return try artifact(parts).thing
    }
}
