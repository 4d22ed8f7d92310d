package import AloftDomain
package import AloftStore
package import Foundation

/// What people ask of an endpoint's shadow and segments: each call is one transaction.
package struct TrafficService: Sendable {
    private let store: Store
    private let time: TimeSource

    package init(store: Store, time: TimeSource) {
        self.store = store
        self.time = time
    }

    /// Sets the shadow of a deployment, or ends it with `nil`.
    ///
    /// - Throws: `DeploymentError.notFound`, `TrafficError`.
    package func setShadow(
        _ rule: ShadowRule?, of deployment: String, environment: String, by who: Principal
    ) async throws {
        if let rule, rule.environment == environment, (rule.deployment ?? deployment) == deployment
        {
            throw TrafficError.shadowOfItself(deployment: deployment)
        }
        try await change(deployment, environment, by: who) { $0.shadow = rule }
    }

    /// Sets the segments of a deployment, or ends them with `nil`.
    ///
    /// - Throws: `DeploymentError.notFound`.
    package func setSegments(
        _ rules: SegmentRules?, of deployment: String, environment: String, by who: Principal
    ) async throws {
        try await change(deployment, environment, by: who) { $0.segments = rules }
    }

    private func change(
        _ deployment: String, _ environment: String, by who: Principal,
        _ change: @escaping @Sendable (inout TrafficRules) -> Void
    ) async throws {
        let now = time.now()
        try await store.write { db in
            let record = try DeploymentQueries.get(db, name: deployment, environment: environment)
            try TrafficQueries.change(
                db, project: record.project, deployment: deployment, environment: environment,
                at: now, by: who, change)
        }
    }

    /// Puts into force what a project file that was applied says of its deployments in production:
    /// in the transaction that applies it. What it does not speak of, and the file before it did not
    /// either, stays as people have set it; so do deployments that are another project's.
    package static func apply(
        _ db: Transaction, file: ProjectFile, before: ProjectFile?, at moment: Date,
        by who: Principal
    ) throws {
        let names = Set(file.deployments.map(\.name) + (before?.deployments.map(\.name) ?? []))
        var owners = NameOwnership(db)
        for name in names.sorted() {
            let now = file.deployment(named: name)?.traffic ?? TrafficRules()
            let then = before?.deployment(named: name)?.traffic ?? TrafficRules()
            guard !now.isEmpty || !then.isEmpty,
                try owners.owner(.deployment, name)?.project == file.project
            else { continue }
            try TrafficQueries.change(
                db, project: file.project, deployment: name,
                environment: EndpointName.production, at: moment, by: who
            ) { rules in
                if now.shadow != nil || then.shadow != nil { rules.shadow = now.shadow }
                if now.segments != nil || then.segments != nil { rules.segments = now.segments }
                if now.execution != nil || then.execution != nil { rules.execution = now.execution }
            }
        }
    }
}
