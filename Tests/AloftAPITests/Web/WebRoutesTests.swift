import AloftDomain
import AloftMLflow
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import AloftAPI

@Suite struct WebRoutesTests {
    private static let page = """
        <!doctype html>the page<meta name="aloft-base" content=""><script src="/assets/app-AB12.js">
        """

    private func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder.appending(path: "assets"), withIntermediateDirectories: true)
        try Data(Self.page.utf8).write(to: folder.appending(path: "index.html"))
        try Data("the script".utf8).write(to: folder.appending(path: "assets/app-AB12.js"))
        try Data("packed".utf8).write(to: folder.appending(path: "assets/app-AB12.js.gz"))
        return folder
    }

    private func withClient(
        folder: URL?, base: BasePath = .root, access: PrincipalFinder.Access = .open,
        _ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void
    ) async throws {
        let router = Router(context: AloftRequestContext.self)
        let store = try TemporaryStore()
        router.add(
            middleware: FrontMiddleware(
                fallback: WebFallback(page: WebPage(folder: folder)),
                principals: PrincipalFinder(store: store.store, access: access),
                carried: MLflowPaths.carried))
        var routes = APIRoutes(router: router, store: store.store)
        WebRoutes(folder: folder).add(to: &routes)
        let responder = BasePathResponder(
            router.buildResponder(), base: base, carried: MLflowPaths.carried)
        try await Application(responder: responder).test(.router) { try await body($0) }
    }

    @Test func `every page address is answered with the page, under a strict policy`()
        async throws
    {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder) { client in
            for path in ["/", "/experiments", "/runs/abc", "/deployments/a/b?env=staging"] {
                try await client.execute(uri: path, method: .get) { response in
                    #expect(response.status == .ok)
                    #expect(String(buffer: response.body) == Self.page)
                    #expect(response.headers[.contentType] == "text/html; charset=utf-8")
                    #expect(response.headers[.cacheControl] == "no-cache")
                    let policy = response.headers[.contentSecurityPolicy] ?? ""
                    #expect(policy.contains("script-src 'self';"))
                    #expect(policy.contains("default-src 'none'"))
                }
            }
        }
    }

    @Test(arguments: [
        ("/api/v1/nothing", "route_not_found"), ("/ajax-api/2.0/x", "ENDPOINT_NOT_FOUND"),
        ("/v1/x", "ENDPOINT_NOT_FOUND"), ("/v2/models", "route_not_found"),
        ("/unknown", "route_not_found"),
    ])
    func `what is no page address stays an error`(path: String, code: String) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder) { client in
            try await client.execute(uri: path, method: .get) { response in
                #expect(response.status == .notFound)
                #expect(String(buffer: response.body).contains(code))
            }
        }
    }

    @Test func `an asset is kept for good, and packed for who can unpack it`() async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder) { client in
            try await client.execute(uri: "/assets/app-AB12.js", method: .get) { response in
                #expect(String(buffer: response.body) == "the script")
                #expect(response.headers[.contentType] == "text/javascript; charset=utf-8")
                #expect(response.headers[.cacheControl]?.contains("immutable") == true)
                #expect(response.headers[.xContentTypeOptions] == "nosniff")
            }
            try await client.execute(
                uri: "/assets/app-AB12.js", method: .get,
                headers: [.acceptEncoding: "gzip, deflate"]
            ) { response in
                #expect(String(buffer: response.body) == "packed")
                #expect(response.headers[.contentEncoding] == "gzip")
            }
        }
    }

    @Test(arguments: [
        "/assets/..%2findex.html", "/assets/%2e%2e%2fapp.js", "/assets/.hidden.js",
        "/assets/missing-AB.js", "/assets/app-AB12.js%00.css", "/assets/index.html",
    ])
    func `nothing but assets is handed out`(path: String) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder) { client in
            try await client.execute(uri: path, method: .get) { response in
                #expect(response.status == .notFound)
            }
        }
    }

    @Test func `a server whose interface was not built says how to build it`() async throws {
        try await withClient(folder: nil) { client in
            try await client.execute(uri: "/", method: .get) { response in
                #expect(response.status == .ok)
                #expect(String(buffer: response.body).contains("make web"))
            }
        }
    }

    @Test(arguments: [
        ("", "/team/aloft", "/runs/1", "/team/aloft"), ("/aloft", nil, "/aloft/runs/1", "/aloft"),
        ("/aloft", nil, "/runs/1", "/aloft"), ("/aloft", "/team", "/aloft/runs/1", "/team/aloft"),
        ("/aloft", "/team/aloft", "/runs/1", "/team/aloft"),
        ("/aloft", "/team/aloft/", "/aloft/runs/1", "/team/aloft"),
        ("", "/outer, /inner", "/runs/1", "/outer/inner"), ("", "/a,/a", "/runs/1", "/a"),
        ("", "/, /a ,", "/runs/1", "/a"), ("/aloft", "/team,/aloft", "/runs/1", "/team/aloft"),
    ])
    func `below a path of a proxy the page names its files below it`(
        base: String, header: String?, path: String, shown: String
    ) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder, base: try #require(BasePath(base))) { client in
            // Proxies one behind another send a field each, or one list.
            var (list, fields) = (HTTPFields(), HTTPFields())
            list[.forwardedPrefix] = header
            for one in header?.split(separator: ",") ?? [] {
                fields.append(.init(name: .forwardedPrefix, value: String(one)))
            }
            for headers in [list, fields] {
                try await shows(shown, at: path, client, headers)
            }
        }
    }

    private func shows(
        _ shown: String, at path: String, _ client: any TestClientProtocol, _ headers: HTTPFields
    ) async throws {
        try await client.execute(uri: path, method: .get, headers: headers) { response in
            let page = String(buffer: response.body)
            #expect(response.status == .ok)
            #expect(page.contains("content=\"\(shown)\""))
            #expect(page.contains("src=\"\(shown)/assets/app-AB12.js\""))
            #expect(response.headers[.vary] == "x-forwarded-prefix")
        }
    }

    @Test(arguments: [
        "//evil.example", "/a\"><script>alert(1)</script>", "/../x", "evil.example",
        "/a, b", "/a, //evil.example", "/a,/..", "/a b", "/a\u{a0},/b",
    ])
    func `a prefix that is no plain path is refused and stands in no page`(header: String)
        async throws
    {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder) { client in
            for path in ["/", "/runs/1", "/nowhere"] {
                var headers: HTTPFields = [.accept: "text/html"]
                headers[.forwardedPrefix] = header
                try await client.execute(uri: path, method: .get, headers: headers) { response in
                    #expect(response.status == .badRequest)
                    #expect(response.headers[.contentType] == "application/json")
                    #expect(String(buffer: response.body).contains("prefix_malformed"))
                }
            }
        }
    }

    @Test(arguments: [PrincipalFinder.Access.open, .tokenRequired])
    func `a browser at an unknown address is shown the interface's own page`(
        access: PrincipalFinder.Access
    ) async throws {
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        try await withClient(folder: folder, access: access) { client in
            let browser: HTTPFields = [.accept: "text/html,application/xhtml+xml,*/*;q=0.8"]
            for path in ["/nowhere", "/gateway/x", "/prompts/a"] {
                try await client.execute(uri: path, method: .get, headers: browser) { response in
                    #expect(response.status == .notFound)
                    #expect(String(buffer: response.body) == Self.page)
                }
            }
            for path in ["/api/v1/nothing", "/ajax-api/2.0/x", "/v1/x", "/assets/none-AB.js"] {
                try await client.execute(uri: path, method: .get, headers: browser) { response in
                    #expect(String(buffer: response.body) != Self.page)
                }
            }
            try await client.execute(uri: "/nowhere", method: .post, headers: browser) { response in
                #expect(String(buffer: response.body) != Self.page)
            }
        }
    }
}
