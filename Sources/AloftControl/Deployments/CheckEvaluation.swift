import AloftDomain
import AloftStore

/// What the checks of a revision are held against.
struct CheckValues: Sendable, Equatable {
    struct Other: Sendable, Equatable {
        /// The version that serves there.
        var version: ModelVersionKey
        // text: what the project's own checks name
        var values: [String: Double]
    }

    /// Of the version under test. Latencies in seconds.
    // text: what the project's own checks name
    var own: [String: Double] = [:]
    /// Of the version that serves in an environment; environments without one are absent.
    // text: what the project's own checks name
    var others: [String: Other] = [:]
}

/// Which checks can be decided before a gateway has the model.
enum CheckPhase: Sendable {
    case beforeLoading, warm

    func includes(_ check: CheckExpression) -> Bool {
        (check.latencyFraction != nil) == (self == .warm)
    }
}

/// Decides the checks of one phase, in the project file's order.
func evaluate(
    _ checks: [CheckExpression], phase: CheckPhase, values: CheckValues
) -> [CheckResultRecord] {
    checks.enumerated().filter { phase.includes($0.element) }.map { position, check in
        let verdict = check.verdict { metric, environment in
            environment.map { values.others[$0]?.values[metric] } ?? values.own[metric]
        }
        var result = CheckResultRecord(
            position: position, source: check.source, held: verdict.hasHeld, left: nil, right: nil,
            explanation: check.description(of: verdict))
        switch verdict {
        case .held(let left, let right), .failed(let left, let right):
            (result.left, result.right) = (left, right)
        case .unknown(_, let environment):
            if let environment, values.others[environment] == nil {
                result.held = true
                result.left = values.own[check.metric]
                result.explanation =
                    "\(check.source) holds: nothing serves in \(environment) yet"
            }
        }
        return result
    }
}

/// Reads what `checks` name from the tables.
struct CheckValueReader {
    let db: Transaction
    let deployment: DeploymentRecord
    let gatewaysHeardSince: GatewayCutoff

    func values(
        for version: ModelVersionKey, servable: Servable, warmup: LatencyHistogram?,
        checks: [CheckExpression]
    ) throws -> CheckValues {
        var values = CheckValues()
        for metric in Set(checks.map(\.metric)) {
            values.own[metric] = try value(
                metric, of: version, servable: servable, warmup: warmup)
        }
        for check in checks {
            guard case .other(let environment, let metric, _) = check.bound,
                let place = try DeploymentQueries.find(
                    db, name: deployment.name, environment: environment),
                let live = try RevisionQueries.live(db, of: place.id), let made = live.servable
            else { continue }
            var other =
                values.others[environment] ?? .init(version: live.version, values: [:])
            other.values[metric] = try value(
                metric, of: live.version, servable: made, warmup: warmupOf(live.id))
            values.others[environment] = other
        }
        return values
    }

    private func value(
        _ metric: String, of version: ModelVersionKey, servable: Servable,
        warmup: LatencyHistogram?
    ) throws -> Double? {
        if let fraction = CheckExpression.latencyFraction(metric) {
            return warmup?.percentileMicroseconds(fraction).map { $0 / 1e6 }
        }
        if metric == "parity" {
            // A Python worker runs the original itself: nothing was converted, nothing differs.
            return servable.manifest.runtime == .python ? 0 : servable.manifest.parity
        }
        guard let run = try VersionFactsQueries.find(db, version)?.run else { return nil }
        return try VersionFactsQueries.metric(db, run: run, key: metric)
    }

    private func warmupOf(_ revision: RevisionID) throws -> LatencyHistogram? {
        try GatewayQueries.fleet(db, of: revision, heardSince: gatewaysHeardSince.since).warmup
    }
}

extension [FleetMember] {
    /// The latencies that all gateways measured while warming up; `nil` if none did.
    var warmup: LatencyHistogram? {
        let measured = compactMap(\.report?.warmup)
        guard !measured.isEmpty else { return nil }
        return measured.reduce(into: LatencyHistogram()) { $0.add($1) }
    }
}
