import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftTestKit
import Hummingbird
import Testing

/// No route of the protocol reads a body that a page of another origin may send unasked.
@Suite struct RouteTypesTests {
    /// Routes that look at the type themselves, and files that are put, which a browser asks for first.
    /// An upload to a run may leave the type out, as clients do: the page would have to know the run.
    private static let own: Set<String> = [
        "POST /v1/traces", "PUT /api/2.0/mlflow-artifacts/artifacts/**",
        "PUT /ajax-api/2.0/mlflow-artifacts/artifacts/**",
        "PUT /api/2.0/mlflow-artifacts/mpu/parts/{upload}/{number}",
        "POST /ajax-api/2.0/mlflow/upload-artifact",
    ]

    @Test func `each route that takes a body has its types in the table`() throws {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        var seen: Set<String> = []
        for route in router.routes where route.method != .get && route.method != .head {
            let (method, path) = (route.method.rawValue, "\(route.path)")
            let unasked = [
                "text/plain", "multipart/form-data", "application/x-www-form-urlencoded", "", nil,
            ]
            let taken = unasked.filter {
                AcceptedTypes.refusal(
                    method: method, path: path, type: $0, carried: MLflowPaths.carried) == nil
            }
            if taken.isEmpty { continue }
            #expect(Self.own.contains("\(method) \(path)"), "\(method) \(path) takes \(taken)")
            seen.insert("\(method) \(path)")
        }
        #expect(seen == Self.own)
    }

    @Test(
        arguments: [
            ("POST", "/api/2.0/mlflow/runs/create", nil, false),
            ("POST", "/ajax-api/2.0/mlflow/runs/create", "text/plain", false),
            ("POST", "/graphql", "text/plain", false),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/a/x.txt", "text/plain", true),
            ("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/a/x", nil, true),
            ("POST", "/api/2.0/mlflow-artifacts/mpu/create", "text/plain", false),
            ("POST", "/ajax-api/2.0/mlflow/upload-artifact", "image/png", true),
            ("POST", "/ajax-api/2.0/mlflow/upload-artifact", "text/plain", false),
            ("POST", "/ajax-api/2.0/mlflow/upload-artifact", nil, true),
        ] as [(String, String, String?, Bool)])
    func `a route takes its own types`(method: String, path: String, type: String?, isTaken: Bool) {
        let refusal = AcceptedTypes.refusal(
            method: method, path: path, type: type, carried: MLflowPaths.carried)
        #expect((refusal == nil) == isTaken)
    }

    /// What stands before the routes decides by these beginnings whose errors they are.
    @Test func `each route is where the protocol says that its routes are`() throws {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        let carried = MLflowPaths.carried
        for route in router.routes {
            let path = "\(route.path)"
            let first = path.split(separator: "/").first.map(String.init) ?? ""
            #expect(carried.roots.contains(first) || first == "api", "\(path)")
            #expect(
                carried.has(path) || ["/version", "/get-artifact"].contains(path), "\(path)")
        }
        let posted = Set(router.routes.filter { $0.method == .post }.map { "\($0.path)" })
        for folder in carried.shortFolders {
            for call in carried.shortCalls { #expect(posted.contains(folder + call)) }
        }
        #expect(carried.isShortCall("/api/2.0/mlflow/runs/log-metric"))
        #expect(!carried.isShortCall("/api/2.0/mlflow/runs/search"))
    }
}
