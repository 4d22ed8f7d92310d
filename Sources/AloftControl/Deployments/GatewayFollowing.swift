package import AloftDomain
package import AloftStore

/// A gateway that does not answer as a revision's state promises, and why.
package struct AwaitedGateway: Sendable, Equatable {
    package var gateway: GatewayID
    package var reason: String
    /// Whether it tried to load the model in vain. It tries again, ever more seldom.
    package var hasFailed = false
}

/// Whether the gateways that are alive answer as the tables say.
package struct GatewayFollowing: Sendable, Equatable {
    /// Those that are alive.
    var standings: [GatewayStanding] = []
    /// What there is to follow now.
    var desiredRevision = 0
    /// The revision of the desired state since which the deployment's weights are as they are.
    var servedSince = 0

    /// - Parameter revision: whose state each gateway tells of.
    static func read(
        _ db: Transaction, _ deployment: DeploymentRecord, revision: RevisionID,
        _ cutoff: GatewayCutoff
    ) throws -> GatewayFollowing {
        GatewayFollowing(
            standings: try GatewayQueries.standing(db, of: revision, heardSince: cutoff.since),
            desiredRevision: try DesiredStateQueries.revision(db),
            // As it is now: the record may have been read before its traffic moved.
            servedSince: try DeploymentQueries.find(db, deployment.id)?.servedSince ?? 0)
    }

    /// A gateway that names a later revision than there is knows other data than these.
    private func follows(_ standing: GatewayStanding) -> Bool {
        (servedSince...max(servedSince, desiredRevision)).contains(standing.desiredRevision)
    }

    /// Those that do not answer with the deployment's weights yet.
    var behind: [GatewayID] { standings.filter { !follows($0) }.map(\.gateway) }

    /// What keeps gateways from loading the revision, as a sentence; `nil` where nothing does.
    var failure: String? {
        standings.first { $0.state == .failed }.map {
            "gateway \($0.gateway) could not load the model: \($0.error ?? "it gave no reason")"
        }
    }

    /// Those by which a revision that has traffic is not answered.
    var awaited: [AwaitedGateway] {
        standings.compactMap { standing in
            guard follows(standing) else {
                return AwaitedGateway(
                    gateway: standing.gateway, reason: "has not reported the new weights yet")
            }
            switch standing.state {
            case .ready: return nil
            case .failed:
                return AwaitedGateway(
                    gateway: standing.gateway,
                    reason: "cannot load the model: \(standing.error ?? "it gave no reason")",
                    hasFailed: true)
            case .loading, .draining, .gone, nil:
                return AwaitedGateway(
                    gateway: standing.gateway,
                    reason: "loads the model" + (standing.error.map { ": \($0)" } ?? ""))
            }
        }
    }
}

/// How far the gateways are with a revision that is live or rolling out.
package struct RevisionAnswers: Sendable, Equatable {
    /// Whether every gateway that is alive, and there is one, answers with its share of the traffic.
    package var isAnswered: Bool
    package var awaited: [AwaitedGateway]

    /// - Parameter now: decides which gateways are alive.
    package static func read(
        _ db: Transaction, _ deployment: DeploymentRecord, _ revision: RevisionRecord,
        _ cutoff: GatewayCutoff
    ) throws -> RevisionAnswers {
        switch revision.state {
        case .rolling, .live:
            let following = try GatewayFollowing.read(
                db, deployment, revision: revision.id, cutoff)
            let awaited = following.awaited
            return RevisionAnswers(
                isAnswered: awaited.isEmpty && !following.standings.isEmpty, awaited: awaited)
        case .waiting, .warming, .standby, .ended:
            return RevisionAnswers(isAnswered: false, awaited: [])
        }
    }
}

/// What a revision under way waits for, in a person's words; `nil` where that is its own time only.
package func waitReason(
    _ db: Transaction, _ deployment: DeploymentRecord, _ revision: RevisionRecord,
    _ cutoff: GatewayCutoff
) throws -> String? {
    guard revision.state.isUnderWay else { return nil }
    let situation = try SituationReader.read(db, deployment, revision, cutoff)
    guard case .wait(let reason, _) = planRevision(situation), reason != stepIsWatched else {
        return nil
    }
    return reason
}
