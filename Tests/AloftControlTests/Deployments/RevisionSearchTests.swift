import AloftDomain
import AloftStore
import Testing

@testable import AloftControl

struct RevisionSearchTests {
    private func found(
        _ world: DeploymentWorld, version: Int? = nil, onlyBad: Bool = false
    ) async throws -> [String] {
        let search = RevisionSearch(model: "m", version: version, onlyBad: onlyBad, limit: 10)
        return try await world.store.read { db in
            try RevisionQueries.search(db, search).map {
                "\($0.deployment.name) \($0.deployment.environment)"
            }
        }
    }

    @Test func `revisions of a version are found over all deployments`() async throws {
        let world = try DeploymentWorld()
        try await world.register()
        let model = try #require(ModelReference("m/1"))
        for environment in ["staging", "production"] {
            _ = try await world.service.deploy(
                DeploymentService.Request(
                    deployment: "d", environment: environment, model: model, atOnce: true,
                    early: false), by: .local)
        }
        #expect(try await Set(found(world, version: 1)) == ["d staging", "d production"])
        #expect(try await found(world).count == 2)
        #expect(try await found(world, version: 2).isEmpty)
        #expect(try await found(world, onlyBad: true).isEmpty)
        let served = try await world.store.read { db in
            try RevisionQueries.served(db, deployment: "d", environment: "staging")
        }
        #expect(served.map { $0.record.number } == [1])
    }
}
