package import AloftDomain

/// `?deployment=NAME&environment=NAME&minutes=1...60`: of one deployment if it is named, else of all.
package enum ListTraffic: Endpoint {
    /// Counts of one interval over all gateways.
    package struct Point: Codable, Sendable, Equatable {
        /// The begin of the interval, in seconds since 1970.
        package var at: Int64
        package var requests: UInt64
        package var errors: UInt64
        package var p50Milliseconds: Double?
        package var p95Milliseconds: Double?
        package var p99Milliseconds: Double?

        package init(
            at: Int64, requests: UInt64, errors: UInt64, p50Milliseconds: Double?,
            p95Milliseconds: Double?, p99Milliseconds: Double?
        ) {
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

    package struct Reply: Codable, Sendable, Equatable {
        package var intervalSeconds: Int
        /// The first interval that was asked for and the one that is not over yet, in seconds
        /// since 1970.
        package var from: Int64
        package var to: Int64
        package var series: [Series]

        package init(intervalSeconds: Int, from: Int64, to: Int64, series: [Series]) {
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
