import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// A version that takes other inputs than the one that is live, and refusals in a rollout.
struct InputContractTests {
    private static let before = [
        ServableManifest.Tensor(name: "income", datatype: "FP64", shape: [-1, 1])
    ]
    private static let after =
        before + [ServableManifest.Tensor(name: "age", datatype: "INT64", shape: [-1, 1])]

    private func makeWorld() async throws -> DeploymentWorld {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register(inputs: Self.before))
        return world
    }

    private func deploy(
        _ world: DeploymentWorld, environment: String = "production", breaking: Bool = false
    ) async throws -> RevisionRecord {
        let key = try await world.register(inputs: Self.after)
        let reference = try #require(ModelReference(key.description))
        let revision = try await world.service.deploy(
            .init(
                deployment: "d", environment: environment, model: reference, breaking: breaking),
            by: .local
        ).revision
        try await world.settle()
        return try await world.revision(revision.id)
    }

    @Test func `other inputs than those of what is live are not admitted`() async throws {
        let world = try await makeWorld()
        let revision = try await deploy(world)
        guard case .ended(.rejected(let reason)) = revision.state else {
            Issue.record("it is \(revision.state)")
            return
        }
        #expect(reason.contains("\"age\" INT64 [-1, 1] is new"))
        #expect(reason.contains("revision 1"))
        #expect(reason.contains("`breaking: true`"))
        #expect(try await world.weights() == [1: 100])
    }

    @Test func `they are where the project file or the call says so, and in staging`() async throws
    {
        #expect(try await deploy(try await makeWorld(), breaking: true).state == .rolling)
        #expect(
            try await deploy(try await makeWorld(), environment: "staging").state == .live)
        let world = try await makeWorld()
        try await world.store.write { db in
            try NameOwnerQueries.takeOver(
                db, NameOwner(kind: .deployment, name: "d", project: .default),
                for: ProjectID("flights"), at: world.time.now, by: .local)
        }
        try await world.apply(
            projectFile: """
                project: flights
                models: { m: {} }
                deployments: { d: { model: m, breaking: true } }
                """)
        #expect(try await deploy(world).state == .live)
    }

    @Test func `a rollback to other inputs is not held up`() async throws {
        let world = try await makeWorld()
        let second = try await deploy(world, breaking: true)
        _ = try await world.service.steer(
            deployment: "d", environment: "production", .promote, by: .local)
        let third = try await deploy(world)
        _ = try await world.service.steer(
            deployment: "d", environment: "production", .promote, by: .local)
        #expect(second.number == 2 && third.number == 3)
        _ = try await world.service.rollback(
            deployment: "d", environment: "production", by: .local)
        try await world.settle()
        let again = try await world.service.rollback(
            deployment: "d", environment: "production", by: .local)
        try await world.settle()
        #expect(try await world.revision(again.revision.id).state == .live)
    }

    @Test func `requests that only the candidate refuses undo its rollout`() async throws {
        let world = try await makeWorld()
        let second = try await world.deploy(try await world.register(inputs: Self.before))
        try await world.settle()
        #expect(try await world.revision(second.id).state == .rolling)
        var refusing = makeTraffic(0)
        refusing.contested = 75
        let gateway = FakeGateway(traffic: [1: makeTraffic(700), 2: refusing])
        try await world.settle(gateway)
        guard case .ended(.aborted(let reason)) = try await world.revision(second.id).state else {
            Issue.record("it goes on")
            return
        }
        #expect(reason.contains("75 refused with 400 that the revision before takes"))
    }
}
