import AloftDomain
import AloftRollout
import AloftStore
import Foundation

/// A revision under way and all that decides what is to happen with it.
struct RevisionSituation: Sendable {
    var revision: RevisionRecord
    /// What became of its version's conversion; `nil` before the version was noticed.
    var servable: ServableLifecycle.State?
    /// What its checks are held against; empty while the version is not servable.
    var values = CheckValues()
    /// The gateways that are alive.
    var fleet: [FleetMember] = []
    /// Whether another revision is live, so that there is something to roll out against.
    var hasLive = false
    /// What the one that is live is made of, while this one waits.
    var live: (number: Int, manifest: ServableManifest)?
    var rollout: RolloutRecord?
    /// What reasons call it and the one before.
    var names = RolloutNames()
    /// The step under way.
    var step: RolloutStepRecord?
    /// The steps before it.
    var earlierSteps: [RolloutStepRecord] = []
    /// How far the gateways are with the step's weights.
    var following = GatewayFollowing()
    var now: Date
}

/// What is to happen with a revision under way. Each but `wait` is one transaction.
enum RevisionAction: Sendable, Equatable {
    /// Nothing now; look again after this long at the latest.
    case wait(reason: String, atMost: Duration)
    case admit(Servable, [CheckResultRecord])
    case reject([CheckResultRecord], reason: String)
    case fail(reason: String)
    case release([CheckResultRecord], byRollout: Bool)
    /// The step's time begins: every gateway answers with its weights.
    case follow
    case advance(reason: String)
    case promote(reason: String)
    case abort(reason: String)
}

/// Decides by what is, not by what happened: doing it again after a crash comes to the same end.
func planRevision(_ situation: RevisionSituation) -> RevisionAction {
    switch situation.revision.state {
    case .waiting: planAdmission(situation)
    case .warming: planRelease(situation)
    case .rolling: planRollout(situation)
    case .live, .standby, .ended: .wait(reason: "it is not under way", atMost: .seconds(60))
    }
}

private func planAdmission(_ situation: RevisionSituation) -> RevisionAction {
    switch situation.servable {
    case nil, .pending: return .wait(reason: "its conversion waits for a place", atMost: lookAgain)
    case .converting(let job):
        return .wait(reason: "job \(job) converts the model", atMost: lookAgain)
    case .failed(let failure):
        return .fail(reason: "the model could not be converted: \(failure.reason)")
    case .ready(let servable):
        let results = evaluate(
            situation.revision.checks, phase: .beforeLoading, values: situation.values)
        if let reason = failedChecks(results) { return .reject(results, reason: reason) }
        if let reason = brokenInputs(situation, servable) {
            return .reject(results, reason: reason)
        }
        return .admit(servable, results)
    }
}

/// Why clients of the revision that is live would be refused; `nil` where they are not, or where that is
/// meant.
private func brokenInputs(_ situation: RevisionSituation, _ servable: Servable) -> String? {
    guard !situation.revision.policy.isBreaking, let live = situation.live,
        let change = servable.manifest.brokenInput(from: live.manifest)
    else { return nil }
    return
        "its inputs are not those of revision \(live.number), which is live: \(change). What clients "
        + "send would be refused. Deploy it under another name; or, where clients know of it, write "
        + "`breaking: true` for the deployment in the project file, or deploy with --breaking"
}

private func planRelease(_ situation: RevisionSituation) -> RevisionAction {
    for member in situation.fleet {
        guard let report = member.report, report.state == .failed else { continue }
        return .fail(
            reason: "gateway \(member.gateway) could not load the model: "
                + (report.error ?? "it gave no reason"))
    }
    guard !situation.fleet.isEmpty else {
        return .wait(reason: "no gateway is connected", atMost: lookAgain)
    }
    let missing = situation.fleet.filter { $0.report?.state != .ready }
    guard missing.isEmpty else {
        let names = missing.map { member in
            member.gateway.rawValue + (member.report?.error.map { " (\($0))" } ?? "")
        }.joined(separator: ", ")
        return .wait(reason: "gateway \(names) loads the model and warms it up", atMost: lookAgain)
    }
    let results = evaluate(situation.revision.checks, phase: .warm, values: situation.values)
    if let reason = failedChecks(results) { return .reject(results, reason: reason) }
    let byRollout = situation.hasLive && !situation.revision.policy.isAtOnce
    return .release(results, byRollout: byRollout)
}

private func planRollout(_ situation: RevisionSituation) -> RevisionAction {
    guard let rollout = situation.rollout, let step = situation.step else {
        return .wait(reason: "its rollout begins", atMost: lookAgain)
    }
    if !rollout.state.isOver, let reason = situation.following.failure {
        return .abort(reason: reason)
    }
    let judge = RolloutJudge(policy: situation.revision.policy, names: situation.names)
    let evidence = step.evidence
    let earlier = situation.earlierSteps.map(\.evidence)
    if step.followedAt == nil, !rollout.state.isOver {
        if let reason = judge.abortReason(evidence, earlier: earlier) {
            return .abort(reason: reason)
        }
        return planFollowing(situation.following)
    }
    switch rollout.state {
    case .running(let number, let since):
        let elapsed = Duration.seconds(max(0, situation.now.timeIntervalSince(since)))
        let verdict = judge.verdict(
            step: number, elapsed: elapsed, evidence: evidence, earlier: earlier)
        switch verdict {
        case .hold(let left):
            return .wait(
                reason: stepIsWatched + judge.remark(evidence),
                atMost: max(left, .milliseconds(1)))
        case .awaitTraffic(let seen, let needed):
            return .wait(
                reason: "the step goes on until \(needed) requests came (at_least); \(seen) did",
                atMost: .seconds(60))
        case .advance(let reason): return .advance(reason: reason)
        case .promote(let reason): return .promote(reason: reason)
        case .abort(let reason): return .abort(reason: reason)
        }
    case .paused:
        if let reason = judge.abortReason(evidence, earlier: earlier) {
            return .abort(reason: reason)
        }
        return .wait(reason: "the rollout is paused", atMost: lookAgain)
    case .promoted, .aborted:
        return .wait(reason: "its rollout is over", atMost: lookAgain)
    }
}

/// What a rollout waits for while a step's time runs.
let stepIsWatched = "the step is watched"

/// A step's time runs from when clients get its weights from every gateway.
private func planFollowing(_ following: GatewayFollowing) -> RevisionAction {
    guard !following.standings.isEmpty else {
        return .wait(reason: "no gateway is connected", atMost: lookAgain)
    }
    let behind = following.behind
    guard behind.isEmpty else {
        let names = behind.map(\.rawValue).joined(separator: ", ")
        return .wait(
            reason: "gateway \(names) has not reported the step's weights yet", atMost: lookAgain)
    }
    return .follow
}

/// Every change that matters is a commit, which wakes the loop; this is for what time alone brings,
/// such as a gateway that falls silent.
private let lookAgain = Duration.seconds(5)

/// Every check that did not hold, with both numbers; `nil` if all held.
private func failedChecks(_ results: [CheckResultRecord]) -> String? {
    let failed = results.filter { !$0.held }
    return failed.isEmpty ? nil : failed.map(\.explanation).joined(separator: "; ")
}
