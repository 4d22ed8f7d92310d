package import AloftDomain

/// What a gateway runs and what it counted since it started. Sent when a revision's state changes
/// and about once a second while there is traffic.
package struct GatewayReport: Codable, Sendable, Equatable {
    package var gateway: GatewayID
    /// New at each start of the gateway's process; counters start from zero with it.
    package var incarnation: String
    /// The desired state by which it answers: every event loop has its weights.
    package var desiredRevision: Int
    package var revisions: [RevisionReport]
    /// What became of copies; absent where no shadow got any.
    package var shadows: [ShadowReport]?
    /// Requests that no revision was asked for; absent where there were none.
    package var unrouted: [UnroutedCount]?

    package init(
        gateway: GatewayID, incarnation: String, desiredRevision: Int, revisions: [RevisionReport],
        shadows: [ShadowReport]? = nil, unrouted: [UnroutedCount]? = nil
    ) {
        self.gateway = gateway
        self.incarnation = incarnation
        self.desiredRevision = desiredRevision
        self.revisions = revisions
        self.shadows = shadows
        self.unrouted = unrouted
    }
}

/// Requests since the gateway started that came to no revision: to a model that is not there, to one
/// that is not ready, without a token, and the like.
package struct UnroutedCount: Codable, Sendable, Equatable {
    /// As the answer said: `model_not_found`, `model_not_ready`, `token_missing`, …
    package var code: String
    /// The answer's HTTP status.
    package var status: Int
    /// The name that was asked for, where there was one; of many unknown names only the first.
    package var endpoint: String?
    package var requests: UInt64

    package init(code: String, status: Int, endpoint: String?, requests: UInt64) {
        self.code = code
        self.status = status
        self.endpoint = endpoint
        self.requests = requests
    }
}

/// The copies that a shadow revision got from an endpoint since the gateway started.
package struct ShadowReport: Codable, Sendable, Equatable {
    package var endpoint: String
    package var revision: RevisionID
    package var counts: ShadowCount

    package init(endpoint: String, revision: RevisionID, counts: ShadowCount) {
        self.endpoint = endpoint
        self.revision = revision
        self.counts = counts
    }
}

package struct RevisionReport: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable, CaseIterable {
        case loading, ready, failed, draining
    }

    package var endpoint: String
    package var revision: RevisionID
    package var state: State
    /// Why it failed, or why the last try failed where it is tried again.
    package var error: String?
    /// Single-row latency measured while warming up, before any traffic.
    package var warmup: LatencyHistogram?
    /// Answered requests, errors among them (not those the caller got wrong).
    package var requests: UInt64
    package var errors: UInt64
    /// Requests that their callers got wrong, and those turned away unread since too many waited; not
    /// among `requests`. Absent from gateways that do not tell.
    package var refused: UInt64?
    package var turnedAway: UInt64?
    package var latency: LatencyHistogram
    /// What its good answers said, one score a request; absent from gateways that count none.
    package var scores: AnswerScores?
    /// Requests, beside those, that it refused (400) and the other revision of its rollout would have
    /// taken; absent from gateways that do not count them.
    package var contested: UInt64?

    package init(
        endpoint: String, revision: RevisionID, state: State, error: String? = nil,
        warmup: LatencyHistogram? = nil, requests: UInt64 = 0, errors: UInt64 = 0,
        refused: UInt64? = nil, turnedAway: UInt64? = nil,
        latency: LatencyHistogram = LatencyHistogram(), scores: AnswerScores? = nil,
        contested: UInt64? = nil
    ) {
        self.refused = refused
        self.turnedAway = turnedAway
        self.endpoint = endpoint
        self.revision = revision
        self.state = state
        self.error = error
        self.warmup = warmup
        self.requests = requests
        self.errors = errors
        self.latency = latency
        self.scores = scores
        self.contested = contested
    }
}

package enum ReportGateway: Endpoint {
    package typealias Body = GatewayReport
    package typealias Reply = EmptyReply
    package static let action = Action.follow
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/gateways/report"
    package static let summary = "A gateway says what it runs and what it counted"
    package static let bodyLimitBytes = 8 << 20
}

/// The bytes of a blob; answered as `application/octet-stream`, not as JSON.
package enum GetBlob {
    package static let path = "/api/v1/blobs/{digest}"
}
