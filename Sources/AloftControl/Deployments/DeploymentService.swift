package import AloftDomain
package import AloftStore

/// What people ask of deployments: each call is one transaction.
package struct DeploymentService: Sendable {
    /// What a rollout can be told.
    package enum RolloutAction: String, Sendable, CaseIterable {
        case promote, pause, resume, abort
    }

    package struct Request: Sendable {
        package var deployment: String
        package var environment: String
        package var model: ModelReference
        package var atOnce: Bool
        package var early: Bool
        /// The candidate's share in an A/B experiment; `nil` for a rollout.
        package var experimentPercent: Double?
        /// How many requests each step waits for; `nil`: as the project file says.
        package var atLeast: Int?
        /// Whether its inputs may be others than those of what is live, whatever the file says.
        package var breaking: Bool

        package init(
            deployment: String, environment: String, model: ModelReference, atOnce: Bool = false,
            early: Bool = false, experimentPercent: Double? = nil, atLeast: Int? = nil,
            breaking: Bool = false
        ) {
            self.atLeast = atLeast
            self.deployment = deployment
            self.environment = environment
            self.model = model
            self.atOnce = atOnce
            self.early = early
            self.experimentPercent = experimentPercent
            self.breaking = breaking
        }
    }

    private let store: Store
    private let time: TimeSource
    private let chance: Chance

    package init(store: Store, time: TimeSource, chance: Chance) {
        self.store = store
        self.time = time
        self.chance = chance
    }

    private func context(_ who: Principal) -> ChangeContext {
        ChangeContext(now: time.now(), who: who, chance: chance)
    }

    // MARK: - Deploy

    /// Sends a version on its way. Asking again for the version that is under way or live changes
    /// nothing; another one takes the place of what is under way.
    ///
    /// - Throws: `DeploymentError`.
    package func deploy(
        _ request: Request, by who: Principal
    ) async throws -> (revision: RevisionRecord, isNew: Bool) {
        guard EndpointName.isDeployment(request.deployment) else {
            throw DeploymentError.invalidName(request.deployment)
        }
        guard EndpointName.isEnvironment(request.environment) else {
            throw DeploymentError.invalidEnvironment(request.environment)
        }
        if let percent = request.experimentPercent, !(percent > 0 && percent < 100) {
            throw DeploymentError.invalidSplit(percent)
        }
        if let count = request.atLeast, !(0...1_000_000_000).contains(count) {
            throw DeploymentError.invalidSample(count)
        }
        let context = context(who)
        return try await store.write { db in
            try Self.deploy(db, request, context)
        }
    }

    private static func deploy(
        _ db: Transaction, _ request: Request, _ context: ChangeContext
    ) throws -> (revision: RevisionRecord, isNew: Bool) {
        let facts = try VersionFactsQueries.resolve(db, request.model)
        let settings = try DeploymentSettings.read(
            db, deployment: request.deployment, environment: request.environment,
            model: facts.key.model, modelProject: facts.project)
        let deployment = try DeploymentQueries.ensure(
            db, id: context.chance.identifier(), project: settings.project,
            name: request.deployment, environment: request.environment, at: context.now,
            by: context.who)
        try DeploymentQueries.setLogSampling(db, deployment.id, settings.logSampling)
        let underWay = try RevisionQueries.underWay(db, of: deployment.id)
        if let underWay, underWay.version == facts.key { return (underWay, false) }
        if underWay == nil, let live = try RevisionQueries.live(db, of: deployment.id),
            live.version == facts.key
        {
            return (live, false)
        }
        if request.experimentPercent != nil,
            try RevisionQueries.live(db, of: deployment.id) == nil
        {
            throw DeploymentError.nothingToCompareWith(
                deployment: request.deployment, environment: request.environment)
        }
        try requireStaging(db, request.deployment, facts.key, settings)
        if let underWay {
            let reason = "\(facts.key) was deployed by \(context.who.description)"
            try RevisionQueries.apply(
                db, .withdrawn(.superseded(reason: reason)), to: underWay, context)
        }
        try retryConversion(db, facts, context)
        let policy = policy(request, settings)
        let revision = try RevisionQueries.insert(
            db, id: context.chance.identifier(), deployment: deployment, version: facts.key,
            policy: policy, checks: settings.checks, at: context.now, by: context.who)
        return (revision, true)
    }

    private static func policy(
        _ request: Request, _ settings: DeploymentSettings
    ) -> RolloutPolicy {
        let isBreaking = request.breaking || settings.policy.isBreaking
        var policy = request.atOnce ? .atOnce : settings.policy
        if let percent = request.experimentPercent {
            policy = settings.policy.experiment(percent: percent)
        } else {
            policy.mayAdvanceEarly = request.early
            policy.atLeast = request.atLeast ?? policy.atLeast
        }
        policy.isBreaking = isBreaking
        return policy
    }

    private static func requireStaging(
        _ db: Transaction, _ deployment: String, _ version: ModelVersionKey,
        _ settings: DeploymentSettings
    ) throws {
        guard !settings.stagingChecks.isEmpty else { return }
        let passed = try RevisionQueries.passedChecks(
            db, version: version, environment: EndpointName.staging)
        let missing = settings.stagingChecks.map(\.source).filter { !passed.contains($0) }
        guard missing.isEmpty else {
            throw DeploymentError.stagingNotPassed(
                deployment: deployment, version: version, missing: missing)
        }
    }

    /// A conversion that failed is tried again: what was missing may be there now.
    private static func retryConversion(
        _ db: Transaction, _ facts: VersionFacts, _ context: ChangeContext
    ) throws {
        guard case .failed = try ServableQueries.find(db, facts.key)?.lifecycle.state else {
            return
        }
        try ServableQueries.apply(
            db, .retried, to: facts.key, project: facts.project, at: context.now, by: context.who)
    }

    // MARK: - Rollback

    /// Gives all traffic back to the revision before: aborts the rollout under way, or returns to the
    /// revision on standby; both take effect with the commit. Where the one before is out of memory
    /// it is deployed again, all at once.
    ///
    /// - Returns: the revision that has the traffic or will have it, and the desired state's revision.
    /// - Throws: `DeploymentError`.
    package func rollback(
        deployment name: String, environment: String, by who: Principal
    ) async throws -> (revision: RevisionRecord, isAtOnce: Bool, desiredRevision: Int) {
        let context = context(who)
        return try await store.write { db in
            let deployment = try DeploymentQueries.get(db, name: name, environment: environment)
            let (revision, isAtOnce) = try Self.rollback(db, deployment, context)
            return (revision, isAtOnce, try DesiredStateQueries.revision(db))
        }
    }

    private static func rollback(
        _ db: Transaction, _ deployment: DeploymentRecord, _ context: ChangeContext
    ) throws -> (RevisionRecord, Bool) {
        let reason = "rolled back by \(context.who.description)"
        let live = try RevisionQueries.live(db, of: deployment.id)
        if let underWay = try RevisionQueries.underWay(db, of: deployment.id) {
            try RevisionQueries.apply(
                db, .withdrawn(.aborted(reason: reason)), to: underWay, context)
            if underWay.state == .rolling, let live { return (live, true) }
        }
        if live != nil, try RevisionQueries.standby(db, of: deployment.id) != nil {
            let restored = try RevisionQueries.restoreStandby(
                db, of: deployment.id, reason: reason, context)
            return (restored, true)
        }
        guard let live,
            let earlier = try RevisionQueries.lastRetired(
                db, of: deployment.id, before: live.number)
        else {
            throw DeploymentError.nothingToRollBackTo(
                deployment: deployment.name, environment: deployment.environment)
        }
        // Clients were served by it before.
        var policy = RolloutPolicy.atOnce
        policy.isBreaking = true
        let again = try RevisionQueries.insert(
            db, id: context.chance.identifier(), deployment: deployment, version: earlier.version,
            policy: policy, checks: [], why: reason, at: context.now, by: context.who)
        return (again, false)
    }

    // MARK: - Steering

    /// - Throws: `DeploymentError`.
    package func steer(
        deployment name: String, environment: String, _ action: RolloutAction, by who: Principal
    ) async throws -> RevisionRecord {
        let context = context(who)
        return try await store.write { db in
            let deployment = try DeploymentQueries.get(db, name: name, environment: environment)
            guard let revision = try RevisionQueries.underWay(db, of: deployment.id) else {
                throw DeploymentError.noRollout(deployment: name, environment: environment)
            }
            return try Self.steer(db, revision, action, deployment, context)
        }
    }

    private static func steer(
        _ db: Transaction, _ revision: RevisionRecord, _ action: RolloutAction,
        _ deployment: DeploymentRecord, _ context: ChangeContext
    ) throws -> RevisionRecord {
        let who = context.who.description
        if action == .abort {
            return try RevisionQueries.apply(
                db, .withdrawn(.aborted(reason: "aborted by \(who)")), to: revision, context)
        }
        guard let rollout = try RolloutQueries.find(db, of: revision.id),
            revision.state == .rolling
        else {
            throw DeploymentError.noRollout(
                deployment: deployment.name, environment: deployment.environment)
        }
        switch action {
        case .promote:
            return try RevisionQueries.apply(
                db, .promoted, to: revision, reason: "promoted by \(who)", context)
        case .pause, .resume:
            let event: RolloutLifecycle.Event =
                action == .pause ? .paused(at: context.now) : .resumed(at: context.now)
            try RolloutQueries.apply(
                db, event, to: rollout, reason: "\(action.rawValue)d by \(who)", context)
            return revision
        case .abort: return revision
        }
    }
}
