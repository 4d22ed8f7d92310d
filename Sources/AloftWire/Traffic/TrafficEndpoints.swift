package import AloftDomain

/// What an endpoint does with requests besides its revisions' shares. `?environment=NAME`;
/// production where none is named.
package enum ShowTraffic: Endpoint {
    package struct Shadow: Codable, Sendable, Equatable {
        package var deployment: String
        package var environment: String
        package var sharePercent: Double
        /// The revision that gets the copies; absent while none is live there.
        package var revision: Int?
        package var version: String?
        package var compared: UInt64
        package var failed: UInt64
        /// Copies that both answered in forms that cannot be compared, and how one of them was.
        package var incomparable: UInt64
        package var notComparable: String?
        package var dropped: UInt64
        package var differing: UInt64
        package var largestDifference: Double
        package var meanDifference: Double?
        package var classes: UInt64
        package var otherClasses: UInt64

        package init(
            deployment: String, environment: String, sharePercent: Double, revision: Int?,
            version: String?, counts: ShadowCount
        ) {
            self.deployment = deployment
            self.environment = environment
            self.sharePercent = sharePercent
            self.revision = revision
            self.version = version
            compared = counts.compared
            failed = counts.failed
            incomparable = counts.incomparable
            notComparable = counts.notComparable
            dropped = counts.dropped
            differing = counts.differing
            largestDifference = counts.largestDifference
            meanDifference = counts.meanDifference
            classes = counts.classes
            otherClasses = counts.otherClasses
        }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var deployment: String
        package var environment: String
        package var shadow: Shadow?
        package var segments: SegmentTree?
        package var changedAt: String?
        package var changedBy: String?

        package init(
            deployment: String, environment: String, shadow: Shadow? = nil,
            segments: SegmentTree? = nil, changedAt: String? = nil, changedBy: String? = nil
        ) {
            self.deployment = deployment
            self.environment = environment
            self.shadow = shadow
            self.segments = segments
            self.changedAt = changedAt
            self.changedBy = changedBy
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/deployments/{deployment}/traffic"
    package static let summary = "A deployment's shadow with the differences seen, and its segments"
}

/// A tree of segments: each is answered by its deployment where that can answer, else by its
/// parent's, and in the end by the deployment itself.
package struct SegmentTree: Codable, Sendable, Equatable {
    package struct Node: Codable, Sendable, Equatable {
        package var key: String
        package var parent: String?
        package var deployment: String?

        package init(key: String, parent: String?, deployment: String?) {
            self.key = key
            self.parent = parent
            self.deployment = deployment
        }
    }

    /// `header`, `parameter` or `field`.
    package var source: String
    /// Of the header, parameter or field.
    package var name: String
    /// Parents before their children.
    package var nodes: [Node]

    package init(source: String, name: String, nodes: [Node]) {
        self.source = source
        self.name = name
        self.nodes = nodes
    }
}

/// Copies a share of the requests to another deployment, which answers nobody.
package enum SetShadow: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var environment: String?
        /// Whose live revision gets the copies; this deployment where none is named.
        package var deployment: String?
        /// Of the shadow; `shadow` where none is named.
        package var shadowEnvironment: String?
        package var sharePercent: Double

        package init(
            environment: String? = nil, deployment: String? = nil,
            shadowEnvironment: String? = nil, sharePercent: Double
        ) {
            self.environment = environment
            self.deployment = deployment
            self.shadowEnvironment = shadowEnvironment
            self.sharePercent = sharePercent
        }
    }
    package typealias Reply = ShowTraffic.Reply
    package static let action = Action.manage
    package static let method = EndpointMethod.put
    package static let path = "/api/v1/deployments/{deployment}/shadow"
    package static let summary = "Copy a share of the requests to a shadow that answers nobody"
}

/// `?environment=NAME`.
package enum ClearShadow: Endpoint {
    package typealias Reply = ShowTraffic.Reply
    package static let action = Action.manage
    package static let method = EndpointMethod.delete
    package static let path = "/api/v1/deployments/{deployment}/shadow"
    package static let summary = "Copy no more requests"
}

package enum SetSegments: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var environment: String?
        package var segments: SegmentTree

        package init(environment: String? = nil, segments: SegmentTree) {
            self.environment = environment
            self.segments = segments
        }
    }
    package typealias Reply = ShowTraffic.Reply
    package static let action = Action.manage
    package static let method = EndpointMethod.put
    package static let path = "/api/v1/deployments/{deployment}/segments"
    package static let summary = "Answer segments of the requests by deployments of their own"
}

/// `?environment=NAME`.
package enum ClearSegments: Endpoint {
    package typealias Reply = ShowTraffic.Reply
    package static let action = Action.manage
    package static let method = EndpointMethod.delete
    package static let path = "/api/v1/deployments/{deployment}/segments"
    package static let summary = "Answer every request by the deployment itself"
}
