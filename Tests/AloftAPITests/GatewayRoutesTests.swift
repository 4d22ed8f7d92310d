import AloftControl
import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import HTTPTypes
import Testing

@testable import AloftAPI

struct GatewayRoutesTests {
    private func makeWorld() throws -> APIWorld {
        let world = try APIWorld()
        var routes = APIRoutes(router: world.router, store: world.store)
        let traffic = TrafficRecorder()
        GatewayRoutes(store: world.store, traffic: traffic, time: world.time.source)
            .add(to: &routes)
        RevisionRoutes(store: world.store, traffic: traffic, time: world.time.source)
            .add(to: &routes)
        return world
    }

    @Test(arguments: ["", "?after=-1&wait=30", "?after=0&wait=30", "?after=99&wait=30"])
    func `a gateway that knows another state is answered at once`(query: String) async throws {
        let answer = try await makeWorld().call(.get, "/api/v1/gateways/desired-state" + query)
        #expect(answer.status == 200)
        let state = try JSONDecoder().decode(DesiredState.self, from: Data(answer.text.utf8))
        #expect(state == DesiredState(revision: 1, endpoints: [], tokenEnds: 0))
    }

    @Test func `a gateway's report is kept, a job's is refused`() async throws {
        let world = try makeWorld()
        let body = #"{"gateway":"g","incarnation":"1","desiredRevision":1,"revisions":[]}"#
        #expect(
            try await world.call(.post, "/api/v1/gateways/report", body: body).status == 200)
        let listed = try await world.call(.get, "/api/v1/gateways")
        #expect(listed.text.contains(#""isAlive":true"#))
        let secret = try await world.makeToken(.job, name: "j")
        let refused = try await world.call(
            .post, "/api/v1/gateways/report", body: body, authorization: "Bearer \(secret)")
        #expect(refused.status == 403)
    }

    @Test func `names that are made up come to an end`() async throws {
        let world = try makeWorld()
        let now = world.time.now
        try await world.store.write { db in
            for number in 1..<1_000 {
                try GatewayQueries.report(
                    db, gateway: GatewayID("g\(number)"), incarnation: "1", desiredRevision: 1,
                    revisions: [], at: now)
            }
        }
        func report(_ name: String) async throws -> (status: Int, text: String) {
            let body =
                #"{"gateway":"\#(name)","incarnation":"1","desiredRevision":1,"revisions":[]}"#
            let answer = try await world.call(.post, "/api/v1/gateways/report", body: body)
            return (answer.status, answer.text)
        }
        #expect(try await report("last").status == 200)
        let refused = try await report("another")
        #expect(refused.status == 429 && refused.text.contains("too_many_gateways"))
        #expect(try await report("g7").status == 200)
    }

    @Test func `traffic is asked for by the minute, an odd window is refused`() async throws {
        let world = try makeWorld()
        let answer = try await world.call(.get, "/api/v1/traffic?minutes=2")
        let reply = try JSONDecoder().decode(ListTraffic.Reply.self, from: Data(answer.text.utf8))
        #expect(reply.to - reply.from == 120)
        #expect(reply.series.isEmpty)
        #expect(try await world.call(.get, "/api/v1/traffic?minutes=0").status == 400)
        #expect(try await world.call(.get, "/api/v1/revisions?version=-1").status == 400)
        #expect(
            try await world.call(.get, "/api/v1/revisions").text.contains(#""revisions":[]"#))
    }
}
