import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire

/// Shadows and segments of deployments.
package struct TrafficRoutes: Sendable {
    private let store: Store
    private let service: TrafficService

    package init(store: Store, time: TimeSource) {
        self.store = store
        service = TrafficService(store: store, time: time)
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ShowTraffic.self) { call in
            try await show(call.parameter("deployment"), call.query("environment"))
        }
        routes.on(SetShadow.self) { call in
            let body = call.body
            let rule = try ShadowRule(
                deployment: body.deployment,
                environment: body.shadowEnvironment
                    ?? (body.deployment == nil
                        ? EndpointName.shadow : body.environment ?? EndpointName.production),
                sharePercent: body.sharePercent)
            return try await change(call, call.body.environment) { name, environment in
                try await service.setShadow(
                    rule, of: name, environment: environment, by: call.principal)
            }
        }
        routes.on(ClearShadow.self) { call in
            return try await change(call, call.query("environment")) { name, environment in
                try await service.setShadow(
                    nil, of: name, environment: environment, by: call.principal)
            }
        }
        routes.on(SetSegments.self) { call in
            let rules = try SegmentRules(call.body.segments)
            return try await change(call, call.body.environment) { name, environment in
                try await service.setSegments(
                    rules, of: name, environment: environment, by: call.principal)
            }
        }
        routes.on(ClearSegments.self) { call in
            return try await change(call, call.query("environment")) { name, environment in
                try await service.setSegments(
                    nil, of: name, environment: environment, by: call.principal)
            }
        }
    }

    private func change<E: Endpoint>(
        _ call: EndpointCall<E>, _ environment: String?,
        _ apply: (String, String) async throws -> Void
    ) async throws -> ShowTraffic.Reply {
        let name = call.parameter("deployment")
        try await apply(name, environment ?? EndpointName.production)
        return try await show(name, environment)
    }

    private func show(_ name: String, _ environment: String?) async throws -> ShowTraffic.Reply {
        let environment = environment ?? EndpointName.production
        return try await store.read { db in
            let record = try TrafficQueries.find(db, deployment: name, environment: environment)
            guard let record else {
                _ = try DeploymentQueries.get(db, name: name, environment: environment)
                return ShowTraffic.Reply(deployment: name, environment: environment)
            }
            return ShowTraffic.Reply(
                deployment: name, environment: environment,
                shadow: try record.rules.shadow.map { try Self.shadow($0, of: record, db) },
                segments: record.rules.segments.map(SegmentTree.init),
                changedAt: record.changedAt.stamp, changedBy: record.changedBy)
        }
    }

    private static func shadow(
        _ rule: ShadowRule, of record: TrafficRulesRecord, _ db: Transaction
    ) throws -> ShowTraffic.Shadow {
        let deployment = rule.deployment ?? record.deployment
        let target = try DeploymentQueries.find(
            db, name: deployment, environment: rule.environment)
        let live = try target.flatMap { try RevisionQueries.live(db, of: $0.id) }
        let counts = try live.map {
            try TrafficQueries.shadowCounts(
                db,
                endpoint: EndpointName.text(
                    deployment: record.deployment, environment: record.environment),
                revision: $0.id)
        }
        return ShowTraffic.Shadow(
            deployment: deployment, environment: rule.environment, sharePercent: rule.sharePercent,
            revision: live?.number, version: live?.version.description,
            counts: counts ?? ShadowCount())
    }
}

extension SegmentRules {
    /// - Throws: `TrafficError`.
    init(_ tree: SegmentTree) throws(TrafficError) {
        guard let source = SegmentKey.Source(rawValue: tree.source) else {
            throw .invalidSource(tree.source)
        }
        try self.init(
            key: SegmentKey(source, name: tree.name),
            nodes: tree.nodes.map {
                Node(key: $0.key, parent: $0.parent, deployment: $0.deployment)
            })
    }
}

extension SegmentTree {
    init(_ rules: SegmentRules) {
        self.init(
            source: rules.key.source.rawValue, name: rules.key.name,
            nodes: rules.nodes.map {
                Node(key: $0.key, parent: $0.parent, deployment: $0.deployment)
            })
    }
}
