import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Testing

@testable import AloftAPI

struct TrafficRoutesTests {
    private func makeWorld() async throws -> APIWorld {
        let world = try APIWorld()
        var routes = APIRoutes(router: world.router, store: world.store)
        TrafficRoutes(store: world.store, time: world.time.source).add(to: &routes)
        let now = world.time.now
        try await world.store.write { db in
            _ = try DeploymentQueries.ensure(
                db, id: DeploymentID("1"), project: .default, name: "eta",
                environment: "production", at: now, by: .local)
        }
        return world
    }

    private static let path = "/api/v1/deployments/eta"

    @Test func `a shadow is set, shown and ended`() async throws {
        let world = try await makeWorld()
        let none = try await world.call(.get, Self.path + "/traffic")
        #expect(none.status == 200)
        #expect(!none.text.contains("shadow"))
        let set = try await world.call(
            .put, Self.path + "/shadow", body: #"{"sharePercent":12.5}"#)
        #expect(set.status == 200, "\(set.text)")
        #expect(set.text.contains(#""environment":"shadow""#))
        let shown = try await world.call(.get, Self.path + "/traffic")
        #expect(shown.text.contains(#""sharePercent":12.5"#))
        #expect(try await world.call(.delete, Self.path + "/shadow").status == 200)
        #expect(try await world.call(.get, Self.path + "/traffic").text == none.text)
    }

    @Test func `a tree of segments is set and shown as it was sent`() async throws {
        let world = try await makeWorld()
        let tree =
            #"{"segments":{"source":"header","name":"X-City","nodes":["#
            + #"{"key":"germany","deployment":"eta-germany"},{"key":"berlin","parent":"germany"}]}}"#
        let set = try await world.call(.put, Self.path + "/segments", body: tree)
        #expect(set.status == 200, "\(set.text)")
        #expect(set.text.contains(#""name":"x-city""#))
        #expect(set.text.contains(#""parent":"germany""#))
        #expect(try await world.call(.delete, Self.path + "/segments").status == 200)
    }

    @Test(arguments: [
        ("/shadow", #"{"sharePercent":0}"#, 400, "share_invalid"),
        (
            "/shadow", #"{"sharePercent":5,"shadowEnvironment":"production"}"#, 400,
            "shadow_of_itself"
        ),
        (
            "/segments", #"{"segments":{"source":"cookie","name":"x","nodes":[{"key":"a"}]}}"#, 400,
            "segment_source_invalid"
        ),
        (
            "/segments", #"{"segments":{"source":"header","name":"x","nodes":[]}}"#, 400,
            "segments_invalid"
        ),
        (
            "/segments",
            #"{"segments":{"source":"header","name":"x","nodes":[{"key":"a","parent":"b"}]}}"#, 400,
            "segments_invalid"
        ),
    ])
    func `what is wrong is said`(path: String, body: String, status: Int, code: String) async throws
    {
        let answer = try await makeWorld().call(.put, Self.path + path, body: body)
        #expect(answer.status == status, "\(answer.text)")
        #expect(answer.code == code)
    }

    @Test func `rules of a deployment that is not there are refused`() async throws {
        let world = try await makeWorld()
        let answer = try await world.call(
            .put, "/api/v1/deployments/et/shadow", body: #"{"sharePercent":5}"#)
        #expect(answer.status == 404)
        #expect(answer.text.contains("did you mean eta?"))
    }
}
