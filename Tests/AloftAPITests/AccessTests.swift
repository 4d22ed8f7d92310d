import AloftStore
import Foundation
import HTTPTypes
import Testing

@testable import AloftAPI

struct AccessTests {
    @Test func `open access takes callers without a token as local`() async throws {
        let world = try APIWorld()
        #expect(try await world.call(.get, "/api/v1/tokens").status == 200)
    }

    @Test func `a server that asks for tokens answers health to everybody`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let health = try await world.call(.get, "/health")
        #expect(health.status == 200 && health.text == "OK")
        let refused = try await world.call(.get, "/api/v1/tokens")
        #expect(refused.status == 401 && refused.code == "token_missing")
    }

    @Test func `a token opens as bearer and as the password of basic`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let secret = try await world.makeToken(.user, name: "ann")
        let basic = Data("anybody:\(secret)".utf8).base64EncodedString()
        for authorization in ["Bearer \(secret)", "bearer  \(secret)", "Basic \(basic)"] {
            let answer = try await world.call(
                .get, "/api/v1/tokens", authorization: authorization)
            #expect(answer.status == 200, "\(authorization)")
        }
    }

    @Test(arguments: ["Bearer", "Bearer ", "Basic !!!", "Basic YQ==", "Digest x", "Bearer guess"])
    func `what is no live token opens nothing`(authorization: String) async throws {
        let world = try APIWorld(access: .tokenRequired)
        let answer = try await world.call(.get, "/api/v1/tokens", authorization: authorization)
        #expect(answer.status == 401)
    }

    @Test func `the tracking protocol is refused in its own words`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let answer = try await world.call(.get, "/api/2.0/mlflow/runs/get")
        #expect(answer.status == 401)
        #expect(answer.text.contains(#""error_code":"UNAUTHENTICATED""#))
    }

    @Test(arguments: [TokenRecord.Kind.job, .gateway])
    func `a job's or a gateway's token makes no tokens`(kind: TokenRecord.Kind) async throws {
        let world = try APIWorld(access: .tokenRequired)
        let secret = try await world.makeToken(kind, name: "x")
        let answer = try await world.call(
            .post, "/api/v1/tokens", body: #"{"name":"more"}"#, authorization: "Bearer \(secret)")
        #expect(answer.status == 403 && answer.code == "token_not_allowed")
        #expect(try await world.store.read { try TokenQueries.listUsers($0) }.isEmpty)
    }
}
