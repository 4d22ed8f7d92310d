import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

struct DeploymentControllerTests {
    private static let projectFile = """
        project: flights
        models:
          m:
            checks:
              staging: ["auc >= 0.65", "parity <= 1e-4", "latency_p99 <= 10ms"]
              production: ["auc >= production.auc - 0.002"]
        deployments:
          d:
            model: m
            rollout: { steps: [5%, 25%, 100%], hold: 2m, abort: ["error_rate > 1%"] }
        """

    @Test func `the first version is live as soon as a gateway is ready`() async throws {
        let world = try DeploymentWorld()
        let revision = try await world.deploy(try await world.register())
        _ = try await world.controller.runOnce()
        #expect(try await world.revision(revision.id).state == .warming)
        #expect(try await world.weights() == [1: 0], "no gateway has said that it is ready")
        try await world.settle()
        #expect(try await world.revision(revision.id).state == .live)
        #expect(try await world.weights() == [1: 100])
    }

    @Test func `a second version gets traffic by steps, the first is kept warm`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        #expect(try await world.weights() == [1: 90, 2: 10])
        world.time.advance(by: .seconds(29))
        try await world.settle()
        #expect(try await world.weights() == [1: 90, 2: 10])
        world.time.advance(by: .seconds(1))
        try await world.settle()
        #expect(try await world.weights() == [1: 50, 2: 50])
        world.time.advance(by: .seconds(30))
        try await world.settle()
        #expect(try await world.weights() == [1: 0, 2: 100])
        #expect(try await world.revision(second.id).state == .live)
        let steps = try await world.store.read { db in
            try RolloutQueries.steps(
                db, of: try #require(try RolloutQueries.find(db, of: second.id)))
        }
        #expect(steps.map(\.end?.verdict) == [.advanced, .promoted])
        #expect(steps[0].end?.reason.contains("without traffic") == true)
    }

    @Test func `a version waits for its conversion and fails with it`() async throws {
        let world = try DeploymentWorld()
        let key = try await world.register(isConverted: false)
        let revision = try await world.deploy(key)
        try await world.settle()
        #expect(try await world.revision(revision.id).state == .waiting)
        let now = world.time.now
        _ = try await world.store.write { db in
            try ServableQueries.apply(db, .jobCreated(JobID("j")), to: key, at: now, by: .local)
            try ServableQueries.apply(
                db, .jobFailed(JobID("j"), ConversionFailure(reason: "exit status 1")), to: key,
                at: now, by: .local)
        }
        try await world.settle()
        #expect(
            try await world.revision(revision.id).state
                == .ended(.failed(reason: "the model could not be converted: exit status 1")))
        let again = try await world.deploy(key)
        try await world.convert(key)
        try await world.settle()
        #expect(try await world.revision(again.id).state == .live, "deploying again tries again")
    }

    @Test func `a check that does not hold refuses the version with both numbers`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(projectFile: Self.projectFile)
        let key = try await world.register(metrics: ["auc": 0.6])
        let revision = try await world.deploy(key, environment: "staging")
        try await world.settle()
        #expect(
            try await world.revision(revision.id).state
                == .ended(.rejected(reason: "auc >= 0.65 does not hold: 0.6 against 0.65")))
        #expect(try await world.weights(environment: "staging").isEmpty)
        let checks = try await world.store.read { try RevisionQueries.checks($0, of: revision.id) }
        #expect(checks.map(\.held) == [false, true])
    }

    @Test func `latency is checked as the gateway measured it while warming up`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(projectFile: Self.projectFile)
        let key = try await world.register(metrics: ["auc": 0.7])
        let revision = try await world.deploy(key, environment: "staging")
        try await world.settle(FakeGateway(warmupMicroseconds: 20_000))
        let state = try await world.revision(revision.id).state
        #expect(state.end?.name == .rejected)
        #expect(state.end?.reason.hasPrefix("latency_p99 <= 10ms does not hold: 2") == true)
    }

    @Test func `production wants staging's checks passed first`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(projectFile: Self.projectFile)
        let key = try await world.register(metrics: ["auc": 0.7])
        await #expect(
            throws: DeploymentError.stagingNotPassed(
                deployment: "d", version: key,
                missing: ["auc >= 0.65", "parity <= 1e-4", "latency_p99 <= 10ms"])
        ) { try await world.deploy(key) }
        _ = try await world.deployFully(key, environment: "staging")
        let revision = try await world.deploy(key)
        try await world.settle()
        #expect(try await world.revision(revision.id).state == .live)
        let checks = try await world.store.read { try RevisionQueries.checks($0, of: revision.id) }
        #expect(
            checks.map(\.explanation) == [
                "auc >= production.auc - 0.002 holds: nothing serves in production yet"
            ])
    }

    @Test func `a version is compared with the one that serves in production`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(projectFile: Self.projectFile)
        for auc in [0.7, 0.69] {
            let key = try await world.register(metrics: ["auc": auc])
            _ = try await world.deployFully(key, environment: "staging")
            let revision = try await world.deployFully(key)
            let end = try await world.revision(revision.id).state.end
            #expect(
                end?.reason
                    == (auc == 0.7
                        ? nil
                        : "auc >= production.auc - 0.002 does not hold: 0.69 against 0.698"))
        }
    }

    @Test func `errors during a step give the traffic back by themselves`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(projectFile: Self.projectFile)
        for _ in 0..<2 {
            let key = try await world.register(metrics: ["auc": 0.7])
            _ = try await world.deployFully(key, environment: "staging")
        }
        _ = try await world.deployFully(ModelVersionKey(model: "m", version: 1))
        let second = try await world.deploy(ModelVersionKey(model: "m", version: 2))
        var gateway = FakeGateway(traffic: [1: makeTraffic(5000, errors: 100)])
        try await world.settle(gateway)
        #expect(try await world.weights() == [1: 95, 2: 5])
        gateway.traffic = [1: makeTraffic(5500, errors: 100), 2: makeTraffic(30, errors: 15)]
        try await world.settle(gateway)
        #expect(try await world.weights() == [1: 100])
        #expect(
            try await world.revision(second.id).state
                == .ended(.aborted(reason: "error_rate > 1%: 50% of 30 requests against 1%")))
    }

    @Test func `a model that no gateway can load fails with the gateway's words`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle(FakeGateway(broken: [2]))
        #expect(
            try await world.revision(second.id).state
                == .ended(
                    .failed(reason: "gateway g could not load the model: no such operator")))
        #expect(try await world.weights() == [1: 100])
    }

    @Test func `a rollback is one transaction, and the next goes further back`() async throws {
        let world = try DeploymentWorld()
        for _ in 1...3 { _ = try await world.deployFully(try await world.register()) }
        #expect(try await world.weights() == [2: 0, 3: 100])
        let before = try await world.store.read { try DesiredStateQueries.revision($0) }
        let result = try await world.service.rollback(
            deployment: "d", environment: "production", by: .user(name: "ann"))
        #expect(result.isAtOnce)
        #expect(result.desiredRevision == before + 1)
        #expect(try await world.weights() == [2: 100])
        let further = try await world.service.rollback(
            deployment: "d", environment: "production", by: .user(name: "ann"))
        #expect(!further.isAtOnce)
        try await world.settle()
        #expect(try await world.weights() == [2: 0, 4: 100])
        #expect(try await world.revision(further.revision.id).version.version == 1)
    }

    @Test func `a rollback of a rollout aborts it`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        let result = try await world.service.rollback(
            deployment: "d", environment: "production", by: .user(name: "ann"))
        #expect(result.revision.number == 1)
        #expect(try await world.weights() == [1: 100])
        #expect(try await world.revision(second.id).state.end?.name == .aborted)
        await #expect(throws: DeploymentError.self) {
            _ = try await world.service.rollback(
                deployment: "d", environment: "production", by: .local)
        }
    }

    @Test func `a rollout can be paused, resumed and promoted by hand`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        func steer(_ action: DeploymentService.RolloutAction) async throws {
            _ = try await world.service.steer(
                deployment: "d", environment: "production", action, by: .local)
        }
        try await steer(.pause)
        world.time.advance(by: .seconds(3600))
        try await world.settle()
        #expect(try await world.weights() == [1: 90, 2: 10])
        try await steer(.resume)
        try await world.settle()
        #expect(try await world.weights() == [1: 90, 2: 10])
        try await steer(.promote)
        #expect(try await world.weights() == [1: 0, 2: 100])
        #expect(try await world.revision(second.id).state == .live)
        await #expect(throws: DeploymentError.self) { try await steer(.abort) }
    }

    @Test func `a newer deploy takes the place of the one under way`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        let third = try await world.deploy(try await world.register())
        #expect(
            try await world.deploy(third.version).id == third.id, "asking again changes nothing")
        #expect(try await world.weights() == [1: 100])
        #expect(try await world.revision(second.id).state.end?.name == .superseded)
    }

    @Test func `what does not exist is refused by name`() async throws {
        let world = try DeploymentWorld()
        try await world.register()
        await #expect(throws: DeploymentError.modelNotFound(model: "n", known: ["m"])) {
            try await world.deploy(ModelVersionKey(model: "n", version: 1))
        }
        await #expect(throws: DeploymentError.self) {
            try await world.deploy(ModelVersionKey(model: "m", version: 9))
        }
        await #expect(
            throws: DeploymentError.notFound(deployment: "e", environment: nil, known: [])
        ) {
            _ = try await world.service.rollback(
                deployment: "e", environment: "production", by: .local)
        }
    }

    @Test func `a step's time runs from when every gateway answers with its weights`() async throws
    {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let slow = FakeGateway(name: "slow")
        try await slow.report(to: world)
        let second = try await world.deploy(try await world.register())
        _ = try await world.controller.runOnce()
        try await FakeGateway().report(to: world)
        try await slow.report(to: world)
        _ = try await world.controller.runOnce()
        let opened = try await world.store.read { try DesiredStateQueries.revision($0) }
        #expect(try await world.weights() == [1: 90, 2: 10])
        var behind = slow
        behind.served = opened - 1
        // Both are alive, one of them still answers by the weights before.
        for _ in 0..<4 {
            world.time.advance(by: .seconds(20))
            try await FakeGateway().report(to: world)
            try await behind.report(to: world)
            _ = try await world.controller.runOnce()
        }
        func step() async throws -> RolloutStepRecord? {
            try await world.store.read { db in
                try RolloutQueries.find(db, of: second.id).flatMap {
                    try RolloutQueries.steps(db, of: $0).last
                }
            }
        }
        func answers() async throws -> RevisionAnswers {
            let cutoff = GatewayCutoff(now: world.time.now)
            return try await world.store.read { db in
                let revision = try #require(try RevisionQueries.find(db, second.id))
                let place = try #require(
                    try DeploymentQueries.find(db, name: "d", environment: "production"))
                return try RevisionAnswers.read(db, place, revision, cutoff)
            }
        }
        #expect(try await step()?.followedAt == nil)
        #expect(try await !answers().isAnswered)
        #expect(try await answers().awaited.map(\.gateway.rawValue) == ["slow"])
        #expect(try await world.weights() == [1: 90, 2: 10], "80 s are more than its hold of 30 s")
        try await slow.report(to: world)
        _ = try await world.controller.runOnce()
        #expect(try await step()?.followedAt == world.time.now)
        #expect(try await answers().isAnswered)
        world.time.advance(by: .seconds(29))
        try await world.settle()
        #expect(try await world.weights() == [1: 90, 2: 10])
    }

    @Test func `a step waits for as many requests as the project file asks for`() async throws {
        let world = try DeploymentWorld()
        try await world.apply(
            projectFile: """
                project: flights
                models: { m: {} }
                deployments:
                  d:
                    model: m
                    rollout: { steps: [10%, 100%], hold: 1m, at_least: 50 requests }
                """)
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        world.time.advance(by: .seconds(600))
        var gateway = FakeGateway(traffic: [1: makeTraffic(500), 2: makeTraffic(49)])
        try await world.settle(gateway)
        #expect(try await world.weights() == [1: 90, 2: 10])
        let cutoff = GatewayCutoff(now: world.time.now)
        let reason = try await world.store.read { db in
            let place = try #require(
                try DeploymentQueries.find(db, name: "d", environment: "production"))
            let revision = try #require(try RevisionQueries.find(db, second.id))
            return try waitReason(db, place, revision, cutoff)
        }
        #expect(reason == "the step goes on until 50 requests came (at_least); 49 did")
        gateway.traffic[2] = makeTraffic(50)
        try await world.settle(gateway)
        #expect(try await world.revision(second.id).state == .live)
        let step = try await world.store.read { db in
            try RolloutQueries.find(db, of: second.id).flatMap {
                try RolloutQueries.steps(db, of: $0).last
            }
        }
        #expect(step?.end?.reason.hasPrefix("50 requests, 0 errors") == true)
        #expect(step?.traffic.candidate.requests == 50, "as the reason says")
    }

    @Test func `what is live is answered only once every gateway has it in memory`() async throws {
        let world = try DeploymentWorld()
        let revision = try await world.deploy(try await world.register(), atOnce: true)
        for _ in 0..<20 where try await world.revision(revision.id).state != .live {
            try await FakeGateway().report(to: world)
            _ = try await world.controller.runOnce()
        }
        func answers() async throws -> RevisionAnswers {
            let cutoff = GatewayCutoff(now: world.time.now)
            return try await world.store.read { db in
                let place = try #require(
                    try DeploymentQueries.find(db, name: "d", environment: "production"))
                let live = try #require(try RevisionQueries.find(db, revision.id))
                return try RevisionAnswers.read(db, place, live, cutoff)
            }
        }
        #expect(try await !answers().isAnswered, "the gateway spoke before it was live")
        try await FakeGateway().report(to: world)
        #expect(try await answers() == RevisionAnswers(isAnswered: true, awaited: []))
        try await FakeGateway(name: "new", broken: [1]).report(to: world)
        #expect(
            try await answers().awaited == [
                AwaitedGateway(
                    gateway: GatewayID("new"), reason: "cannot load the model: no such operator",
                    hasFailed: true)
            ])
        try await FakeGateway(name: "ahead", served: 10_000).report(to: world)
        #expect(
            try await answers().awaited.map(\.gateway.rawValue) == ["ahead", "new"],
            "it knows the data of another history")
        world.time.advance(by: .seconds(60))
        #expect(try await answers() == RevisionAnswers(isAnswered: false, awaited: []))
    }

    @Test func `a gateway that fell silent is not waited for`() async throws {
        let world = try DeploymentWorld()
        try await FakeGateway(name: "old").report(to: world)
        world.time.advance(by: .seconds(31))
        let revision = try await world.deploy(try await world.register())
        try await world.settle()
        #expect(try await world.revision(revision.id).state == .live)
    }
}
