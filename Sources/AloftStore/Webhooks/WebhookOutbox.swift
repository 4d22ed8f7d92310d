package import AloftDomain
package import Foundation

/// Writes down what webhooks have to be told, in the transaction of the change itself.
enum WebhookOutbox {
    /// - Parameter data: called only if somebody wants to know.
    static func add(
        _ db: Transaction, _ entity: WebhookEvent.Entity, _ action: WebhookEvent.Action, at: Date,
        data: () throws -> [String: JSONValue]
    ) throws {
        let webhooks: [String] = try db.allValues(
            """
            SELECT w.id FROM webhookEvent e JOIN webhook w ON w.id = e.webhook
            WHERE e.entity = ? AND e.action = ? AND w.isActive
            """, [entity.rawValue, action.rawValue])
        guard !webhooks.isEmpty else { return }
        let body = try WebhookBody.text(
            entity: entity.rawValue, action: action.rawValue, at: at, data: try data())
        for webhook in webhooks {
            try db.perform(
                """
                INSERT INTO webhookDelivery (webhook, body, state, attempt, dueAt, createdAt)
                VALUES (?, ?, 'waiting', 1, ?, ?)
                """, [webhook, body, at.stamp, at.stamp])
        }
    }

    /// The event of a prompt where the model is one, else that of a model.
    static func add(
        _ db: Transaction, model: Int64, _ entity: WebhookEvent.Entity?,
        orOfPrompt promptEntity: WebhookEvent.Entity, _ action: WebhookEvent.Action, at: Date,
        data: () throws -> [String: JSONValue]
    ) throws {
        guard let wanted = try isPrompt(db, model: model) ? promptEntity : entity else { return }
        try add(db, wanted, action, at: at, data: data)
    }

    /// Whether the tags of a model make it a prompt.
    static func isPrompt(_ db: Transaction, model: Int64) throws -> Bool {
        try db.firstRow(
            """
            SELECT 1 FROM registeredModelTag
            WHERE model = ? AND key = 'mlflow.prompt.is_prompt' AND value = 'true'
            """, [model]) != nil
    }

    /// Tags as deliveries write them, without those that only mark a prompt.
    static func tags(_ tags: [NamedText]) -> JSONValue {
        let marks = ["mlflow.prompt.is_prompt", "_mlflow_prompt_type"]
        return .object(
            Dictionary(
                tags.filter { !marks.contains($0.key) }.map { ($0.key, .string($0.value)) },
                uniquingKeysWith: { _, last in last }))
    }
}

/// The JSON of a delivery.
package enum WebhookBody {
    package static func text(
        entity: String, action: String, at: Date, data: [String: JSONValue]
    ) throws -> String {
        try StoredJSON.text(
            JSONValue.object([
                "entity": .string(entity), "action": .string(action),
                "timestamp": .string(at.stamp), "data": .object(data),
            ]))
    }
}
