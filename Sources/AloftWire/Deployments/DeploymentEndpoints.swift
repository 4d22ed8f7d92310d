package import AloftDomain

package enum ListDeployments: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var deployments: [DeploymentItem]
        package init(deployments: [DeploymentItem]) { self.deployments = deployments }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/deployments"
    package static let summary = "Every deployment in every environment, with what is live"
}

/// `?environment=NAME&limit=N`; production where none is named.
package enum ShowDeployment: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var deployment: DeploymentItem
        /// Newest first.
        package var history: [RevisionItem]
        package init(deployment: DeploymentItem, history: [RevisionItem]) {
            self.deployment = deployment
            self.history = history
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/deployments/{deployment}"
    package static let summary =
        "A deployment's revisions with their checks and the evidence of each rollout step"
}

/// Sends a model version on its way into an environment.
package enum Deploy: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// `NAME@ALIAS` or `NAME/VERSION`.
        package var model: String
        /// Production where none is named.
        package var environment: String?
        /// All traffic in one move instead of by steps.
        package var atOnce: Bool?
        /// Steps may end before their time once what came suffices.
        package var early: Bool?
        /// An A/B experiment: the candidate's share of the traffic in percent, kept until the rollout
        /// is promoted or aborted by a person.
        package var experimentPercent: Double?
        /// How many requests each step waits for, in place of what the project file says.
        package var atLeast: Int?
        /// The version may take other inputs than the one that is live.
        package var breaking: Bool?
        package init(
            model: String, environment: String? = nil, atOnce: Bool? = nil, early: Bool? = nil,
            experimentPercent: Double? = nil, atLeast: Int? = nil, breaking: Bool? = nil
        ) {
            self.atLeast = atLeast
            self.model = model
            self.environment = environment
            self.atOnce = atOnce
            self.early = early
            self.experimentPercent = experimentPercent
            self.breaking = breaking
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var revision: RevisionItem
        /// False where this version was live or under way already.
        package var isNew: Bool
        package init(revision: RevisionItem, isNew: Bool) {
            self.revision = revision
            self.isNew = isNew
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/deployments/{deployment}/revisions"
    package static let summary = "Send a model version on its way into an environment"
}

/// `?environment=NAME&seen=CHANGES&answered=BOOL&wait=SECONDS`: waits for a change after the one seen,
/// or until it is answered otherwise than was seen.
package enum ShowRevision: Endpoint {
    package typealias Reply = RevisionItem
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/deployments/{deployment}/revisions/{number}"
    package static let summary = "One revision; waits for its next change with seen and wait"
}

/// Returns to the revision before.
package enum Rollback: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var environment: String?
        package init(environment: String? = nil) { self.environment = environment }
    }
    package struct Reply: Codable, Sendable, Equatable {
        /// The revision that has the traffic, or will have it.
        package var revision: RevisionItem
        /// False where the revision must be loaded first.
        package var isAtOnce: Bool
        package var desiredRevision: Int
        package init(revision: RevisionItem, isAtOnce: Bool, desiredRevision: Int) {
            self.revision = revision
            self.isAtOnce = isAtOnce
            self.desiredRevision = desiredRevision
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/deployments/{deployment}/rollback"
    package static let summary = "Give all traffic back to the revision before, at once"
}

/// Steers the rollout under way.
package enum SteerRollout: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var environment: String?
        /// `promote`, `pause`, `resume` or `abort`.
        package var action: String
        package init(environment: String? = nil, action: String) {
            self.environment = environment
            self.action = action
        }
    }
    package typealias Reply = RevisionItem
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/deployments/{deployment}/rollout"
    package static let summary = "Promote, pause, resume or abort the rollout under way"
}

/// The converter's result.
package enum PutServable: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var digest: ContentDigest
        package var sizeBytes: Int64
        package var manifest: ServableManifest
        package init(digest: ContentDigest, sizeBytes: Int64, manifest: ServableManifest) {
            self.digest = digest
            self.sizeBytes = sizeBytes
            self.manifest = manifest
        }
        private enum CodingKeys: String, CodingKey {
            case digest, manifest
            case sizeBytes = "size_bytes"
        }
    }
    package typealias Reply = ShowServable.Reply
    package static let action = Action.convert
    package static let method = EndpointMethod.put
    package static let path = "/api/v1/models/{name}/versions/{version}/servable"
    package static let summary = "Store a model version's servable form, uploaded as a blob before"
    /// Its manifest holds an example of the model's input.
    package static let bodyLimitBytes = 16 << 20
}

package enum ShowServable: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var model: String
        package var version: Int
        /// `pending`, `converting`, `ready` or `failed`.
        package var state: String
        package var digest: ContentDigest?
        package var sizeBytes: Int64?
        package var manifest: ServableManifest?
        package var job: JobID?
        package var reason: String?
        package var lastLines: String?
        package init(
            model: String, version: Int, state: String, digest: ContentDigest? = nil,
            sizeBytes: Int64? = nil, manifest: ServableManifest? = nil, job: JobID? = nil,
            reason: String? = nil, lastLines: String? = nil
        ) {
            self.model = model
            self.version = version
            self.state = state
            self.digest = digest
            self.sizeBytes = sizeBytes
            self.manifest = manifest
            self.job = job
            self.reason = reason
            self.lastLines = lastLines
        }
    }
    package static let action = Action.fetch
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/models/{name}/versions/{version}/servable"
    package static let summary = "How far a model version's conversion is"
}

package enum ListGateways: Endpoint {
    package struct Item: Codable, Sendable, Equatable {
        package var gateway: GatewayID
        /// The desired state that it follows.
        package var desiredRevision: Int
        package var reportedAt: String
        package var isAlive: Bool
        package init(
            gateway: GatewayID, desiredRevision: Int, reportedAt: String, isAlive: Bool
        ) {
            self.gateway = gateway
            self.desiredRevision = desiredRevision
            self.reportedAt = reportedAt
            self.isAlive = isAlive
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var desiredRevision: Int
        /// Where the gateway beside the server listens, such as `http://127.0.0.1:5001`; absent where
        /// it runs none.
        package var own: String?
        package var gateways: [Item]
        package init(desiredRevision: Int, own: String? = nil, gateways: [Item]) {
            self.own = own
            self.desiredRevision = desiredRevision
            self.gateways = gateways
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/gateways"
    package static let summary = "The gateways and the desired state that each follows"
}
