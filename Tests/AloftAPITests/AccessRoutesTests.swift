import AloftDomain
import AloftStore
import Foundation
import Hummingbird
import Testing

@testable import AloftAPI

/// What tokens of jobs and gateways open of `/api/v1`.
@Suite struct AccessRoutesTests {
    private static let digest = String(repeating: "a", count: 64)

    @Test(arguments: [TokenRecord.Kind.job, .gateway])
    func `the platform is managed by people only`(_ kind: TokenRecord.Kind) async throws {
        let world = try APIWorld(access: .tokenRequired)
        let secret = try await world.makeToken(kind, name: "j")
        for (method, path, body) in [
            (HTTPRequest.Method.post, "/api/v1/tokens", #"{"name": "x"}"# as String?),
            (.get, "/api/v1/tokens", nil), (.delete, "/api/v1/tokens/ann", nil),
            (.get, "/api/v1/events", nil), (.get, "/api/v1/projects/demo/file", nil),
            (.put, "/api/v1/blobs/\(Self.digest)", "x"),
        ] {
            let answer = try await world.call(
                method, path, body: body, authorization: "Bearer \(secret)")
            if answer.status == 404 { continue }  // no such route in this world
            #expect(answer.status == 403, "\(method) \(path): \(answer.text)")
            #expect(answer.code == "token_not_allowed")
        }
    }

    @Test func `a job that converts nothing sends no blob`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let secret = try await world.makeToken(.job, name: "j")
        let answer = try await world.call(
            .put, "/api/v1/blobs/\(Self.digest)", body: "x", authorization: "Bearer \(secret)")
        #expect(answer.status == 403)
        #expect(answer.text.contains("a job's token reads its project (default)"))
        let person = try await world.makeToken(.user, name: "ann")
        let same = try await world.call(
            .put, "/api/v1/blobs/\(Self.digest)", body: "x", authorization: "Bearer \(person)")
        #expect(same.code == "digest_mismatch")
    }
}
