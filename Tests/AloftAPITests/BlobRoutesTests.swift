import AloftArtifacts
import AloftDomain
import Crypto
import Foundation
import HTTPTypes
import Testing

@testable import AloftAPI

struct BlobRoutesTests {
    private func digest(of text: String) -> String {
        ContentDigest(bytes: SHA256.hash(data: Data(text.utf8))).hex
    }

    @Test func `a blob comes back as it went`() async throws {
        let world = try APIWorld()
        let path = "/api/v1/blobs/" + digest(of: "a model")
        #expect(try await world.call(.get, path).status == 404)
        for _ in 1...2 {
            let stored = try await world.call(.put, path, body: "a model")
            #expect(stored.status == 200 && stored.text.contains(#""sizeBytes":7"#))
        }
        #expect(try await world.call(.get, path).text == "a model")
    }

    @Test func `bytes with another digest are not stored`() async throws {
        let world = try APIWorld()
        let path = "/api/v1/blobs/" + digest(of: "a model")
        let answer = try await world.call(.put, path, body: "something else")
        #expect(answer.status == 400)
        #expect(try await world.call(.get, path).status == 404)
    }

    @Test(arguments: ["x", "..%2f..%2faloft.db", "ABCDEF", String(repeating: "g", count: 64)])
    func `what is no digest names no file`(name: String) async throws {
        let answer = try await APIWorld().call(.get, "/api/v1/blobs/\(name)")
        #expect([400, 404].contains(answer.status))
    }
}
