package import AloftDomain
package import Foundation
package import GRDB

/// One change of state, as told to live pages, webhooks and triggers.
package struct EventRecord: Sendable, Equatable {
    package var sequence: Int64
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
        _ db: Database, at: Date, project: ProjectID, entity: String, entityID: String,
        what: String,
        who: Principal, why: String? = nil, payload: [String: JSONValue] = [:]
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let text = String(decoding: try encoder.encode(JSONValue.object(payload)), as: UTF8.self)
        try db.execute(
            sql: """
                INSERT INTO event (at, project, entity, entityId, what, who, why, payload)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                at.stamp, project.rawValue, entity, entityID, what, who.description, why, text,
            ])
    }

    /// Events after `sequence`, oldest first, at most `limit`; of one entity if it is named.
    package static func list(
        _ db: Database, after sequence: Int64 = 0, entity: String? = nil, entityID: String? = nil,
        limit: Int
    ) throws -> [EventRecord] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT * FROM event
                WHERE sequence > :sequence AND (:entity IS NULL OR entity = :entity)
                    AND (:entityID IS NULL OR entityId = :entityID)
                ORDER BY sequence LIMIT :limit
                """,
            arguments: [
                "sequence": sequence, "entity": entity, "entityID": entityID, "limit": limit,
            ])
        return try rows.map(record)
    }

    /// Forgets at most a thousand events: those before `date`, and those beyond the `count` newest.
    ///
    /// - Returns: how many.
    package static func prune(
        _ db: Database, before date: Date, keeping count: Int64
    ) throws -> Int {
        // Their times rise with their numbers, so only the oldest need be looked at.
        try db.execute(
            sql: """
                DELETE FROM event WHERE sequence IN (
                    SELECT sequence FROM event
                    WHERE sequence <= (SELECT max(sequence) FROM event) - :count
                        OR sequence IN (
                            SELECT sequence FROM event ORDER BY sequence LIMIT 1000
                        ) AND at < :date
                    ORDER BY sequence LIMIT 1000)
                """, arguments: ["date": date.stamp, "count": count])
        return db.changesCount
    }

    /// The newest event's sequence; 0 where there is none.
    package static func lastSequence(_ db: Database) throws -> Int64 {
        try Int64.fetchOne(db, sql: "SELECT max(sequence) FROM event") ?? 0
    }

    private static func record(_ row: Row) throws -> EventRecord {
        let payload = Data((row["payload"] as String).utf8)
        return EventRecord(
            sequence: row["sequence"], at: row["at"], project: ProjectID(row["project"]),
            entity: row["entity"], entityID: row["entityId"], what: row["what"], who: row["who"],
            why: row["why"], payload: try JSONDecoder().decode(JSONValue.self, from: payload))
    }
}
