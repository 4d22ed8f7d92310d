package import AloftDomain
package import Foundation

package struct WebhookRecord: Sendable, Equatable {
    package var id: WebhookID
    package var name: String
    package var description: String
    package var url: String
    /// Never answered and never logged.
    package var secret: String?
    package var isActive: Bool
    package var events: [WebhookEvent]
    /// Milliseconds since 1970.
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: WebhookID, name: String, description: String, url: String, secret: String?,
        isActive: Bool, events: [WebhookEvent], at: Date
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.url = url
        self.secret = secret
        self.isActive = isActive
        self.events = events
        createdAt = at.millisecondsSince1970
        updatedAt = createdAt
    }

    fileprivate init(_ row: RowReader, events: [WebhookEvent]) throws {
        id = WebhookID(try row["id"])
        name = try row["name"]
        description = try row["description"]
        url = try row["url"]
        secret = try row["secret"]
        isActive = try row["isActive"]
        self.events = events
        createdAt = try row["createdAt"]
        updatedAt = try row["updatedAt"]
    }
}

/// Reads and writes webhooks. Writes belong into `Store.write`.
package enum WebhookQueries {
    package static func insert(_ db: Transaction, _ webhook: WebhookRecord) throws {
        try db.perform(
            "INSERT INTO webhook VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                webhook.id.rawValue, webhook.name, webhook.description, webhook.url, webhook.secret,
                webhook.isActive, webhook.createdAt, webhook.updatedAt,
            ])
        try insertEvents(db, webhook)
    }

    /// - Throws: `WebhookError.notFound`.
    package static func get(_ db: Transaction, _ id: WebhookID) throws -> WebhookRecord {
        let row = try db.firstRow("SELECT * FROM webhook WHERE id = ?", [id.rawValue])
        guard let row else { throw WebhookError.notFound(id.rawValue) }
        return try record(db, row)
    }

    /// One more than `limit` where there are more; newest first.
    package static func list(
        _ db: Transaction, limit: Int, offset: Int
    ) throws -> [WebhookRecord] {
        try db.allRows(
            "SELECT * FROM webhook ORDER BY createdAt DESC, id LIMIT ? OFFSET ?",
            [limit + 1, offset]
        ).map { try record(db, $0) }
    }

    /// Writes every field of a webhook that is there.
    ///
    /// - Throws: `WebhookError.notFound`.
    package static func update(_ db: Transaction, _ webhook: WebhookRecord, at: Date) throws {
        try db.perform(
            """
            UPDATE webhook SET name = ?, description = ?, url = ?, secret = ?, isActive = ?,
                updatedAt = ? WHERE id = ?
            """,
            [
                webhook.name, webhook.description, webhook.url, webhook.secret, webhook.isActive,
                at.millisecondsSince1970, webhook.id.rawValue,
            ])
        guard db.changesCount > 0 else { throw WebhookError.notFound(webhook.id.rawValue) }
        try db.perform("DELETE FROM webhookEvent WHERE webhook = ?", [webhook.id.rawValue])
        try insertEvents(db, webhook)
    }

    /// Deletes a webhook and what it was still to be told.
    ///
    /// - Throws: `WebhookError.notFound`.
    package static func delete(_ db: Transaction, _ id: WebhookID) throws {
        try db.perform("DELETE FROM webhook WHERE id = ?", [id.rawValue])
        guard db.changesCount > 0 else { throw WebhookError.notFound(id.rawValue) }
    }

    private static func insertEvents(_ db: Transaction, _ webhook: WebhookRecord) throws {
        for event in Set(webhook.events) {
            try db.perform(
                "INSERT INTO webhookEvent VALUES (?, ?, ?)",
                [event.entity.rawValue, event.action.rawValue, webhook.id.rawValue])
        }
    }

    private static func record(_ db: Transaction, _ row: RowReader) throws -> WebhookRecord {
        let id: String = try row["id"]
        let events = try db.allRows(
            "SELECT entity, action FROM webhookEvent WHERE webhook = ? ORDER BY entity, action",
            [id]
        ).map { row in
            guard let event = try WebhookEvent(row.word("entity"), row.word("action")) else {
                throw row.unreadable("action")
            }
            return event
        }
        return try WebhookRecord(row, events: events)
    }
}
