package import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire

/// What gateways ask and tell.
package struct GatewayRoutes: Sendable {
    private let store: Store
    private let time: TimeSource
    private let traffic: TrafficRecorder

    package init(store: Store, traffic: TrafficRecorder, time: TimeSource) {
        self.store = store
        self.traffic = traffic
        self.time = time
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(GetDesiredState.self) { call in
            try await desiredState(
                after: Int(call.integer("after", in: -1...Int64(Int.max), default: -1)),
                wait: call.integer("wait", in: 0...60, default: 0))
        }
        routes.on(ReportGateway.self) { call in
            try requireGateway(call.principal)
            try await report(call.body)
            return EmptyReply()
        }
        routes.on(ListGateways.self) { _ in try await list() }
    }

    /// Answers at once if the revision is another than `after`, which is -1 where the gateway knows
    /// none: also if it is lower, for then this server's data are others than those it knew.
    private func desiredState(after: Int, wait: Int64) async throws -> DesiredState {
        _ = try await longPoll(store.changes, timeout: .seconds(wait)) {
            let revision = try await store.read { try DesiredStateQueries.revision($0) }
            return revision == after ? nil : revision
        }
        let (revision, plan) = try await store.read { try DesiredStateQueries.read($0) }
        return DesiredState(revision: revision, endpoints: plan.endpoints.map(ServedEndpoint.init))
    }

    private func report(_ report: GatewayReport) async throws {
        let now = time.now()
        let revisions = report.revisions.map(GatewayRevisionReport.init)
        let shadows = (report.shadows ?? []).map {
            ShadowReportRecord(endpoint: $0.endpoint, revision: $0.revision, counts: $0.counts)
        }
        try await store.write { db in
            try GatewayQueries.report(
                db, gateway: report.gateway, incarnation: report.incarnation,
                desiredRevision: report.desiredRevision, revisions: revisions, shadows: shadows,
                at: now)
        }
        traffic.record(
            gateway: report.gateway, incarnation: report.incarnation, revisions: revisions, at: now)
    }

    private func list() async throws -> ListGateways.Reply {
        let cutoff = GatewayCutoff(now: time.now())
        return try await store.read { db in
            ListGateways.Reply(
                desiredRevision: try DesiredStateQueries.revision(db),
                gateways: try GatewayQueries.list(db).map { record in
                    ListGateways.Item(
                        gateway: record.id, desiredRevision: record.desiredRevision,
                        reportedAt: record.reportedAt.stamp,
                        isAlive: record.reportedAt >= cutoff.since)
                })
        }
    }
}

/// Reports decide rollouts: a job must not send them.
private func requireGateway(_ principal: Principal) throws {
    switch principal {
    case .local, .user, .controller, .gateway: return
    case .job: throw AccessError.notForThisToken(kind: "job")
    }
}

extension ServedEndpoint {
    init(_ endpoint: ServingPlan.Endpoint) {
        self.init(
            name: endpoint.name, project: endpoint.project, deployment: endpoint.deployment,
            environment: endpoint.environment,
            revisions: endpoint.revisions.map { revision in
                ServedRevision(
                    id: revision.id, number: revision.number,
                    weightPercent: revision.weightPercent, rolloutStep: revision.rolloutStep,
                    modelName: revision.version.model,
                    modelVersion: String(revision.version.version),
                    servable: ServableReference(
                        digest: revision.servable.digest, sizeBytes: revision.servable.sizeBytes,
                        manifest: revision.servable.manifest))
            }, logSampling: 1,
            shadow: endpoint.rules?.shadow.map { rule in
                ServedShadow(
                    endpoint: EndpointName.text(
                        deployment: rule.deployment ?? endpoint.deployment,
                        environment: rule.environment), sharePercent: rule.sharePercent)
            },
            segments: endpoint.rules?.segments.map { rules in
                ServedSegments(
                    source: rules.key.source.rawValue, name: rules.key.name,
                    chains: rules.chains.mapValues { names in
                        names.map {
                            EndpointName.text(deployment: $0, environment: endpoint.environment)
                        }
                    })
            })
    }
}

extension GatewayRevisionReport {
    init(_ report: RevisionReport) {
        let state: State =
            switch report.state {
            case .loading: .loading
            case .ready: .ready
            case .failed: .failed
            case .draining: .draining
            }
        self.init(
            revision: report.revision, state: state,
            error: report.error.map { String($0.prefix(2000)) }, warmup: report.warmup,
            traffic: TrafficCount(
                requests: report.requests, errors: report.errors, latency: report.latency,
                scores: report.scores ?? ScoreHistogram()))
    }
}
