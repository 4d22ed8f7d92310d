package import AloftDomain
package import Foundation

/// A model version's servable form as stored.
package struct ServableRecord: Sendable, Equatable {
    package var version: ModelVersionKey
    /// Tells this version from a later one of the same number, after a model was deleted.
    package var versionStamp: String
    package var lifecycle: ServableLifecycle
    /// The last conversion job.
    package var job: JobID?
    package var createdAt: Date
    package var updatedAt: Date

    package var servable: Servable? {
        if case .ready(let servable) = lifecycle.state { servable } else { nil }
    }
}

/// A named endpoint in an environment.
package struct DeploymentRecord: Sendable, Equatable {
    package var id: DeploymentID
    package var project: ProjectID
    package var name: String
    package var environment: String
    package var createdAt: Date
    package var createdBy: String
    /// The revision of the desired state since which its traffic is split as it is.
    package var servedSince = 0
}

package struct RevisionRecord: Sendable, Equatable {
    package var id: RevisionID
    package var deployment: DeploymentID
    /// 1, 2, … within the deployment.
    package var number: Int
    package var version: ModelVersionKey
    /// What it was made from; known once it is admitted.
    package var servable: Servable?
    package var policy: RolloutPolicy
    /// What it must pass, as the project file said when it was made.
    package var checks: [CheckExpression]
    package var lifecycle: RevisionLifecycle
    package var createdAt: Date
    package var createdBy: String
    /// When every check had held and it was given to traffic.
    package var releasedAt: Date?
    /// When it was live first.
    package var liveAt: Date?
    package var endedAt: Date?
    /// Grows with every change of the row.
    package var changes: Int

    package var state: RevisionLifecycle.State { lifecycle.state }
}

/// What a check of a revision came to.
package struct CheckResultRecord: Sendable, Equatable {
    /// Its place among the revision's checks.
    package var position: Int
    package var source: String
    package var held: Bool
    package var left: Double?
    package var right: Double?
    /// In a person's words, with both numbers.
    package var explanation: String

    package init(
        position: Int, source: String, held: Bool, left: Double?, right: Double?,
        explanation: String
    ) {
        self.position = position
        self.source = source
        self.held = held
        self.left = left
        self.right = right
        self.explanation = explanation
    }
}

package struct RolloutRecord: Sendable, Equatable {
    package var id: RolloutID
    package var revision: RevisionID
    /// The revision that was live when it began.
    package var baseline: RevisionID
    package var lifecycle: RolloutLifecycle
    package var createdAt: Date
    package var endedAt: Date?
    package var changes: Int

    package var state: RolloutLifecycle.State { lifecycle.state }
}

/// What candidate and baseline counted, as sums over gateways.
package struct StepTraffic: Sendable, Equatable, Codable {
    package var candidate: TrafficCount
    package var baseline: TrafficCount

    package init(candidate: TrafficCount, baseline: TrafficCount) {
        self.candidate = candidate
        self.baseline = baseline
    }

    package func since(_ earlier: StepTraffic) -> StepTraffic {
        StepTraffic(
            candidate: candidate.since(earlier.candidate),
            baseline: baseline.since(earlier.baseline))
    }
}

package struct RolloutStepRecord: Sendable, Equatable {
    package enum Verdict: String, Sendable { case advanced, promoted, aborted }
    package struct End: Sendable, Equatable {
        package var at: Date
        package var verdict: Verdict
        package var reason: String
    }

    /// From 0.
    package var step: Int
    package var weightPercent: Double
    /// What counts as slow in this step; see `StepEvidence`.
    package var slowSeconds: Double?
    package var startedAt: Date
    /// When every gateway answered with its weights; `nil` before.
    package var followedAt: Date?
    /// The sums when it began.
    package var startReading: StepTraffic
    /// What came during the step: so far, or in all.
    package var traffic: StepTraffic
    package var end: End?
}

/// A gateway as last heard of.
package struct GatewayRecord: Sendable, Equatable {
    package var id: GatewayID
    package var incarnation: String
    package var desiredRevision: Int
    package var firstSeenAt: Date
    package var reportedAt: Date
}

/// What a gateway says of one revision.
package struct GatewayRevisionReport: Sendable, Equatable {
    package enum State: String, Sendable {
        case loading, ready, failed, draining
        /// Of an incarnation that has ended.
        case gone
    }

    package var revision: RevisionID
    package var state: State
    package var error: String?
    package var warmup: LatencyHistogram?
    package var traffic: TrafficCount

    package init(
        revision: RevisionID, state: State, error: String? = nil, warmup: LatencyHistogram? = nil,
        traffic: TrafficCount = TrafficCount()
    ) {
        self.revision = revision
        self.state = state
        self.error = error
        self.warmup = warmup
        self.traffic = traffic
    }
}

/// The same as it is stored, with its histograms as texts: they take a hundred times as much as numbers.
package struct GatewayRevisionNote: Sendable {
    package let revision: RevisionID
    let state: GatewayRevisionReport.State
    let error: String?
    let warmup: String?
    let requests: Int64
    let errors: Int64
    let refused: Int64
    let turnedAway: Int64
    let contested: Int64
    let latency: String
    let scores: String

    package init(_ report: GatewayRevisionReport) throws {
        revision = report.revision
        state = report.state
        error = report.error
        warmup = try report.warmup.map(StoredJSON.text)
        requests = Int64(clamping: report.traffic.requests)
        errors = Int64(clamping: report.traffic.errors)
        refused = Int64(clamping: report.traffic.refused)
        turnedAway = Int64(clamping: report.traffic.turnedAway)
        contested = Int64(clamping: report.traffic.contested)
        latency = try StoredJSON.text(report.traffic.latency)
        scores = try StoredJSON.text(report.traffic.scores)
    }
}

/// How far a gateway that is alive is with a revision.
package struct GatewayStanding: Sendable, Equatable {
    package var gateway: GatewayID
    /// The desired state that it answers by.
    package var desiredRevision: Int
    /// `nil` before it said anything of the revision.
    package var state: GatewayRevisionReport.State?
    package var error: String?
}

/// A gateway that is alive, and what it says of a revision; `nil` before it said anything.
package struct FleetMember: Sendable, Equatable {
    package var gateway: GatewayID
    package var report: GatewayRevisionReport?

    package init(gateway: GatewayID, report: GatewayRevisionReport?) {
        self.gateway = gateway
        self.report = report
    }
}
