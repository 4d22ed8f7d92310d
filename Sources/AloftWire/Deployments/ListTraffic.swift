package import AloftDomain

/// `?deployment=NAME&environment=NAME&minutes=1...60`: of one deployment if it is named, else of all.
package enum ListTraffic: Endpoint {
    /// Counts of one interval over all gateways.
    package struct Point: Codable, Sendable, Equatable {
        /// The begin of the interval, in seconds since 1970.
        package var at: Int64
        package var requests: UInt64
        package var errors: UInt64
        /// Requests that their callers got wrong (4xx), and those turned away unread since too many
        /// waited (429); not among `requests`.
        package var refused: UInt64
        package var turnedAway: UInt64
        package var p50Milliseconds: Double?
        package var p95Milliseconds: Double?
        package var p99Milliseconds: Double?

        package init(
            at: Int64, requests: UInt64, errors: UInt64, refused: UInt64, turnedAway: UInt64,
            p50Milliseconds: Double?, p95Milliseconds: Double?, p99Milliseconds: Double?
        ) {
            self.refused = refused
            self.turnedAway = turnedAway
            self.at = at
            self.requests = requests
            self.errors = errors
            self.p50Milliseconds = p50Milliseconds
            self.p95Milliseconds = p95Milliseconds
            self.p99Milliseconds = p99Milliseconds
        }
    }

    package struct Series: Codable, Sendable, Equatable {
        package var revision: RevisionID
        package var number: Int
        package var deployment: String
        package var environment: String
        /// Intervals without requests are left out.
        package var points: [Point]

        package init(
            revision: RevisionID, number: Int, deployment: String, environment: String,
            points: [Point]
        ) {
            self.revision = revision
            self.number = number
            self.deployment = deployment
            self.environment = environment
            self.points = points
        }
    }

    /// Requests in the window that were answered without asking a revision.
    package struct Unrouted: Codable, Sendable, Equatable {
        /// As the answer said: `model_not_found`, `model_not_ready`, `token_missing`, …
        package var code: String
        package var status: Int
        /// The name that was asked for, where there was one.
        package var endpoint: String?
        package var requests: UInt64
        /// The begin of the last interval with one, in seconds since 1970.
        package var lastAt: Int64

        package init(
            code: String, status: Int, endpoint: String?, requests: UInt64, lastAt: Int64
        ) {
            self.code = code
            self.status = status
            self.endpoint = endpoint
            self.requests = requests
            self.lastAt = lastAt
        }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var intervalSeconds: Int
        /// The first interval that was asked for and the one that is not over yet, in seconds
        /// since 1970.
        package var from: Int64
        package var to: Int64
        package var series: [Series]
        /// Requests that came to no revision: those that named the deployment, or all.
        package var unrouted: [Unrouted]

        package init(
            intervalSeconds: Int, from: Int64, to: Int64, series: [Series], unrouted: [Unrouted]
        ) {
            self.unrouted = unrouted
            self.intervalSeconds = intervalSeconds
            self.from = from
            self.to = to
            self.series = series
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/traffic"
    package static let summary =
        "Requests, errors and latencies of each revision in the last minutes, by short intervals"
}
