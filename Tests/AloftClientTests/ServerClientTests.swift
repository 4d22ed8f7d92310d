import AloftDomain
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftClient

/// Asks for what tests want to see on the way.
private enum Echo: Endpoint {
    struct Body: Codable, Sendable, Equatable { var number: Double }
    struct Reply: Codable, Sendable, Equatable { var number: Double }
    static let action = Action.read
    static let method = EndpointMethod.post
    static let path = "/api/v1/echo/{name}/of/{other}"
    static let summary = "Say it again"
}

/// Calls of a server: what is sent, and what is made of any answer.
@Suite(.timeLimit(.minutes(20))) struct ServerClientTests {
    private static let http = ServerClient.makeHTTPClient()

    private static func client(_ url: String, token: String? = nil) -> ServerClient {
        ServerClient(server: url, token: token, http: http)
    }

    /// What a call throws where the server answers so.
    private static func failure(status: Int, _ body: String) async throws -> ClientError? {
        try await StubServer { _ in .init(status: status, body) }.run { url in
            do {
                _ = try await client(url).track(.get, "runs/get")
                return nil
            } catch let error as ClientError {
                return error
            }
        } ?? nil
    }

    // MARK: What is sent

    @Test func `names go into paths and queries as bytes, whatever they hold`() async throws {
        let stub = StubServer { _ in .init(#"{"number": 1}"#) }
        _ = try await stub.run { url in
            try await Self.client(url + "/").call(
                Echo.self, path: ["name": "a/b {other}?#%ä", "other": "o"],
                query: ["b": "x&y=z", "a": "+ "], body: .init(number: 1))
        }
        #expect(
            stub.asked.map(\.path) == [
                "/api/v1/echo/a%2Fb%20%7Bother%7D%3F%23%25%C3%A4/of/o?a=%2B%20&b=x%26y%3Dz"
            ])
        #expect(stub.asked[0].method == "POST")
        #expect(stub.asked[0].contentType == "application/json")
        #expect(stub.asked[0].authorization == nil)
    }

    @Test func `the token goes along, and another client has another one`() async throws {
        let stub = StubServer { _ in .init("{}") }
        _ = try await stub.run { url in
            let client = Self.client(url, token: "one")
            _ = try await client.track(.get, "a")
            _ = try await client.bearing("two").track(.get, "b")
            return ""
        }
        #expect(stub.asked.map(\.authorization) == ["Bearer one", "Bearer two"])
    }

    @Test(arguments: [(Double.infinity, "Infinity"), (-.infinity, "-Infinity"), (.nan, "NaN")])
    func `numbers that JSON has not go as texts and come back`(
        number: Double, text: String
    ) async throws {
        let stub = StubServer { _ in .init(#"{"number": "\#(text)"}"#) }
        let reply = try await stub.run { url in
            try await Self.client(url).call(
                Echo.self, path: ["name": "a", "other": "b"], body: .init(number: number))
        }
        #expect(String(decoding: stub.asked[0].body, as: UTF8.self) == #"{"number":"\#(text)"}"#)
        #expect(reply?.number.description == number.description)
    }

    // MARK: What is answered

    @Test func `each form of error is read, and a proxy's page is shown in part`() async throws {
        #expect(
            try await Self.failure(
                status: 404, #"{"error": {"code": "job_not_found", "message": "No job."}}"#)
                == .refused(status: 404, code: "job_not_found", message: "No job."))
        #expect(
            try await Self.failure(status: 429, #"{"error": "Wait.", "code": "too_many"}"#)
                == .refused(status: 429, code: "too_many", message: "Wait."))
        #expect(
            try await Self.failure(
                status: 400, #"{"error_code": "INVALID_PARAMETER_VALUE", "message": "No."}"#)
                == .refused(status: 400, code: "invalid_parameter_value", message: "No."))
        let page = "<html>" + String(repeating: "bad gateway ", count: 10_000)
        let told = try #require(try await Self.failure(status: 502, page))
        #expect(told == .refused(status: 502, code: "http_502", message: String(page.prefix(500))))
        #expect(told.isTransient)
        #expect(
            try await Self.failure(status: 500, "")
                == .refused(status: 500, code: "http_500", message: ""))
    }

    @Test func `a redirect is no answer`() async throws {
        let told = try #require(try await Self.failure(status: 304, ""))
        #expect(told == .refused(status: 304, code: "http_304", message: ""))
        #expect(!told.isTransient)
    }

    @Test func `a reply of another program says what of it is not as expected`() async throws {
        for (body, reason) in [
            ("<html>", "it is not the JSON that was expected"), ("{}", "number is missing"),
            (#"{"number": "five"}"#, "number is not as expected"),
        ] {
            let error = try await StubServer { _ in .init(body) }.run { url in
                await #expect(throws: ClientError.self) {
                    try await Self.client(url).call(
                        Echo.self, path: ["name": "a", "other": "b"], body: .init(number: 1))
                }
            }
            guard case .unreadable(let url, reason) = try #require(error ?? nil) else {
                Issue.record("\(body): \(error.debugDescription)")
                continue
            }
            #expect(url.hasSuffix(Echo.path))
        }
    }

    @Test(arguments: [
        (ClientError.unreachable(server: "s", reason: "r"), true),
        (.refused(status: 429, code: "c", message: "m"), true),
        (.refused(status: 500, code: "c", message: "m"), true),
        (.refused(status: 503, code: "c", message: "m"), true),
        (.refused(status: 404, code: "c", message: "m"), false),
        (.refused(status: 401, code: "c", message: "m"), false),
        (.unreadable(url: "u", reason: "r"), false),
    ])
    func `what may work later is tried again, and nothing else`(
        error: ClientError, isTransient: Bool
    ) {
        #expect(error.isTransient == isTransient)
    }
}
