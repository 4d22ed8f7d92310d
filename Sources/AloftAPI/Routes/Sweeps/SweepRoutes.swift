package import AloftControl
import AloftDomain
package import AloftStore
import AloftWire

/// Sweeps and their trials.
package struct SweepRoutes: Sendable {
    private let store: Store
    private let starter: SweepStarter

    package init(store: Store, starter: SweepStarter) {
        self.store = store
        self.starter = starter
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(StartSweep.self) { call in
            let id = try await starter.start(
                project: try await project(call.body.project), job: call.body.job,
                changes: .init(
                    trials: call.body.trials, parallel: call.body.parallel, seed: call.body.seed),
                by: call.principal)
            return try await view(id.rawValue)
        }
        routes.on(ListSweeps.self, of: { _, _ in .ownProject }) { call in
            let limit = try call.integer("limit", in: 1...1000, default: 50)
            let project = call.narrowedProject ?? call.query("project").map { ProjectID($0) }
            let sweeps = try await store.read { db in
                try SweepQueries.list(db, project: project, limit: Int(limit))
            }
            return .init(sweeps: sweeps.map { SweepView($0) })
        }
        routes.on(GetSweep.self, of: { try $0.sweep($1["sweep"] ?? "") }) { call in
            try await view(call.parameter("sweep"))
        }
        routes.on(StopSweep.self) { call in
            let id = try await starter.stop(call.parameter("sweep"), by: call.principal)
            return try await view(id.rawValue)
        }
    }

    private func view(_ prefix: String) async throws -> SweepView {
        try await store.read { db in
            let sweep = try SweepQueries.get(db, prefix: prefix)
            let trials = try TrialQueries.list(db, of: sweep.id)
            var latest: [Int: MetricPoint] = [:]
            if let metric = sweep.definition.sweep?.objective.metric {
                for trial in trials where trial.outcome == nil {
                    latest[trial.number] = try TrackingQueries.latestMetric(
                        db, trial.run, key: metric)
                }
            }
            return SweepView(sweep, trials, latest: latest)
        }
    }

    /// The named project, or the only one that has a file.
    private func project(_ named: ProjectID?) async throws -> ProjectID {
        if let named { return named }
        let projects = try await store.read { try ProjectFileQueries.projects($0) }
        guard projects.count > 1 else {
            guard let only = projects.first else {
                throw JobError.noProjectFile(project: .default)
            }
            return only
        }
        throw SweepError.invalid(
            reason: "several projects have a file ("
                + projects.prefix(20).map(\.rawValue).joined(separator: ", ")
                + "); name one with --project")
    }
}
