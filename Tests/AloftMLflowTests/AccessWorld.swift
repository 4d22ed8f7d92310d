import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// Sets who asks from a header, in place of the middleware that looks at tokens.
private struct NamedPrincipal: RouterMiddleware {
    func handle(
        _ request: Request, context: TestContext,
        next: (Request, TestContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let name = HTTPField.Name("x-asker").flatMap { request.headers[$0] } ?? "local"
        if name.hasPrefix("job") { context.principal = .job(JobID(name)) }
        if name == "gateway" { context.principal = .gateway(name: "main") }
        return try await next(request, context)
    }
}

/// Somebody who calls the routes, as who the header says.
struct Asker {
    let client: any TestClientProtocol
    let name: String

    func call(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
    ) async throws -> (status: Int, json: [String: Any]) {
        var headers: HTTPFields = [.contentType: "application/json"]
        if let field = HTTPField.Name("x-asker") { headers[field] = name }
        let uri = path.hasPrefix("/") ? path : "/api/2.0/mlflow/" + path
        let response = try await client.executeRequest(
            uri: uri, method: method, headers: headers,
            body: body.map { ByteBuffer(string: $0) })
        let object = try? JSONSerialization.jsonObject(
            with: Data(response.body.readableBytesView))
        return (Int(response.status.code), object as? [String: Any] ?? [:])
    }

    func status(
        _ method: HTTPRequest.Method, _ path: String, _ body: String? = nil
    ) async throws -> Int { try await call(method, path, body).status }

    func experiment(_ name: String) async throws -> String {
        let made = try await call(.post, "experiments/create", #"{"name": "\#(name)"}"#)
        return made.json["experiment_id"] as? String ?? ""
    }

    func run(_ experiment: String) async throws -> String {
        let made = try await call(
            .post, "runs/create", #"{"experiment_id": "\#(experiment)"}"#)
        let info = (made.json["run"] as? [String: Any])?["info"] as? [String: Any]
        return info?["run_id"] as? String ?? ""
    }

    /// Jobs of the project `demo` beside a person.
    static func with(
        _ body: @escaping @Sendable (_ person: Asker, _ job: Asker, Store) async throws -> Void
    ) async throws {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        router.add(middleware: NamedPrincipal())
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        let now = Date(timeIntervalSince1970: 1)
        try await temporary.store.write { db in
            for name in ["job1", "job2"] {
                var spec = JobSpec(project: ProjectID("demo"), name: "train", command: "true")
                spec.registers = "named"
                let run = RunID(String(repeating: String(name.suffix(1)), count: 32))
                try JobRuns.create(db, run, of: JobID(name), for: &spec, at: now, by: .local)
                try JobQueries.insert(db, id: JobID(name), spec: spec, at: now, by: .local)
            }
        }
        let store = temporary.store
        try await Application(router: router).test(.router) { client in
            try await body(
                Asker(client: client, name: "local"), Asker(client: client, name: "job1"), store)
        }
    }
}
