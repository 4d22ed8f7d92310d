import AloftTestKit
import Foundation
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// A gateway that cannot load what it is to serve keeps nobody waiting.
@Suite struct FailedGatewayTests {
    @Test func `a rollout ends where a gateway cannot load the version`() async throws {
        let world = try DeploymentWorld()
        _ = try await world.deployFully(try await world.register())
        let second = try await world.deploy(try await world.register())
        try await world.settle()
        #expect(try await world.revision(second.id).state == .rolling)
        // It comes later, or was started again.
        try await FakeGateway(name: "late", broken: [2]).report(to: world)
        try await world.settle()
        #expect(
            try await world.revision(second.id).state
                == .ended(
                    .aborted(reason: "gateway late could not load the model: no such operator")))
        #expect(try await world.weights() == [1: 100])
    }
}
