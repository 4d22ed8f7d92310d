import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftProjectFile
@testable import AloftStore

struct TrafficServiceTests {
    private func service(_ world: DeploymentWorld) -> TrafficService {
        TrafficService(store: world.store, time: world.time.source)
    }

    private func plan(_ world: DeploymentWorld) async throws -> (Int, TrafficRules?) {
        let (revision, plan) = try await world.store.read { try DesiredStateQueries.read($0) }
        return (revision, plan.endpoints.first { $0.environment == "production" }?.rules)
    }

    @Test func `a shadow reaches gateways with the commit, and the same again changes nothing`()
        async throws
    {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let rule = try ShadowRule(sharePercent: 10)
        let (before, none) = try await plan(world)
        #expect(none == nil)
        try await service(world).setShadow(rule, of: "d", environment: "production", by: .local)
        let (after, rules) = try await plan(world)
        #expect(after > before)
        #expect(rules?.shadow == rule)
        try await service(world).setShadow(rule, of: "d", environment: "production", by: .local)
        #expect(try await plan(world).0 == after)
        try await service(world).setShadow(nil, of: "d", environment: "production", by: .local)
        #expect(try await plan(world).1 == nil)
    }

    @Test func `a deployment is no shadow of itself, and must be there`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let own = try ShadowRule(environment: "production", sharePercent: 10)
        await #expect(throws: TrafficError.shadowOfItself(deployment: "d")) {
            try await service(world).setShadow(own, of: "d", environment: "production", by: .local)
        }
        let rule = try ShadowRule(sharePercent: 10)
        await #expect(throws: DeploymentError.self) {
            try await service(world).setShadow(rule, of: "e", environment: "production", by: .local)
        }
    }

    @Test func `a project file sets what it speaks of and leaves what people set`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let plain = try ProjectFileParser.parse(file(""))
        let shadowing = try ProjectFileParser.parse(file("shadow: { share: 25% }"))
        let now = world.time.now
        func apply(_ file: ProjectFile, after before: ProjectFile?) async throws {
            try await world.store.write { db in
                try TrafficService.apply(db, file: file, before: before, at: now, by: .local)
            }
        }
        let tree = try SegmentRules(
            key: .header("x-city"), nodes: [.init(key: "berlin", deployment: "b")])
        try await service(world).setSegments(
            tree, of: "d", environment: "production", by: .local)
        try await apply(plain, after: nil)
        #expect(try await plan(world).1?.segments == tree)
        try await apply(shadowing, after: plain)
        #expect(try await plan(world).1?.shadow?.sharePercent == 25)
        #expect(try await plan(world).1?.segments == tree)
        try await apply(plain, after: shadowing)
        #expect(try await plan(world).1 == TrafficRules(segments: tree))
    }

    @Test func `a project file says how a model runs, in all environments, at once`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        _ = try await world.deployFully(try await world.register(), environment: "staging")
        let plain = try ProjectFileParser.parse(file(""))
        let said = try ProjectFileParser.parse(file("workers: 3"))
        let now = world.time.now
        func apply(_ file: ProjectFile, after before: ProjectFile?) async throws {
            try await world.store.write { db in
                try TrafficService.apply(db, file: file, before: before, at: now, by: .local)
            }
        }
        try await apply(said, after: nil)
        #expect(try await plan(world).1?.execution == ExecutionRules(workers: 3))
        try await service(world).setShadow(
            try ShadowRule(sharePercent: 10), of: "d", environment: "staging", by: .local)
        let rules = try await world.store.read { try DesiredStateQueries.read($0) }.plan.endpoints
            .map { $0.rules?.execution?.workers }
        #expect(rules.allSatisfy { $0 == 3 } && !rules.isEmpty)
        try await apply(plain, after: said)
        #expect(try await plan(world).1 == nil)
    }

    private func file(_ line: String) -> String {
        """
        project: default
        models: { m: {} }
        deployments:
          d:
            model: m
            \(line)
        """
    }

    // MARK: - Experiments

    @Test func `an experiment stays at its split until a person ends it`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.register()
        let reference = try #require(ModelReference(second.description))
        let request = DeploymentService.Request(
            deployment: "d", environment: "production", model: reference, experimentPercent: 40)
        let revision = try await world.service.deploy(request, by: .local).revision
        try await world.settle()
        world.time.advance(by: .seconds(86_400))
        try await world.settle()
        #expect(try await world.weights() == [1: 60, 2: 40])
        _ = try await world.service.steer(
            deployment: "d", environment: "production", .promote, by: .local)
        #expect(try await world.revision(revision.id).state == .live)
        #expect(try await world.weights() == [1: 0, 2: 100])
    }

    @Test func `an experiment needs something live and a split`() async throws {
        let world = try DeploymentWorld()
        let key = try await world.register()
        let reference = try #require(ModelReference(key.description))
        for (percent, code) in [(40.0, "nothing_to_compare_with"), (0, "split_invalid")] {
            let request = DeploymentService.Request(
                deployment: "d", environment: "production", model: reference,
                experimentPercent: percent)
            let error = await #expect(throws: DeploymentError.self) {
                try await world.service.deploy(request, by: .local)
            }
            #expect(error?.code == code)
        }
    }
}
