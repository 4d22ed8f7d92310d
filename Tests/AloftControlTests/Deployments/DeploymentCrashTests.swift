import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// The controller is stopped before its n-th effect, everything is dropped, the file is opened again
/// and the loop goes on: the end is always the same.
struct DeploymentCrashTests {
    /// Where everything stood in the end.
    private struct Outcome: Equatable {
        var states: [String]
        var weights: [Int: Double]
        var verdicts: [String]
        var rollouts: Int
        var checks: Int
        var events: [String]
    }

    private static let projectFile = """
        project: flights
        models:
          m: { checks: { production: ["auc >= 0.5", "latency_p99 <= 10ms"] } }
        deployments:
          d:
            model: m
            rollout: { steps: [10%, 50%, 100%], hold: 10s, abort: ["error_rate > 1%"] }
        """

    /// Runs the whole story with a crash before effect `crashAt`; returns the outcome and how many
    /// effects there were.
    private func play(crashAt: Int?, isHarmful: Bool) async throws -> (Outcome, effects: Int) {
        let folder = try TemporaryFolder()
        let time = ManualTime()
        var world = try DeploymentWorld(folder: folder, time: time)
        try await world.apply(projectFile: Self.projectFile)
        for _ in 1...2 { try await world.register(metrics: ["auc": 0.7]) }
        try await world.deploy(ModelVersionKey(model: "m", version: 1))
        let point = CrashPoint(crashAt)
        for round in 0..<14 {
            if round == 4 { try await world.deploy(ModelVersionKey(model: "m", version: 2)) }
            var controller = world.controller
            controller.effects = point.hook
            do {
                _ = try await controller.runOnce()
            } catch is EffectHook.Killed {
                try world.store.close()
                world = try DeploymentWorld(folder: folder, time: time, seed: UInt64(round) + 50)
            }
            var gateway = FakeGateway(traffic: [1: makeTraffic(1000)])
            let isRolling = try await world.weights()[2].map { $0 > 0 } ?? false
            if isRolling { gateway.traffic[2] = makeTraffic(200, errors: isHarmful ? 60 : 0) }
            try await gateway.report(to: world)
            time.advance(by: .seconds(5))
        }
        return (try await outcome(of: world), point.count)
    }

    private func outcome(of world: DeploymentWorld) async throws -> Outcome {
        let weights = try await world.weights()
        return try await world.store.read { db in
            let deployment = try DeploymentQueries.get(db, name: "d", environment: "production")
            let revisions = try RevisionQueries.list(db, of: deployment.id, limit: 10)
            let rollouts = try revisions.compactMap { try RolloutQueries.find(db, of: $0.id) }
            return Outcome(
                states: revisions.map { $0.state.end?.name.rawValue ?? $0.state.name.rawValue },
                weights: weights,
                verdicts: try rollouts.flatMap { try RolloutQueries.steps(db, of: $0) }
                    .map { $0.end?.verdict.rawValue ?? "open" },
                rollouts: rollouts.count,
                checks: try revisions.map { try RevisionQueries.checks(db, of: $0.id).count }
                    .reduce(0, +),
                events: try EventLog.list(db, limit: 1000)
                    .filter { ["revision", "rollout"].contains($0.entity) }
                    .map { "\($0.entity) \($0.what)" })
        }
    }

    @Test(arguments: [false, true])
    func `stopped before any effect, the loop comes to the same end`(isHarmful: Bool) async throws {
        let (expected, effects) = try await play(crashAt: nil, isHarmful: isHarmful)
        #expect(expected.states == (isHarmful ? ["aborted", "live"] : ["live", "standby"]))
        #expect(expected.weights == (isHarmful ? [1: 100] : [1: 0, 2: 100]))
        #expect(effects >= 5)
        for crashAt in 0..<effects {
            let (outcome, _) = try await play(crashAt: crashAt, isHarmful: isHarmful)
            #expect(outcome == expected, "crashed before effect \(crashAt)")
        }
    }
}
