import AloftStore
import HTTPTypes
import Testing

@testable import AloftAPI

struct TokenRoutesTests {
    @Test func `a made token is stored as a hash with its event`() async throws {
        let world = try APIWorld()
        let answer = try await world.call(.post, "/api/v1/tokens", body: #"{"name":"ann"}"#)
        #expect(answer.status == 200 && answer.text.contains("aloft_"))
        let tokens = try await world.store.read { try TokenQueries.listUsers($0) }
        #expect(tokens.map(\.name) == ["ann"])
        let events = try await world.store.read { try EventLog.list($0, limit: 10) }
        #expect(events.map(\.what) == ["created"])
    }

    @Test func `a second token of the same name is a conflict`() async throws {
        let world = try APIWorld()
        _ = try await world.call(.post, "/api/v1/tokens", body: #"{"name":"ann"}"#)
        let answer = try await world.call(.post, "/api/v1/tokens", body: #"{"name":"ann"}"#)
        #expect(answer.status == 409 && answer.code == "token_exists")
    }

    @Test(arguments: [
        (#"{"name":""}"#, "token_name_invalid"), (#"{"name":"a b"}"#, "token_name_invalid"),
        (#"{"name":"../x"}"#, "token_name_invalid"), (#"{"name":7}"#, "body_malformed"),
        ("{}", "body_malformed"), ("[", "body_malformed"), ("", "body_malformed"),
    ])
    func `a bad body is refused and stores nothing`(body: String, code: String) async throws {
        let world = try APIWorld()
        let answer = try await world.call(.post, "/api/v1/tokens", body: body)
        #expect(answer.status == 400 && answer.code == code)
        #expect(try await world.store.read { try TokenQueries.listUsers($0) }.isEmpty)
    }

    @Test func `revoking what is not there is 404`() async throws {
        let world = try APIWorld()
        let answer = try await world.call(.delete, "/api/v1/tokens/nobody")
        #expect(answer.status == 404 && answer.code == "token_not_found")
    }

    @Test func `deep JSON is refused, not followed`() async throws {
        let world = try APIWorld()
        let deep = String(repeating: "[", count: 200_000)
        let answer = try await world.call(.post, "/api/v1/tokens", body: deep)
        #expect(answer.status == 400 && answer.code == "body_malformed")
    }
}

struct EventRoutesTests {
    @Test func `events page by sequence`() async throws {
        let world = try APIWorld()
        for name in ["ann", "bob"] {
            _ = try await world.call(.post, "/api/v1/tokens", body: #"{"name":"\#(name)"}"#)
        }
        let all = try await world.call(.get, "/api/v1/events")
        #expect(all.text.contains("ann") && all.text.contains("bob"))
        let later = try await world.call(.get, "/api/v1/events?after=1")
        #expect(!later.text.contains("ann") && later.text.contains("bob"))
    }

    @Test(arguments: ["after=x", "limit=0", "limit=1001", "wait=-1"])
    func `a query out of range is named`(query: String) async throws {
        let answer = try await APIWorld().call(.get, "/api/v1/events?\(query)")
        #expect(answer.status == 400 && answer.code == "query_invalid")
    }

    @Test func `an unknown route is 404 as JSON`() async throws {
        let answer = try await APIWorld().call(.get, "/api/v1/nonsense")
        #expect(answer.status == 404 && answer.code == "route_not_found")
    }

    @Test func `the OpenAPI document lists every endpoint`() async throws {
        let answer = try await APIWorld().call(.get, "/api/v1/openapi.json")
        #expect(answer.text.contains(#""/api/v1/tokens/{name}""#))
        #expect(answer.text.contains(#""operationId":"CreateToken""#))
    }
}
