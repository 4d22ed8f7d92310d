package import AloftDomain

/// A deployment in an environment, at a glance.
package struct DeploymentItem: Codable, Sendable, Equatable {
    package var name: String
    package var environment: String
    package var project: ProjectID
    /// As gateways serve it.
    package var endpoint: String
    package var live: RevisionItem?
    package var standby: RevisionItem?
    package var underWay: RevisionItem?

    package init(
        name: String, environment: String, project: ProjectID, endpoint: String,
        live: RevisionItem? = nil, standby: RevisionItem? = nil, underWay: RevisionItem? = nil
    ) {
        self.name = name
        self.environment = environment
        self.project = project
        self.endpoint = endpoint
        self.live = live
        self.standby = standby
        self.underWay = underWay
    }
}

/// A revision of a deployment.
package struct RevisionItem: Codable, Sendable, Equatable {
    package var id: RevisionID
    package var number: Int
    package var model: String
    package var version: Int
    /// `waiting`, `warming`, `rolling`, `live`, `standby`, or how it ended: `rejected`, `failed`,
    /// `aborted`, `superseded`, `rolledBack`, `retired`.
    package var state: String
    package var hasEnded: Bool
    /// Its share of the traffic in percent.
    package var weightPercent: Double
    /// Whether every gateway that is alive answers with that share; false where none is alive.
    package var isAnswered: Bool
    /// The gateways that do not, while it is live or rolling out.
    package var awaited: [AwaitedItem]
    /// Why it ended, or what it waits for.
    package var reason: String?
    package var runtime: String?
    package var createdAt: String
    package var createdBy: String
    package var liveAt: String?
    package var endedAt: String?
    package var checks: [CheckItem]
    package var rollout: RolloutItem?
    /// Grows with every change.
    package var changes: Int

    package init(
        id: RevisionID, number: Int, model: String, version: Int, state: String, hasEnded: Bool,
        weightPercent: Double, isAnswered: Bool, awaited: [AwaitedItem], reason: String?,
        runtime: String?, createdAt: String, createdBy: String, liveAt: String?, endedAt: String?,
        checks: [CheckItem],
        rollout: RolloutItem?, changes: Int
    ) {
        self.id = id
        self.number = number
        self.model = model
        self.version = version
        self.state = state
        self.hasEnded = hasEnded
        self.weightPercent = weightPercent
        self.isAnswered = isAnswered
        self.awaited = awaited
        self.reason = reason
        self.runtime = runtime
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.liveAt = liveAt
        self.endedAt = endedAt
        self.checks = checks
        self.rollout = rollout
        self.changes = changes
    }
}

/// A gateway that does not answer as it should yet.
package struct AwaitedItem: Codable, Sendable, Equatable {
    package var gateway: GatewayID
    package var reason: String
    /// Whether it tried to load the model in vain; it tries again, ever more seldom.
    package var hasFailed: Bool

    package init(gateway: GatewayID, reason: String, hasFailed: Bool = false) {
        self.gateway = gateway
        self.reason = reason
        self.hasFailed = hasFailed
    }
}

package struct CheckItem: Codable, Sendable, Equatable {
    /// As written in the project file.
    package var check: String
    /// `nil` before it was looked at.
    package var held: Bool?
    package var left: Double?
    package var right: Double?
    package var explanation: String

    package init(
        check: String, held: Bool?, left: Double?, right: Double?, explanation: String
    ) {
        self.check = check
        self.held = held
        self.left = left
        self.right = right
        self.explanation = explanation
    }
}

package struct RolloutItem: Codable, Sendable, Equatable {
    /// `running`, `paused`, `promoted`, `aborted`.
    package var state: String
    package var stepsPercent: [Double]
    package var holdSeconds: Double
    package var abort: [String]
    /// The chance of a false alarm in the comparison of both revisions over the whole rollout.
    package var falseAlarmRate: Double?
    /// An A/B experiment: only a person ends it.
    package var isExperiment: Bool
    /// How far both revisions' scores may be apart; absent where they are not compared.
    package var scoreShift: Double?
    /// How many requests each step waits for; 0: none.
    package var atLeast: Int
    package var steps: [RolloutStepItem]

    package init(
        state: String, stepsPercent: [Double], holdSeconds: Double, abort: [String],
        falseAlarmRate: Double?, isExperiment: Bool, scoreShift: Double?, atLeast: Int,
        steps: [RolloutStepItem]
    ) {
        self.atLeast = atLeast
        self.state = state
        self.stepsPercent = stepsPercent
        self.holdSeconds = holdSeconds
        self.abort = abort
        self.falseAlarmRate = falseAlarmRate
        self.isExperiment = isExperiment
        self.scoreShift = scoreShift
        self.steps = steps
    }
}

package struct RolloutStepItem: Codable, Sendable, Equatable {
    package struct Traffic: Codable, Sendable, Equatable {
        package var requests: UInt64
        package var errors: UInt64
        /// Requests that their callers got wrong (4xx), and those turned away (429); not among
        /// `requests`.
        package var refused: UInt64
        package var turnedAway: UInt64
        package var p50Milliseconds: Double?
        package var p99Milliseconds: Double?
        /// The median of what its answers said, one score a request.
        package var scoreMedian: Double?

        package init(
            requests: UInt64, errors: UInt64, refused: UInt64, turnedAway: UInt64,
            p50Milliseconds: Double?, p99Milliseconds: Double?, scoreMedian: Double? = nil
        ) {
            self.refused = refused
            self.turnedAway = turnedAway
            self.requests = requests
            self.errors = errors
            self.p50Milliseconds = p50Milliseconds
            self.p99Milliseconds = p99Milliseconds
            self.scoreMedian = scoreMedian
        }
    }

    /// Candidate against the revision before.
    package struct Comparison: Codable, Sendable, Equatable {
        package var what: String
        package var explanation: String
        /// How many to one speak for "worse", as a power of ten.
        package var log10Evidence: Double
        /// From which evidence on the rollout is aborted.
        package var log10Needed: Double
        package var isWorse: Bool
        /// False where both answer what cannot be compared; the explanation says what.
        package var isCompared: Bool

        package init(
            what: String, explanation: String, log10Evidence: Double, log10Needed: Double,
            isWorse: Bool, isCompared: Bool = true
        ) {
            self.isCompared = isCompared
            self.what = what
            self.explanation = explanation
            self.log10Evidence = log10Evidence
            self.log10Needed = log10Needed
            self.isWorse = isWorse
        }
    }

    package var weightPercent: Double
    package var startedAt: String
    /// When every gateway answered with its weights, from which its time runs.
    package var followedAt: String?
    package var endedAt: String?
    /// `advanced`, `promoted`, `aborted`; `nil` while it lasts.
    package var verdict: String?
    package var reason: String?
    /// Whether the candidate answered a request in it; else nothing was seen.
    package var sawTraffic: Bool
    /// What its sample could have shown, in words.
    package var sensitivity: String?
    package var candidate: Traffic
    package var baseline: Traffic
    package var comparisons: [Comparison]

    package init(
        weightPercent: Double, startedAt: String, followedAt: String?, endedAt: String?,
        verdict: String?, reason: String?, sawTraffic: Bool, sensitivity: String?,
        candidate: Traffic, baseline: Traffic, comparisons: [Comparison]
    ) {
        self.followedAt = followedAt
        self.sawTraffic = sawTraffic
        self.sensitivity = sensitivity
        self.weightPercent = weightPercent
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.verdict = verdict
        self.reason = reason
        self.candidate = candidate
        self.baseline = baseline
        self.comparisons = comparisons
    }
}
