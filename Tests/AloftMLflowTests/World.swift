import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore

struct TestContext: RequestContext, PrincipalBearing, CallerWatching {
    var coreContext: CoreRequestContextStorage
    var principal: Principal = .local
    var bearer: Bearer { Bearer(principal, project: ProjectID("demo")) }

    /// There is no connection.
    func whenCallerLeaves(_ action: @escaping @Sendable () -> Void) {}

    init(source: ApplicationRequestContextSource) { coreContext = .init(source: source) }
}

/// Everybody is the same person, as if the middleware that looks at tokens had said so.
private struct FixedPrincipal: RouterMiddleware {
    let principal: Principal

    func handle(
        _ request: Request, context: TestContext,
        next: (Request, TestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.principal = principal
        return try await next(request, context)
    }
}

/// The routes over a real store, called without a socket.
struct World {
    let temporary: TemporaryStore
    let client: any TestClientProtocol

    struct Answer {
        let status: Int
        let json: JSONValue
        let headers: HTTPFields
        let bytes: Data

        subscript(path: String...) -> JSONValue {
            path.reduce(json) { value, name in
                switch value {
                case .object(let members): members[name] ?? .null
                case .array(let items):
                    Int(name).flatMap { items.indices.contains($0) ? items[$0] : nil } ?? .null
                default: .null
                }
            }
        }

        var errorCode: String {
            if case .string(let code) = self["error_code"] { code } else { "" }
        }
    }

    /// - Parameter asker: who makes all calls.
    static func run(
        as asker: Principal = .local, _ body: @escaping @Sendable (World) async throws -> Void
    ) async throws {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        router.add(middleware: FixedPrincipal(principal: asker))
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        try await Application(router: router).test(.router) { client in
            try await body(World(temporary: temporary, client: client))
        }
    }

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil,
        type: String = "application/json", headers: HTTPFields = [:]
    ) async throws -> Answer {
        let uri = path.hasPrefix("/") ? path : "/api/2.0/mlflow/" + path
        var headers = headers
        if body != nil { headers[.contentType] = type }
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
        let data = Data(response.body.readableBytesView)
        let json = (try? JSONDecoder().decode(JSONValue.self, from: data)) ?? .null
        return Answer(
            status: Int(response.status.code), json: json, headers: response.headers, bytes: data)
    }

    func post(_ path: String, _ body: String) async throws -> Answer {
        try await call(.post, path, body)
    }

    func get(_ path: String) async throws -> Answer { try await call(.get, path) }

    /// A new run of the default experiment.
    func run() async throws -> String {
        let answer = try await post("runs/create", #"{"experiment_id": "0"}"#)
        guard case .string(let id) = answer["run", "info", "run_id"] else { return "" }
        return id
    }
}

extension WebhookSender {
    /// Takes any address, and nobody ever answers.
    static var deaf: WebhookSender {
        WebhookSender(check: { _ in }, send: { _ in .unanswered(reason: "nobody is there") })
    }
}
