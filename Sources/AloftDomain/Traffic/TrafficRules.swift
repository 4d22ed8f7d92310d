/// What an endpoint does with requests besides its own revisions' shares.
package struct TrafficRules: Sendable, Hashable, Codable {
    package var shadow: ShadowRule?
    package var segments: SegmentRules?
    /// How the model runs; those of production hold in all environments that have none of their own.
    package var execution: ExecutionRules?

    package init(
        shadow: ShadowRule? = nil, segments: SegmentRules? = nil,
        execution: ExecutionRules? = nil
    ) {
        self.shadow = shadow
        self.segments = segments
        self.execution = execution.flatMap { $0.isEmpty ? nil : $0 }
    }

    package var isEmpty: Bool { shadow == nil && segments == nil && execution == nil }
}

/// Copies of requests go to another deployment, which answers nobody.
package struct ShadowRule: Sendable, Hashable, Codable {
    /// The deployment whose live revision gets the copies; `nil`: the one that the rule is of.
    package var deployment: String?
    package var environment: String
    /// The share of answered requests that is copied, in (0, 100].
    package var sharePercent: Double

    /// - Throws: `TrafficError.invalidShare`.
    package init(
        deployment: String? = nil, environment: String = EndpointName.shadow, sharePercent: Double
    ) throws(TrafficError) {
        guard sharePercent > 0, sharePercent <= 100 else {
            throw TrafficError.invalidShare(sharePercent)
        }
        self.deployment = deployment
        self.environment = environment
        self.sharePercent = sharePercent
    }
}

/// Where a request says which segment it belongs to.
package enum SegmentKey: Sendable, Hashable, Codable {
    /// A header of the request, such as `x-city`.
    case header(String)
    /// A parameter in the body: `{"parameters": {"city": "berlin"}, …}`.
    case parameter(String)
    /// An input of the model or a column of its table; that of the first row counts.
    case field(String)

    package enum Source: String, Sendable, CaseIterable { case header, parameter, field }

    package init(_ source: Source, name: String) {
        switch source {
        case .header: self = .header(name.lowercased())
        case .parameter: self = .parameter(name)
        case .field: self = .field(name)
        }
    }

    package var source: Source {
        switch self {
        case .header: .header
        case .parameter: .parameter
        case .field: .field
        }
    }

    package var name: String {
        switch self {
        case .header(let name), .parameter(let name), .field(let name): name
        }
    }
}

/// A tree of segments, each answered by a deployment of its own where it has one that can answer,
/// else by its parent's, and in the end by the deployment that the tree is of.
package struct SegmentRules: Sendable, Hashable, Codable {
    package struct Node: Sendable, Hashable, Codable {
        /// What a request says, such as `berlin`.
        package var key: String
        /// The key of the segment around it; `nil` at the top.
        package var parent: String?
        /// The deployment that answers for it; `nil`: its parent's.
        package var deployment: String?

        package init(key: String, parent: String? = nil, deployment: String? = nil) {
            self.key = key
            self.parent = parent
            self.deployment = deployment
        }
    }

    package let key: SegmentKey
    /// Parents before their children.
    package let nodes: [Node]

    package static let mostNodes = 10_000
    package static let deepest = 16

    /// - Throws: `TrafficError.invalidSegments` for a repeated key, a parent that does not come
    ///   before, or a tree that is too large or too deep.
    package init(key: SegmentKey, nodes: [Node]) throws(TrafficError) {
        guard !key.name.isEmpty, key.name.utf8.count <= 200 else {
            throw .invalidSegments(reason: "where the key stands has 1 to 200 characters")
        }
        guard (1...Self.mostNodes).contains(nodes.count) else {
            throw .invalidSegments(reason: "a tree has 1 to \(Self.mostNodes) segments")
        }
        var depths: [String: Int] = [:]
        for node in nodes {
            guard (1...200).contains(node.key.utf8.count) else {
                throw .invalidSegments(reason: "a segment's key has 1 to 200 characters")
            }
            guard depths[node.key] == nil else {
                throw .invalidSegments(reason: "the segment \(node.key) stands there twice")
            }
            if let deployment = node.deployment, !EndpointName.isDeployment(deployment) {
                throw .invalidSegments(reason: "\(deployment.prefix(100)) names no deployment")
            }
            guard let parent = node.parent else {
                depths[node.key] = 1
                continue
            }
            guard let depth = depths[parent] else {
                throw .invalidSegments(
                    reason:
                        "the segment \(parent) does not stand before \(node.key), which is in it")
            }
            guard depth < Self.deepest else {
                throw .invalidSegments(reason: "segments lie at most \(Self.deepest) deep")
            }
            depths[node.key] = depth + 1
        }
        self.key = key
        self.nodes = nodes
    }

    /// For each key the deployments that may answer it: its own first, then those around it. Keys
    /// for which there is none are left out.
    package var chains: [String: [String]] {
        var chains: [String: [String]] = [:]
        for node in nodes {
            let outer = node.parent.flatMap { chains[$0] } ?? []
            chains[node.key] = (node.deployment.map { [$0] } ?? []) + outer
        }
        return chains.filter { !$0.value.isEmpty }
    }
}

/// What is refused about traffic rules.
package enum TrafficError: Refusal, Equatable {
    case invalidShare(Double)
    case invalidSegments(reason: String)
    case invalidSource(String)
    case shadowOfItself(deployment: String)

    package var code: String {
        switch self {
        case .invalidShare: "share_invalid"
        case .invalidSegments: "segments_invalid"
        case .invalidSource: "segment_source_invalid"
        case .shadowOfItself: "shadow_of_itself"
        }
    }

    package var kind: RefusalKind { .invalid }

    package var message: String {
        switch self {
        case .invalidShare(let share): "\(share)%: a share is above 0% and at most 100%"
        case .invalidSegments(let reason): reason
        case .invalidSource(let text):
            "\(text.prefix(100)): a segment's key stands in a header, a parameter or a field"
        case .shadowOfItself(let deployment):
            "\(deployment) cannot be its own shadow; name another environment or deployment"
        }
    }
}
