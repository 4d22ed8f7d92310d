package import AloftDomain

/// What a gateway runs and what it counted since it started. Sent when a revision's state changes
/// and about once a second while there is traffic.
package struct GatewayReport: Codable, Sendable, Equatable {
    package var gateway: GatewayID
    /// New at each start of the gateway's process; counters start from zero with it.
    package var incarnation: String
    /// The desired state that it follows.
    package var desiredRevision: Int
    package var revisions: [RevisionReport]
    /// What became of copies; absent where no shadow got any.
    package var shadows: [ShadowReport]?

    package init(
        gateway: GatewayID, incarnation: String, desiredRevision: Int, revisions: [RevisionReport],
        shadows: [ShadowReport]? = nil
    ) {
        self.gateway = gateway
        self.incarnation = incarnation
        self.desiredRevision = desiredRevision
        self.revisions = revisions
        self.shadows = shadows
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
    /// Why it failed.
    package var error: String?
    /// Single-row latency measured while warming up, before any traffic.
    package var warmup: LatencyHistogram?
    /// Answered requests, errors among them (not those the caller got wrong).
    package var requests: UInt64
    package var errors: UInt64
    package var latency: LatencyHistogram
    /// What its good answers said, one score a request; absent from gateways that count none.
    package var scores: ScoreHistogram?

    package init(
        endpoint: String, revision: RevisionID, state: State, error: String? = nil,
        warmup: LatencyHistogram? = nil, requests: UInt64 = 0, errors: UInt64 = 0,
        latency: LatencyHistogram = LatencyHistogram(), scores: ScoreHistogram? = nil
    ) {
        self.endpoint = endpoint
        self.revision = revision
        self.state = state
        self.error = error
        self.warmup = warmup
        self.requests = requests
        self.errors = errors
        self.latency = latency
        self.scores = scores
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
    /// Histograms are lists of pairs of small numbers: a gateway with a thousand models sends many.
    package static let readingBytesPerByte = 48
}

/// The bytes of a blob; answered as `application/octet-stream`, not as JSON.
package enum GetBlob {
    package static let path = "/api/v1/blobs/{digest}"
}
