package import Foundation

/// One attempt to tell a webhook of an event.
package struct WebhookMessage: Sendable {
    package var url: String
    /// Signs the message; never logged. `nil` sends it unsigned.
    package var secret: String?
    /// The same in every attempt, so that a receiver can drop repeats.
    package var deliveryID: String
    /// JSON.
    package var body: String
    package var sentAt: Date

    package init(url: String, secret: String?, deliveryID: String, body: String, sentAt: Date) {
        self.url = url
        self.secret = secret
        self.deliveryID = deliveryID
        self.body = body
        self.sentAt = sentAt
    }
}

/// What came of it.
package enum WebhookAnswer: Sendable, Equatable {
    /// - Parameters:
    ///   - body: the start of it.
    ///   - retryAfter: how long the receiver asks to be left alone.
    case answered(status: Int, body: String, retryAfter: Duration?)
    /// Nobody answered; why, in a person's words.
    case unanswered(reason: String)
}

/// How webhooks are reached.
package struct WebhookSender: Sendable {
    /// Looks whether a webhook may have this address.
    ///
    /// - Throws: `WebhookError.invalidURL`.
    package var check: @Sendable (_ url: String) async throws -> Void
    package var send: @Sendable (WebhookMessage) async -> WebhookAnswer

    package init(
        check: @escaping @Sendable (_ url: String) async throws -> Void,
        send: @escaping @Sendable (WebhookMessage) async -> WebhookAnswer
    ) {
        self.check = check
        self.send = send
    }
}

/// What is refused of webhooks, as facts.
package enum WebhookError: Refusal, Equatable {
    case notFound(String)
    case invalidURL(String, reason: String)

    package var code: String {
        switch self {
        case .notFound: "webhook_not_found"
        case .invalidURL: "webhook_url_invalid"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound: .notFound
        case .invalidURL: .invalid
        }
    }

    package var message: String {
        switch self {
        case .notFound(let id): "Webhook with ID \(id.prefix(100)) not found."
        case .invalidURL(let url, let reason):
            "Invalid webhook URL '\(url.prefix(300))': \(reason)"
        }
    }
}
