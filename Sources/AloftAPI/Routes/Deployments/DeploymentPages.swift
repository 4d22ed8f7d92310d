import AloftControl
import AloftDomain
import AloftStore
import AloftWire
import Foundation

/// Makes what is shown of deployments from one snapshot.
struct DeploymentPages {
    let db: Transaction
    /// Decides which gateways are alive.
    let now: Date

    func item(_ record: DeploymentRecord) throws -> DeploymentItem {
        DeploymentItem(
            name: record.name, environment: record.environment, project: record.project,
            endpoint: EndpointName.text(
                deployment: record.name, environment: record.environment),
            live: try RevisionQueries.live(db, of: record.id).map(item),
            standby: try RevisionQueries.standby(db, of: record.id).map(item),
            underWay: try RevisionQueries.underWay(db, of: record.id).map(item))
    }

    func page(_ record: DeploymentRecord, limit: Int) throws -> ShowDeployment.Reply {
        ShowDeployment.Reply(
            deployment: try item(record),
            history: try RevisionQueries.list(db, of: record.id, limit: limit).map(item))
    }

    func item(_ record: RevisionRecord) throws -> RevisionItem {
        let rollout = try RolloutQueries.find(db, of: record.id)
        let deployment = try DeploymentQueries.find(db, record.deployment)
        let cutoff = GatewayCutoff(now: now)
        let answers = try deployment.map { try RevisionAnswers.read(db, $0, record, cutoff) }
        return RevisionItem(
            id: record.id, number: record.number, model: record.version.model,
            version: record.version.version,
            state: record.state.end?.name.rawValue ?? record.state.name.rawValue,
            hasEnded: record.state.end != nil, weightPercent: try weight(record, rollout),
            isAnswered: answers?.isAnswered ?? false,
            awaited: answers?.awaited.map(AwaitedItem.init) ?? [],
            reason: try record.state.end?.reason
                ?? deployment.flatMap { try waitReason(db, $0, record, cutoff) },
            runtime: record.servable?.manifest.runtime.rawValue,
            createdAt: record.createdAt.stamp, createdBy: record.createdBy,
            liveAt: record.liveAt?.stamp, endedAt: record.endedAt?.stamp,
            checks: try checks(of: record), rollout: try rollout.map { try item($0, of: record) },
            changes: record.changes + (rollout?.changes ?? 0))
    }

    private func weight(_ record: RevisionRecord, _ rollout: RolloutRecord?) throws -> Double {
        switch record.state {
        case .rolling: return rollout.map { record.policy.stepsPercent[$0.state.step] } ?? 0
        case .live:
            guard let other = try RevisionQueries.underWay(db, of: record.deployment),
                other.state == .rolling,
                let rollout = try RolloutQueries.find(db, of: other.id)
            else { return 100 }
            return 100 - other.policy.stepsPercent[rollout.state.step]
        case .waiting, .warming, .standby, .ended: return 0
        }
    }

    private func checks(of record: RevisionRecord) throws -> [CheckItem] {
        let results = try RevisionQueries.checks(db, of: record.id)
        return record.checks.enumerated().map { position, check in
            guard let result = results.first(where: { $0.position == position }) else {
                return CheckItem(
                    check: check.source, held: nil, left: nil, right: nil,
                    explanation: "\(check.source) was not looked at")
            }
            return CheckItem(
                check: result.source, held: result.held, left: result.left, right: result.right,
                explanation: result.explanation)
        }
    }

    private func item(
        _ rollout: RolloutRecord, of revision: RevisionRecord
    ) throws -> RolloutItem {
        let steps = try RolloutQueries.steps(db, of: rollout)
        let names = try RolloutNames(db, of: revision, rollout)
        return RolloutItem(
            state: rollout.state.name.rawValue, stepsPercent: revision.policy.stepsPercent,
            holdSeconds: revision.policy.hold.seconds, abort: revision.policy.abort.map(\.source),
            falseAlarmRate: revision.policy.falseAlarmRate,
            isExperiment: revision.policy.isExperiment, scoreShift: revision.policy.scoreShift,
            atLeast: revision.policy.atLeast,
            steps: steps.enumerated().map { place, step in
                RolloutStepItem(
                    weightPercent: step.weightPercent, startedAt: step.startedAt.stamp,
                    followedAt: step.followedAt?.stamp, endedAt: step.end?.at.stamp,
                    verdict: step.end?.verdict.rawValue, reason: step.end?.reason,
                    sawTraffic: step.traffic.candidate.requests > 0,
                    sensitivity: step.sensitivity(
                        policy: revision.policy, earlier: Array(steps[..<place])),
                    candidate: .init(step.traffic.candidate),
                    baseline: .init(step.traffic.baseline),
                    comparisons: step.comparisons(
                        policy: revision.policy, names: names, earlier: Array(steps[..<place])
                    ).map(RolloutStepItem.Comparison.init))
            })
    }
}

extension RolloutStepItem.Traffic {
    init(_ count: TrafficCount) {
        self.init(
            requests: count.requests, errors: count.errors, refused: count.refused,
            turnedAway: count.turnedAway,
            p50Milliseconds: count.latency.percentileMicroseconds(0.5).map { $0 / 1000 },
            p99Milliseconds: count.latency.percentileMicroseconds(0.99).map { $0 / 1000 },
            scoreMedian: count.scores.median)
    }
}

extension AwaitedItem {
    init(_ awaited: AwaitedGateway) {
        self.init(
            gateway: awaited.gateway, reason: awaited.reason, hasFailed: awaited.hasFailed)
    }
}

extension RolloutStepItem.Comparison {
    init(_ shown: StepComparison) {
        self.init(
            what: shown.what, explanation: shown.reason, log10Evidence: shown.log10Evidence,
            log10Needed: shown.log10Needed, isWorse: shown.isWorse,
            isCompared: shown.isCompared)
    }
}
