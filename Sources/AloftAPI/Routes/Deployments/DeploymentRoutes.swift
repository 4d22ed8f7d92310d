import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire

/// Deployments, their revisions and rollouts.
package struct DeploymentRoutes: Sendable {
    private let store: Store
    private let service: DeploymentService
    private let time: TimeSource

    package init(store: Store, time: TimeSource, chance: Chance) {
        self.store = store
        self.time = time
        service = DeploymentService(store: store, time: time, chance: chance)
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ListDeployments.self) { _ in
            let now = time.now()
            return try await store.read { db in
                ListDeployments.Reply(
                    deployments: try DeploymentQueries.list(db, limit: 1000).map {
                        try DeploymentPages(db: db, now: now).item($0)
                    })
            }
        }
        routes.on(ShowDeployment.self) { call in
            let (name, environment) = place(call, environment: call.query("environment"))
            let limit = try call.integer("limit", in: 1...1000, default: 20)
            let now = time.now()
            return try await store.read { db in
                let deployment = try DeploymentQueries.get(
                    db, name: name, environment: environment)
                return try DeploymentPages(db: db, now: now).page(deployment, limit: Int(limit))
            }
        }
        routes.on(Deploy.self) { call in
            return try await deploy(call)
        }
        routes.on(ShowRevision.self, showRevision)
        routes.on(Rollback.self) { call in
            let (name, environment) = place(call, environment: call.body.environment)
            let result = try await service.rollback(
                deployment: name, environment: environment, by: call.principal)
            return Rollback.Reply(
                revision: try await item(result.revision), isAtOnce: result.isAtOnce,
                desiredRevision: result.desiredRevision)
        }
        routes.on(SteerRollout.self) { call in
            guard let action = DeploymentService.RolloutAction(rawValue: call.body.action) else {
                throw DeploymentError.invalidAction(call.body.action)
            }
            let (name, environment) = place(call, environment: call.body.environment)
            let revision = try await service.steer(
                deployment: name, environment: environment, action, by: call.principal)
            return try await item(revision)
        }
    }

    private func place<E: Endpoint>(
        _ call: EndpointCall<E>, environment: String?
    ) -> (name: String, environment: String) {
        (call.parameter("deployment"), environment ?? EndpointName.production)
    }

    private func item(_ revision: RevisionRecord) async throws -> RevisionItem {
        let now = time.now()
        return try await store.read { db in
            // As it is now: the one that was just changed may have moved on.
            try DeploymentPages(db: db, now: now).item(
                try RevisionQueries.find(db, revision.id) ?? revision)
        }
    }

    private func deploy(_ call: EndpointCall<Deploy>) async throws -> Deploy.Reply {
        guard let reference = ModelReference(call.body.model) else {
            throw DeploymentError.invalidReference(call.body.model)
        }
        let (name, environment) = place(call, environment: call.body.environment)
        let result = try await service.deploy(
            DeploymentService.Request(
                deployment: name, environment: environment, model: reference,
                atOnce: call.body.atOnce ?? false, early: call.body.early ?? false,
                experimentPercent: call.body.experimentPercent, atLeast: call.body.atLeast,
                breaking: call.body.breaking ?? false),
            by: call.principal)
        return Deploy.Reply(revision: try await item(result.revision), isNew: result.isNew)
    }

    /// A revision changes by its own row or by its rollout's, and by what gateways report; all count.
    private func showRevision(_ call: EndpointCall<ShowRevision>) async throws -> RevisionItem {
        let (name, environment) = place(call, environment: call.query("environment"))
        let number = Int(call.parameter("number")) ?? 0
        let seen = try call.integer("seen", in: -1...Int64(Int32.max), default: -1)
        let wait = try call.integer("wait", in: 0...60, default: 0)
        let answered = call.query("answered").map { $0 == "true" }
        let time = time
        let look: @Sendable () async throws -> RevisionItem = {
            try await store.read { db in
                let deployment = try DeploymentQueries.get(
                    db, name: name, environment: environment)
                guard
                    let revision = try RevisionQueries.find(db, of: deployment.id, number: number)
                else { throw DeploymentError.revisionNotFound(deployment: name, number: number) }
                return try DeploymentPages(db: db, now: time.now()).item(revision)
            }
        }
        let changed = try await longPoll(
            store.changes, of: [.deployments, .servables, .gateways, .jobs],
            timeout: .seconds(wait)
        ) {
            let item = try await look()
            let isSeen =
                Int64(item.changes) == seen && item.isAnswered == answered ?? item.isAnswered
            return isSeen ? nil : item
        }
        if let changed { return changed }
        return try await look()
    }
}
