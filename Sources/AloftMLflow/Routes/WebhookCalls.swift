import AloftDomain
import AloftStore
import Foundation
import Hummingbird

/// Webhooks: whom to tell of changes in the registry.
struct WebhookCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("webhooks", .manage, of: Subjects.platform, create)
        calls.get("webhooks", .manage, of: Subjects.platform, list)
        calls.get("webhooks/:webhook", .manage, of: Subjects.platform, get)
        calls.patch("webhooks/:webhook", .manage, of: Subjects.platform, update)
        calls.delete("webhooks/:webhook", .manage, of: Subjects.platform, delete)
        calls.post("webhooks/:webhook/test", .manage, of: Subjects.platform, test)
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let webhook = WebhookRecord(
            id: service.chance.identifier(), name: try Self.name(fields),
            description: try Self.description(fields) ?? "", url: try fields.string("url"),
            secret: try Self.secret(fields) ?? nil, isActive: try Self.isActive(fields) ?? true,
            events: try Self.events(fields), at: service.time.now())
        guard !webhook.events.isEmpty else { throw ProtocolError.missing("events") }
        try await service.webhooks.check(webhook.url)
        try await service.change(.webhook, webhook.id.rawValue) {
            try WebhookQueries.insert($0, webhook)
        }
        return Self.document(webhook)
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let id = WebhookID(call.parameter("webhook"))
        return Self.document(try await service.store.read { try WebhookQueries.get($0, id) })
    }

    private func list(_ call: Call) async throws -> [UInt8] {
        let limit = try call.fields.maxResults(default: 100, limit: 1000)
        let offset = try PageToken.offset(call.fields)
        let found = try await service.store.read { db in
            try WebhookQueries.list(db, limit: limit, offset: offset)
        }
        return Page(found, limit: limit, offset: offset).document("webhooks") { writer, one in
            writer.object { $0.webhookMembers(one) }
        }
    }

    private func update(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let id = WebhookID(call.parameter("webhook"))
        let name = try fields.has("name") ? Self.name(fields) : nil
        let description = try Self.description(fields)
        let url = try FieldReader.text(fields, "url")
        let secret = try Self.secret(fields)
        let isActive = try Self.isActive(fields)
        let events = try Self.events(fields)
        if let url { try await service.webhooks.check(url) }
        let at = service.time.now()
        let changed = try await service.change(.webhook, id.rawValue) { db in
            var webhook = try WebhookQueries.get(db, id)
            webhook.name = name ?? webhook.name
            webhook.description = description ?? webhook.description
            webhook.url = url ?? webhook.url
            webhook.secret = secret ?? webhook.secret
            webhook.isActive = isActive ?? webhook.isActive
            webhook.events = events.isEmpty ? webhook.events : events
            try WebhookQueries.update(db, webhook, at: at)
            return try WebhookQueries.get(db, id)
        }
        return Self.document(changed)
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let id = WebhookID(call.parameter("webhook"))
        try await service.change(.webhook, id.rawValue) { try WebhookQueries.delete($0, id) }
        return MLflowService.empty
    }

    private func test(_ call: Call) async throws -> [UInt8] {
        let id = WebhookID(call.parameter("webhook"))
        let asked = try call.fields.object("event").map(Self.event)
        let webhook = try await service.store.read { try WebhookQueries.get($0, id) }
        guard let event = asked ?? webhook.events.first else {
            throw ProtocolError.missing("event")
        }
        let now = service.time.now()
        let delivery: WebhookID = service.chance.identifier(prefix: "test-")
        let answer = await service.webhooks.send(
            WebhookMessage(
                url: webhook.url, secret: webhook.secret, deliveryID: delivery.rawValue,
                body: try WebhookBody.text(
                    entity: event.entity.rawValue, action: event.action.rawValue, at: now,
                    data: event.exampleData), sentAt: now))
        return JSONWriter.document { writer in
            writer.object("result") { $0.webhookAnswerMembers(answer) }
        }
    }

    private static func document(_ webhook: WebhookRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("webhook") { $0.webhookMembers(webhook) }
        }
    }

    // MARK: Fields

    private static func name(_ fields: Fields) throws -> String {
        let name = try fields.string("name")
        let isPlain = { (scalar: UnicodeScalar) in
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9": true
            default: false
            }
        }
        guard name.unicodeScalars.count <= 63, let first = name.unicodeScalars.first,
            let last = name.unicodeScalars.last, isPlain(first), isPlain(last),
            name.unicodeScalars.allSatisfy({ isPlain($0) || "._-".unicodeScalars.contains($0) })
        else {
            throw ProtocolError.invalid(
                "Webhook name '\(name.prefix(100))' is invalid. It must start and end with a letter "
                    + "or digit, have at most 63 characters, and contain only letters, digits, dots "
                    + "(.), underscores (_), and hyphens (-).")
        }
        return name
    }

    private static func description(_ fields: Fields) throws -> String? {
        guard let text = try fields.optionalString("description") else { return nil }
        guard text.unicodeScalars.count <= 5000 else {
            throw ProtocolError.tooLong("description", limit: 5000)
        }
        return text
    }

    /// `nil` if it is not given; a given empty one stands for none.
    private static func secret(_ fields: Fields) throws -> String?? {
        guard fields.has("secret") else { return .none }
        guard case .string(let text)? = fields.value("secret"), text.utf8.count <= 1000,
            !text.utf8.contains(0)
        else {
            // The value itself is nobody's business, not even in an error.
            throw ProtocolError.invalid(
                "Invalid value for parameter 'secret' supplied: it is a string of at most 1000 "
                    + "characters.")
        }
        return .some(text.isEmpty ? nil : text)
    }

    private static func isActive(_ fields: Fields) throws -> Bool? {
        guard let status = try FieldReader.text(fields, "status") else { return nil }
        switch status.uppercased() {
        case "ACTIVE": return true
        case "DISABLED": return false
        default: throw ProtocolError.invalidValue("\"\(status.prefix(100))\"", "status")
        }
    }

    private static func events(_ fields: Fields) throws -> [WebhookEvent] {
        try fields.objects("events").map(event)
    }

    private static func event(_ fields: Fields) throws -> WebhookEvent {
        let entityText = try fields.string("entity").lowercased()
        guard let entity = WebhookEvent.Entity(rawValue: entityText) else {
            throw ProtocolError.invalid(
                "Invalid value \"\(entityText.prefix(100))\" for parameter "
                    + "'\(fields.path(of: "entity"))' supplied: webhooks are told of "
                    + WebhookEvent.Entity.allCases.map(\.rawValue).joined(separator: ", ") + ".")
        }
        let actionText = try fields.string("action").lowercased()
        let action = WebhookEvent.Action(rawValue: actionText)
        guard let action, let event = WebhookEvent(entity, action) else {
            throw ProtocolError.invalid(
                "Invalid action '\(actionText.prefix(100))' for entity '\(entity.rawValue)'. Valid "
                    + "actions are: \(WebhookEvent.actions(of: entity).map(\.rawValue).sorted())")
        }
        return event
    }
}

extension JSONWriter {
    /// Everything but the secret.
    fileprivate mutating func webhookMembers(_ webhook: WebhookRecord) {
        member("webhook_id", webhook.id.rawValue)
        member("name", webhook.name)
        if !webhook.description.isEmpty { member("description", webhook.description) }
        member("url", webhook.url)
        list("events", webhook.events) { writer, event in
            writer.object { writer in
                writer.member("entity", event.entity.rawValue.uppercased())
                writer.member("action", event.action.rawValue.uppercased())
            }
        }
        member("status", webhook.isActive ? "ACTIVE" : "DISABLED")
        member("creation_timestamp", webhook.createdAt)
        member("last_updated_timestamp", webhook.updatedAt)
    }

    fileprivate mutating func webhookAnswerMembers(_ answer: WebhookAnswer) {
        switch answer {
        case .answered(let status, let body, _):
            member("success", status < 400)
            member("response_status", Int64(clamping: status))
            member("response_body", body)
        case .unanswered(let reason):
            member("success", false)
            member("error_message", "Failed to test webhook: \(reason)")
        }
    }
}
