package import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire

/// What gateways ask and tell.
package struct GatewayRoutes: Sendable {
    private let store: Store
    private let time: TimeSource
    private let traffic: TrafficRecorder
    private let own: ListenAddress?

    /// - Parameter own: where the gateway beside this server answers; `nil` where it runs none.
    package init(
        store: Store, traffic: TrafficRecorder, own: ListenAddress? = nil, time: TimeSource
    ) {
        self.store = store
        self.own = own
        self.traffic = traffic
        self.time = time
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(GetDesiredState.self) { call in
            try await desiredState(
                after: Int(call.integer("after", in: -1...Int64(Int.max), default: -1)),
                tokenEnds: call.query("tokens").map { _ in
                    Int(try call.integer("tokens", in: 0...Int64(Int.max), default: 0))
                },
                wait: call.integer("wait", in: 0...60, default: 0))
        }
        routes.on(
            ReportGateway.self,
            withBody: { body in
                try await report(body)
                return EmptyReply()
            })
        routes.on(CheckTokens.self) { call in
            let (digests, now) = (call.body.digests.prefix(CheckTokens.most), time.now())
            let live = try await store.read { db in
                try TokenQueries.live(db, hashes: Array(digests), at: now)
            }
            return CheckTokens.Reply(live: live.sorted())
        }
        routes.on(ListGateways.self) { _ in try await list() }
    }

    /// Answers at once if the revision is another than `after`, which is -1 where the gateway knows
    /// none: also if it is lower, for then this server's data are others than those it knew. And if
    /// tokens ended since the gateway last looked.
    private func desiredState(
        after: Int, tokenEnds: Int?, wait: Int64
    ) async throws -> DesiredState {
        _ = try await longPoll(
            store.changes, of: [.deployments, .tokens], timeout: .seconds(wait)
        ) {
            let (revision, ends) = try await store.read { db in
                (try DesiredStateQueries.revision(db), try TokenQueries.ends(db))
            }
            return revision == after && ends == tokenEnds ?? ends ? nil : revision
        }
        let (found, ends) = try await store.read { db in
            (try DesiredStateQueries.read(db), try TokenQueries.ends(db))
        }
        return DesiredState(
            revision: found.revision, endpoints: found.plan.endpoints.map(ServedEndpoint.init),
            tokenEnds: ends)
    }

    private func report(_ body: APIRoutes.WaitingBody) async throws {
        let (now, traffic) = (time.now(), traffic)
        let known = try await store.read { try GatewayQueries.served($0) }
        let report = try await body.read { buffer in
            try GatewayReportReader(known: known).read(buffer) { head, counts in
                traffic.record(
                    counts, of: head.gateway, incarnation: head.incarnation, at: now)
            }
        }
        try await store.write(as: .gateways) { db in
            try GatewayQueries.admit(db, report.gateway)
            try GatewayQueries.report(
                db, gateway: report.gateway, incarnation: report.incarnation,
                desiredRevision: report.desiredRevision, notes: report.revisions,
                shadows: report.shadows, at: now)
        }
        traffic.record(
            gateway: report.gateway, incarnation: report.incarnation,
            named: Set(report.revisions.map(\.revision)),
            unrouted: report.unrouted.map { ($0.kind, $0.requests) }, at: now)
    }

    private func list() async throws -> ListGateways.Reply {
        let cutoff = GatewayCutoff(now: time.now())
        return try await store.read { db in
            ListGateways.Reply(
                desiredRevision: try DesiredStateQueries.revision(db), own: own?.url,
                gateways: try GatewayQueries.list(db).map { record in
                    ListGateways.Item(
                        gateway: record.id, desiredRevision: record.desiredRevision,
                        reportedAt: record.reportedAt.stamp,
                        isAlive: record.reportedAt >= cutoff.since)
                })
        }
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
            }, logSampling: endpoint.logSampling ?? 1,
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
            },
            execution: endpoint.rules?.execution.map { rules in
                ServedExecution(
                    workers: rules.workers, batch: rules.batch?.rawValue,
                    latencyTargetMilliseconds: rules.latencyTargetMilliseconds)
            })
    }
}
