// text-file: names of endpoints, which are ASCII
import AloftDomain
import AloftPredictionLog
import AloftWire

/// The traffic split: which revision answers what; never changed, replaced as a whole. Each event loop
/// holds the newest.
final class RoutingTable: Sendable {
    let desiredRevision: Int
    let endpoints: [String: RoutedEndpoint]
    /// By the whole path, so that the usual request is found with one look.
    let inferPaths: [String: InferPath]
    /// Whether every endpoint that has traffic can answer it.
    let isReady: Bool

    /// Where an endpoint is asked.
    final class InferPath: Sendable {
        let text: String
        let utf8: [UInt8]
        let endpoint: RoutedEndpoint
        /// Whether a header says which endpoint answers.
        let needsHeaders: Bool

        init(_ endpoint: RoutedEndpoint) {
            text = "/v2/models/\(endpoint.served.name)/infer"
            utf8 = Array(text.utf8)
            self.endpoint = endpoint
            needsHeaders = endpoint.served.segments?.source == "header"
        }
    }

    init(desiredRevision: Int, endpoints: [RoutedEndpoint], isReady: Bool) {
        self.desiredRevision = desiredRevision
        self.endpoints = Dictionary(
            endpoints.map { ($0.served.name, $0) }, uniquingKeysWith: { $1 })
        inferPaths = Dictionary(
            endpoints.map { endpoint in
                let path = InferPath(endpoint)
                return (path.text, path)
            }, uniquingKeysWith: { $1 })
        self.isReady = isReady && endpoints.allSatisfy(\.isReady)
    }

    /// The endpoint that answers a segment of another: the first of the segment's that can, else the
    /// endpoint itself.
    func endpoint(for segment: String?, of endpoint: RoutedEndpoint) -> RoutedEndpoint {
        guard let segment, let chain = endpoint.served.segments?.chains[segment] else {
            return endpoint
        }
        for name in chain {
            guard let found = endpoints[name] else { continue }
            if !found.routes.isEmpty || found.isEvicted { return found }
        }
        return endpoint
    }

    static let empty = RoutingTable(desiredRevision: 0, endpoints: [], isReady: false)
}

final class RoutedEndpoint: Sendable {
    struct Route: Sendable {
        let revision: LoadedRevision
        /// The upper end of its share of 0..<1.
        let upTo: Double
    }

    let served: ServedEndpoint
    /// Revisions with traffic, by number. Empty while none is ready.
    let routes: [Route]
    /// Every revision in memory, those kept warm among them.
    let loaded: [LoadedRevision]
    /// Whether it has traffic and its model is on disk only, to be loaded when asked for.
    let isEvicted: Bool
    /// Why there is no route.
    let reason: String
    /// Whether an administrator wants it out of memory.
    let isUnloaded: Bool
    /// What the prediction log says of each revision, its rollout step of now included.
    private let logSources: [(revision: LoadedRevision, source: LogSource)]
    /// Who gets copies of its requests, and of what share of 0...1.
    let shadow: (revision: LoadedRevision, share: Double)?

    /// - Parameter weighted: revisions in memory that get traffic, with their weights.
    init(
        served: ServedEndpoint, weighted: [(LoadedRevision, Double)], loaded: [LoadedRevision],
        isEvicted: Bool = false, reason: String, isUnloaded: Bool = false,
        shadow: (revision: LoadedRevision, share: Double)? = nil
    ) {
        self.isUnloaded = isUnloaded
        self.served = served
        self.shadow = shadow
        self.loaded = loaded
        self.isEvicted = isEvicted
        self.reason = reason
        logSources = loaded.map { revision in
            let step = served.revisions.first { $0.id == revision.served.id }?.rolloutStep
            return (revision, revision.logSource(rolloutStep: step))
        }
        let total = weighted.reduce(0) { $0 + $1.1 }
        var sum = 0.0
        // The newest first: as its weight grows, its share only grows, so a sticky caller moves once.
        routes = weighted.sorted { $0.0.served.number > $1.0.served.number }.map {
            revision, weight in
            sum += weight / total
            return Route(revision: revision, upTo: sum)
        }
    }

    var isReady: Bool {
        !routes.isEmpty || isEvicted || isUnloaded
            || !served.revisions.contains { $0.weightPercent > 0 }
    }

    func logSource(of revision: LoadedRevision) -> LogSource {
        for known in logSources where known.revision === revision { return known.source }
        return revision.logSource(rolloutStep: nil)
    }

    /// The revision for a point of 0..<1.
    func revision(at point: Double) -> LoadedRevision? {
        for route in routes where point < route.upTo { return route.revision }
        return routes.last?.revision
    }

    func revision(version: String) -> LoadedRevision? {
        loaded.filter { $0.served.modelVersion == version }
            .max { $0.served.number < $1.served.number }
    }
}
