// text-file: names of environments, which are ASCII
package import AloftDomain

/// What gateways are to serve: one document with a revision. A gateway keeps the last one on disk.
package struct DesiredState: Codable, Sendable, Equatable {
    /// Grows with every change.
    package var revision: Int
    package var endpoints: [ServedEndpoint]
    /// Grows whenever a token or session ends: then a gateway asks again about those that it knows.
    /// `nil` from servers that do not say.
    package var tokenEnds: Int?

    package init(revision: Int, endpoints: [ServedEndpoint], tokenEnds: Int? = nil) {
        self.revision = revision
        self.endpoints = endpoints
        self.tokenEnds = tokenEnds
    }
}

/// A deployment in an environment, as clients call it.
package struct ServedEndpoint: Codable, Sendable, Equatable {
    /// The name in `/v2/models/{name}`: the deployment's own in production, `name.environment`
    /// elsewhere.
    package var name: String
    package var project: ProjectID
    package var deployment: String
    package var environment: String
    /// Every revision to have in memory; those of weight 0 are kept warm.
    package var revisions: [ServedRevision]
    /// The share of answered requests written to the prediction log, 0...1; errors always are.
    package var logSampling: Double
    package var shadow: ServedShadow?
    package var segments: ServedSegments?
    /// How its models run, where somebody said.
    package var execution: ServedExecution?

    package init(
        name: String, project: ProjectID, deployment: String, environment: String,
        revisions: [ServedRevision], logSampling: Double, shadow: ServedShadow? = nil,
        segments: ServedSegments? = nil, execution: ServedExecution? = nil
    ) {
        self.name = name
        self.project = project
        self.deployment = deployment
        self.environment = environment
        self.revisions = revisions
        self.logSampling = logSampling
        self.shadow = shadow
        self.segments = segments
        self.execution = execution
    }
}

/// How an endpoint's models run.
package struct ServedExecution: Codable, Sendable, Equatable {
    /// Processes of a Python model; `nil`: as many as it needs.
    package var workers: Int?
    /// `rows` or `off`; `nil`: as its conversion has proved.
    package var batch: String?
    /// `nil`: a request waits until its deadline.
    package var latencyTargetMilliseconds: Int?

    package init(
        workers: Int? = nil, batch: String? = nil, latencyTargetMilliseconds: Int? = nil
    ) {
        self.workers = workers
        self.batch = batch
        self.latencyTargetMilliseconds = latencyTargetMilliseconds
    }
}

/// Copies of answered requests go to another endpoint, which answers nobody.
package struct ServedShadow: Codable, Sendable, Equatable {
    package var endpoint: String
    /// In (0, 100].
    package var sharePercent: Double

    package init(endpoint: String, sharePercent: Double) {
        self.endpoint = endpoint
        self.sharePercent = sharePercent
    }
}

/// Requests of some segments are answered by other endpoints.
package struct ServedSegments: Codable, Sendable, Equatable {
    /// `header`, `parameter` or `field`: where a request says its segment.
    package var source: String
    package var name: String
    /// By segment the endpoints that may answer, in order; the first that is ready does, and where
    /// none is, the endpoint itself.
    package var chains: [String: [String]]

    package init(source: String, name: String, chains: [String: [String]]) {
        self.source = source
        self.name = name
        self.chains = chains
    }
}

package struct ServedRevision: Codable, Sendable, Equatable {
    package var id: RevisionID
    /// 1, 2, … within the deployment and environment.
    package var number: Int
    /// The share of traffic in percent; the weights of an endpoint that has traffic add up to 100.
    package var weightPercent: Double
    package var rolloutStep: Int?
    package var modelName: String
    package var modelVersion: String
    package var servable: ServableReference

    package init(
        id: RevisionID, number: Int, weightPercent: Double, rolloutStep: Int? = nil,
        modelName: String, modelVersion: String, servable: ServableReference
    ) {
        self.id = id
        self.number = number
        self.weightPercent = weightPercent
        self.rolloutStep = rolloutStep
        self.modelName = modelName
        self.modelVersion = modelVersion
        self.servable = servable
    }
}

/// A converted model: its blob and how to call it. The blob is the ONNX file, or for a Python model
/// an uncompressed tar of the MLflow model folder.
package struct ServableReference: Codable, Sendable, Equatable {
    package var digest: ContentDigest
    package var sizeBytes: Int64
    package var manifest: ServableManifest

    package init(digest: ContentDigest, sizeBytes: Int64, manifest: ServableManifest) {
        self.digest = digest
        self.sizeBytes = sizeBytes
        self.manifest = manifest
    }
}

/// `GET`: the desired state, at once if it is newer than `?after=N`, else as soon as it changes or
/// after `?wait=SECONDS` (at most 60) with what there is.
package enum GetDesiredState: Endpoint {
    package typealias Reply = DesiredState
    package static let action = Action.follow
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/gateways/desired-state"
    package static let summary =
        "What gateways are to serve; waits for a change with after and wait"
}

/// Which tokens that a gateway knows still live.
package enum CheckTokens: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// SHA-256 digests of tokens, at most `most`.
        package var digests: [String]
        package init(digests: [String]) { self.digests = digests }
    }

    package struct Reply: Codable, Sendable, Equatable {
        package var live: [String]
        package init(live: [String]) { self.live = live }
    }

    package static let most = 1000
    package static let action = Action.follow
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/gateways/tokens"
    package static let summary = "Which of these digests of tokens are of live ones"
}
