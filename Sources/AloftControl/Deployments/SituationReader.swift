import AloftDomain
import AloftStore
package import Foundation

/// Since when a gateway must have been heard of to count as alive.
package struct GatewayCutoff: Sendable {
    package let since: Date
    package let now: Date

    package init(now: Date) {
        self.now = now
        since = now.addingTimeInterval(-Self.silenceSeconds)
    }

    /// Gateways report at least every ten seconds.
    private static let silenceSeconds = 30.0
}

enum SituationReader {
    /// The revision of `deployment` that is under way, with all that decides about it.
    static func read(
        _ db: Transaction, _ deployment: DeploymentRecord, now: Date
    ) throws -> RevisionSituation? {
        guard let revision = try RevisionQueries.underWay(db, of: deployment.id) else {
            return nil
        }
        return try read(db, deployment, revision, GatewayCutoff(now: now))
    }

    /// The same of a revision that is known to be under way.
    static func read(
        _ db: Transaction, _ deployment: DeploymentRecord, _ revision: RevisionRecord,
        _ cutoff: GatewayCutoff
    ) throws -> RevisionSituation {
        var situation = RevisionSituation(revision: revision, now: cutoff.now)
        let live = try RevisionQueries.live(db, of: deployment.id)
        situation.hasLive = live != nil
        switch revision.state {
        case .waiting:
            situation.live = live.flatMap { live in
                live.servable.map { (live.number, $0.manifest) }
            }
            let record = try ServableQueries.find(db, revision.version)
            situation.servable = record?.lifecycle.state
            if let servable = record?.servable {
                situation.values = try CheckValueReader(
                    db: db, deployment: deployment, gatewaysHeardSince: cutoff
                ).values(
                    for: revision.version, servable: servable, warmup: nil,
                    checks: revision.checks.filter(CheckPhase.beforeLoading.includes))
            }
        case .warming:
            let fleet = try GatewayQueries.fleet(db, of: revision.id, heardSince: cutoff.since)
            situation.fleet = fleet
            if let servable = revision.servable {
                situation.values = try CheckValueReader(
                    db: db, deployment: deployment, gatewaysHeardSince: cutoff
                ).values(
                    for: revision.version, servable: servable, warmup: fleet.warmup,
                    checks: revision.checks.filter(CheckPhase.warm.includes))
            }
        case .rolling:
            situation.rollout = try RolloutQueries.find(db, of: revision.id)
            if let rollout = situation.rollout {
                situation.names = try RolloutNames(db, of: revision, rollout)
                var steps = try RolloutQueries.steps(db, of: rollout)
                situation.step = steps.popLast()
                situation.earlierSteps = steps
            }
            situation.following = try GatewayFollowing.read(
                db, deployment, revision: revision.id, cutoff)
        case .live, .standby, .ended: break
        }
        return situation
    }
}
