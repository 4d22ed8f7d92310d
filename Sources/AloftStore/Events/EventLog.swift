package import AloftDomain
package import Foundation

/// One change of state, as told to live pages, webhooks and triggers.
package struct EventRecord: Sendable, Equatable {
    /// Its place among all events that are committed: later commits have greater ones, so whoever has
    /// read up to a position misses nothing by going on from there.
    package var position: Int64
    package var at: String
    package var project: ProjectID
    /// The kind of thing that changed: `job`, `sweep`, `deployment`, …
    package var entity: String
    package var entityID: String
    /// What happened, in the past tense: `queued`, `started`, `promoted`, …
    package var what: String
    package var who: String
    package var why: String?
    package var payload: JSONValue
}

package enum EventLog {
    /// Appends one event. Call it in the transaction that changes the state.
    package static func append(
        _ db: Transaction, at: Date, project: ProjectID, entity: String, entityID: String,
        what: String,
        who: Principal, why: String? = nil, payload: [String: JSONValue] = [:]
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO event (at, project, entity, entityId, what, who, why, payload)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                at.stamp, project.rawValue, entity, entityID, what, who.description, why,
                try StoredJSON.text(JSONValue.object(payload)),
            ])
    }

    /// So many events of one kind, thing and principal stand alone within `flockSpan`; what comes more
    /// often is counted on the last of them.
    package static let mostAlone = 10
    private static let flockSpan: TimeInterval = 3600

    /// Appends one event of what somebody may do to one thing as often as they like. The first few in an
    /// hour stand alone; each further one takes the place of the last, and says how many it stands for and
    /// since when, so that nobody pushes out what is older. Who follows the events sees each. Call it in
    /// the transaction that changes the state.
    package static func appendCounted(
        _ db: Transaction, at: Date, project: ProjectID, entity: String, entityID: String,
        what: String, who: Principal, why: String? = nil, payload: [String: JSONValue] = [:]
    ) throws {
        let rows = try db.rows(
            sql: """
                SELECT sequence, at, payload FROM event
                WHERE entity = ? AND entityId = ? AND what = ? AND who = ? AND project = ?
                ORDER BY sequence DESC LIMIT ?
                """,
            arguments: [
                entity, entityID, what, who.description, project.rawValue, mostAlone,
            ])
        let start = at.addingTimeInterval(-flockSpan)
        var told = payload
        if rows.count == mostAlone, let last = rows.first, let first = rows.last,
            try first.date("at") > start
        {
            let before = try members(last)
            var count: Int64 = 1
            if case .int(let counted)? = before["count"] { count = counted }
            told["count"] = .int(count + 1)
            told["first"] = try before["first"] ?? .string(last["at"])
            try db.execute(
                sql: "DELETE FROM event WHERE sequence = ?",
                arguments: [try last["sequence"] as Int64])
        }
        try append(
            db, at: at, project: project, entity: entity, entityID: entityID, what: what, who: who,
            why: why, payload: told)
    }

    private static func members(_ row: RowReader) throws -> [String: JSONValue] {
        guard case .object(let members) = try row.json("payload", as: JSONValue.self) else {
            throw row.unreadable("payload")
        }
        return members
    }

    /// Events after a position, oldest first, at most `limit`; of one entity if it is named.
    package static func list(
        _ db: Transaction, after position: Int64 = 0, entity: String? = nil,
        entityID: String? = nil,
        limit: Int
    ) throws -> [EventRecord] {
        let rows = try db.rows(
            sql: """
                SELECT *, \(Dialect.eventPosition) AS position FROM event
                WHERE \(Dialect.eventPosition) > :position AND (:entity IS NULL OR entity = :entity)
                    AND (:entityID IS NULL OR entityId = :entityID)
                ORDER BY \(Dialect.eventPosition) LIMIT :limit
                """,
            arguments: [
                "position": position, "entity": entity, "entityID": entityID, "limit": limit,
            ])
        return try rows.map(record)
    }

    /// Forgets at most a thousand events from before `date`.
    ///
    /// - Returns: how many.
    package static func prune(_ db: Transaction, before date: Date) throws -> Int {
        // Their times rise with their numbers, so only the oldest need be looked at.
        try db.execute(
            sql: """
                DELETE FROM event WHERE sequence IN (
                    SELECT sequence FROM event ORDER BY sequence LIMIT 1000)
                    AND at < ?
                """, arguments: [date.stamp])
        return db.changesCount
    }

    /// Events that are too many.
    package struct Excess: Sendable, Equatable {
        /// Whose are to go, the oldest first; `nil` where nobody has so many that the rest suffers.
        package var who: String?
        package var count: Int
    }

    /// What goes beyond `limit`: of whoever has more than a tenth of that, so that a principal who is busy
    /// pushes out its own events and not everybody's. Ask again when that many are gone.
    package static func excess(_ db: Transaction, keeping limit: Int) throws -> Excess? {
        let total = try db.value(of: Int.self, sql: "SELECT count(*) FROM event") ?? 0
        guard total > limit else { return nil }
        let busiest = try db.row(
            sql: "SELECT who, count(*) AS n FROM event GROUP BY who ORDER BY n DESC, who LIMIT 1")
        let count: Int = try busiest?["n"] ?? 0
        let share = limit / 10
        guard let busiest, count > share else { return Excess(count: total - limit) }
        return try Excess(who: busiest["who"], count: min(total - limit, count - share))
    }

    /// Forgets the oldest of them, at most a thousand.
    ///
    /// - Returns: how many.
    package static func prune(_ db: Transaction, _ excess: Excess) throws -> Int {
        try db.execute(
            sql: """
                DELETE FROM event WHERE sequence IN (
                    SELECT sequence FROM event WHERE :who IS NULL OR who = :who
                    ORDER BY sequence LIMIT :count)
                """, arguments: ["who": excess.who, "count": min(excess.count, 1000)])
        return db.changesCount
    }

    /// The newest event's position; 0 where there is none.
    package static func lastPosition(_ db: Transaction) throws -> Int64 {
        try db.value(of: Int64.self, sql: "SELECT max(\(Dialect.eventPosition)) FROM event") ?? 0
    }

    private static func record(_ row: RowReader) throws -> EventRecord {
        try EventRecord(
            position: row["position"], at: row["at"], project: ProjectID(row["project"]),
            entity: row["entity"], entityID: row["entityId"], what: row["what"], who: row["who"],
            why: row["why"], payload: row.json("payload"))
    }
}
