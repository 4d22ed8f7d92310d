package import AloftDomain
package import AloftStore
package import Logging

/// Takes revisions from a registered version to traffic: servable, checks, warm-up, latency checks,
/// rollout by steps, live. Each decision is one transaction made from what the tables say, so that a
/// server killed between any two goes on where it was.
package struct DeploymentController: Sendable {
    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let logger: Logger
    package var effects = EffectHook.none

    /// Servables, versions and what gateways report decide what comes next of a revision under way;
    /// without one they concern nobody here.
    private static let pace = ReconcileLoop.Pace(
        wakesOn: [.deployments, .servables, .versions, .gateways], leastPause: .milliseconds(20),
        longestWait: .seconds(30))

    package init(store: Store, time: TimeSource, chance: Chance, logger: Logger) {
        self.store = store
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    package var loop: ReconcileLoop {
        ReconcileLoop(
            name: "deployments", pace: Self.pace, changes: store.changes, clock: time.clock,
            logger: logger)
    }

    package func run() async throws { try await loop.run(turn) }

    package func turn() async throws -> ReconcileLoop.Next {
        try await look().map { .within($0) } ?? .init(wakesOn: .deployments)
    }

    /// Does everything that can be done now.
    ///
    /// - Returns: when to look again if nothing is committed until then.
    package func runOnce() async throws -> Duration { try await look() ?? Self.pace.longestWait }

    /// `nil` where no revision is under way.
    private func look() async throws -> Duration? {
        var next: Duration?
        for deployment in try await store.read({ try DeploymentQueries.underWay($0) }) {
            next = min(next ?? Self.pace.longestWait, try await advance(deployment))
        }
        return next
    }

    /// Acts on one deployment until there is nothing to do but wait.
    private func advance(_ deployment: DeploymentRecord) async throws -> Duration {
        while true {
            let now = time.now()
            let situation = try await store.read { db in
                try SituationReader.read(db, deployment, now: now)
            }
            guard let situation else { return Self.pace.longestWait }
            let action = planRevision(situation)
            if case .wait(_, let atMost) = action { return atMost }
            try effects.willAct("move a revision")
            do {
                try await perform(action, on: situation)
            } catch is StalePlan {
                continue  // somebody else was first: look again
            }
            logger.info(
                "revision moved on",
                metadata: [
                    "deployment": "\(deployment.name)", "environment": "\(deployment.environment)",
                    "revision": "\(situation.revision.number)", "action": "\(action.name)",
                ])
        }
    }

    private func perform(
        _ action: RevisionAction, on situation: RevisionSituation
    ) async throws {
        let context = ChangeContext(
            now: situation.now, who: .controller(name: "deployments"), chance: chance)
        try await store.write { db in try action.apply(db, to: situation, context) }
    }
}

extension RevisionAction {
    var name: String {
        switch self {
        case .wait: "wait"
        case .admit: "admit"
        case .reject: "reject"
        case .fail: "fail"
        case .release: "release"
        case .follow: "follow"
        case .advance: "advance"
        case .promote: "promote"
        case .abort: "abort"
        }
    }

    /// - Throws: `StalePlan` if the revision or its rollout has changed since the situation was read.
    func apply(
        _ db: Transaction, to situation: RevisionSituation, _ context: ChangeContext
    ) throws {
        let revision = situation.revision
        func write(_ results: [CheckResultRecord]) throws {
            try RevisionQueries.insertChecks(db, results, of: revision.id, at: context.now)
        }
        func move(
            _ event: RevisionLifecycle.Event, servable: Servable? = nil, reason: String? = nil
        ) throws {
            try RevisionQueries.apply(
                db, event, to: revision, servable: servable, reason: reason, context)
        }
        switch self {
        case .wait: break
        case .admit(let servable, let results):
            try move(.admitted, servable: servable)
            try write(results)
        case .reject(let results, let reason):
            try move(.rejected(reason: reason))
            try write(results)
        case .fail(let reason): try move(.failed(reason: reason))
        case .release(let results, let byRollout):
            try move(.released(byRollout: byRollout))
            try write(results)
        case .follow:
            guard let rollout = situation.rollout else { throw StalePlan() }
            try RolloutQueries.apply(
                db, .followed(at: context.now), to: rollout, reason: nil, context)
        case .advance(let reason):
            let rollout = try judged(db, situation)
            try RolloutQueries.apply(
                db, .advanced(at: context.now), to: rollout, reason: reason, context)
        case .promote(let reason):
            _ = try judged(db, situation)
            try move(.promoted, reason: reason)
        case .abort(let reason):
            _ = try judged(db, situation)
            try move(.withdrawn(.aborted(reason: reason)))
        }
    }

    /// The rollout, if its step has counted what it was judged by and no more: the numbers in the
    /// reason are those that are kept.
    private func judged(
        _ db: Transaction, _ situation: RevisionSituation
    ) throws -> RolloutRecord {
        guard let rollout = situation.rollout,
            try RolloutQueries.steps(db, of: rollout).last?.traffic == situation.step?.traffic
        else { throw StalePlan() }
        return rollout
    }
}
