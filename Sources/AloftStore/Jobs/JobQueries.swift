package import AloftDomain
package import Foundation

package enum JobQueries {
    /// Adds a job to the queue. Whoever makes jobs calls this in the transaction that records why.
    package static func insert(
        _ db: Transaction, id: JobID, spec: JobSpec, at now: Date, by who: Principal
    ) throws {
        let faults = spec.resources.faults
        guard faults.isEmpty else { throw JobError.invalidSpec(faults) }
        try ProjectQueries.ensure(db, spec.project, at: now)
        try db.execute(
            sql: """
                INSERT INTO job
                    (id, project, name, spec, jobGroup, run, state, attempt, createdAt, createdBy)
                VALUES (?, ?, ?, ?, ?, ?, 'queued', 1, ?, ?)
                """,
            arguments: [
                id.rawValue, spec.project.rawValue, spec.name, try StoredJSON.text(spec),
                spec.group?.name, spec.run?.rawValue, now.stamp, who.description,
            ])
        try EventLog.append(
            db, at: now, project: spec.project, entity: "job", entityID: id.rawValue,
            what: "queued", who: who, payload: ["name": .string(spec.name)])
    }

    /// Asks a job to end: one that waits ends at once, one that runs is told to. Doing it again, or
    /// to a job that has ended, changes nothing.
    ///
    /// - Throws: `JobError.notFound`.
    @discardableResult
    package static func requestStop(
        _ db: Transaction, _ id: JobID, reason: String, at now: Date, by who: Principal
    ) throws -> JobRecord {
        try apply(db, .stopRequested, to: id, at: now, by: who, why: reason)
    }

    package static func find(_ db: Transaction, _ id: JobID) throws -> JobRecord? {
        try db.row(sql: "SELECT * FROM job WHERE id = ?", arguments: [id.rawValue])
            .map(JobText.job)
    }

    /// - Throws: `JobError.notFound`.
    package static func get(_ db: Transaction, _ id: JobID) throws -> JobRecord {
        guard let job = try find(db, id) else { throw JobError.notFound(id) }
        return job
    }

    /// The job that a person means: by its identifier, the newest of that name, or by the begin of an
    /// identifier if no other begins so. Four letters or more that begin one go before a name.
    ///
    /// - Throws: `JobError.notFound`; `.ambiguous` where several begin so.
    package static func resolve(_ db: Transaction, _ text: String) throws -> JobRecord {
        if let job = try find(db, JobID(text)) { return job }
        guard !text.isEmpty else { throw JobError.notFound(JobID(text)) }
        // The character after the last one that identifiers use ends the range.
        let ids = try db.values(
            of: String.self, sql: "SELECT id FROM job WHERE id >= ? AND id < ? ORDER BY id LIMIT 6",
            arguments: [text, text + "\u{7F}"])
        if let only = ids.first, ids.count == 1, text.utf8.count >= 4 {
            return try get(db, JobID(only))
        }
        if let newest = try list(db, Filter(name: text), limit: 1).first { return newest }
        guard let first = ids.first else { throw JobError.notFound(JobID(text)) }
        guard ids.count == 1 else { throw JobError.ambiguous(text, ids.map { JobID($0) }) }
        return try get(db, JobID(first))
    }

    /// Every job that has not ended, oldest first.
    package static func live(_ db: Transaction) throws -> [JobRecord] {
        try db.rows(
            sql: "SELECT * FROM job WHERE state <> 'ended' ORDER BY createdAt, id"
        ).map(JobText.job)
    }

    /// What a list of jobs is narrowed to.
    package struct Filter: Sendable, Equatable {
        package var project: ProjectID?
        package var name: String?
        package var group: String?
        package var run: RunID?
        package var isLive: Bool
        /// Only older ones than this.
        package var before: JobID?

        package init(
            project: ProjectID? = nil, name: String? = nil, group: String? = nil,
            run: RunID? = nil, isLive: Bool = false, before: JobID? = nil
        ) {
            self.project = project
            self.name = name
            self.group = group
            self.run = run
            self.isLive = isLive
            self.before = before
        }
    }

    /// Newest first, at most `limit`.
    package static func list(_ db: Transaction, _ filter: Filter, limit: Int) throws -> [JobRecord]
    {
        var conditions = filter.isLive ? ["state <> 'ended'"] : []
        var values: [SQLValue] = []
        let equalities: [(String, String?)] = [
            ("project", filter.project?.rawValue), ("name", filter.name),
            ("jobGroup", filter.group), ("run", filter.run?.rawValue),
        ]
        for case (let column, .some(let value)) in equalities {
            conditions.append("\(column) = ?")
            values.append(.text(value))
        }
        if let before = filter.before {
            conditions.append("(createdAt, id) < (SELECT createdAt, id FROM job WHERE id = ?)")
            values.append(.text(before.rawValue))
        }
        let restriction =
            conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        values.append(limit.sqlValue)
        return try db.rows(
            sql: "SELECT * FROM job \(restriction) ORDER BY createdAt DESC, id DESC LIMIT ?",
            arguments: Bindings(values)
        ).map(JobText.job)
    }
}
