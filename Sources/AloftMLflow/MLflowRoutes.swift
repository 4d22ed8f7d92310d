package import AloftArtifacts
package import AloftDomain
package import AloftStore
package import Hummingbird

/// The tracking protocol: every route that an unmodified `mlflow` client calls.
package struct MLflowRoutes<Context: RequestContext & PrincipalBearing & CallerWatching> {
    /// The version of the protocol's own server that this one stands in for; clients choose by it.
    static var protocolVersion: String { "3.17.2" }

    private let service: MLflowService
    /// What each route does; filled by `add`.
    package let actions = DeclaredActions()

    package init(
        store: Store, artifacts: ArtifactFolder, webhooks: WebhookSender, time: TimeSource,
        chance: Chance
    ) {
        service = MLflowService(
            store: store, artifacts: artifacts, webhooks: webhooks, time: time, chance: chance)
    }

    package func add(to router: Router<Context>) {
        let calls = CallRouter(router: router, access: service.access, declared: actions)
        addServerRoutes(to: calls)
        ExperimentCalls(service: service).add(to: calls)
        RunCalls(service: service).add(to: calls)
        LoggingCalls(service: service).add(to: calls)
        MetricCalls(service: service).add(to: calls)
        PageCalls(service: service).add(to: calls)
        LoggedModelCalls(service: service).add(to: calls)
        RegisteredModelCalls(service: service).add(to: calls)
        ModelVersionCalls(service: service).add(to: calls)
        ArtifactCalls(service: service).add(to: calls)
        UploadCalls(service: service).add(to: calls)
        WebhookCalls(service: service).add(to: calls)
        TraceCalls(service: service).add(to: calls)
        OldTraceCalls(service: service).add(to: calls)
        AssessmentCalls(service: service).add(to: calls)
        SpanExportCalls(service: service).add(to: calls)
    }

    private func addServerRoutes(to calls: CallRouter<Context>) {
        calls.raw(.get, "/version", .greet) { _, _ in
            Response(
                status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
                body: .init(byteBuffer: .init(string: Self.protocolVersion)))
        }
        for prefix in ["/api", "/ajax-api"] {
            calls.get("\(prefix)/3.0/mlflow/server-info", .greet, of: Subjects.platform) { _ in
                JSONWriter.document { writer in
                    writer.member("store_type", "SqlStore")
                    writer.member("workspaces_enabled", false)
                    writer.member("trace_archival_enabled", false)
                    writer.member("multipart_uploads_enabled", true)
                    writer.member("multipart_downloads_enabled", false)
                    writer.member("presigned_upload_run_id_supported", false)
                    writer.member("presigned_upload_model_id_supported", false)
                    writer.object("features_enabled") { $0.member("gateway", false) }
                }
            }
        }
    }
}

/// What the calls are made from.
struct MLflowService: Sendable {
    let store: Store
    let artifacts: ArtifactFolder
    let webhooks: WebhookSender
    let time: TimeSource
    let chance: Chance
    let chosen = ChosenExperiments()

    var access: AccessGuard { AccessGuard(store: store) }

    /// Writes what concerns one run, and says so to live pages once it is durable.
    nonisolated(nonsending) func change<Value: Sendable>(
        _ run: RunID, _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let value = try await store.write(as: .tracking, body)
        store.changed(.run, run.rawValue)
        return value
    }

    /// Writes what a run logs: points, params and tags. They come by the thousand, so that it wakes
    /// nobody who does not follow them, but for what is written to a run that has ended: that is an
    /// event.
    nonisolated(nonsending) func log(
        to run: RunID, _ body: @escaping @Sendable (Transaction) throws -> RunHandle
    ) async throws {
        _ = try await store.write(as: .metrics, and: { $0.hasEnded ? .events : [] }, body)
        store.changed(.run, run.rawValue)
    }

    /// Writes what the log of events leaves out, and says so to live pages once it is durable.
    nonisolated(nonsending) func change<Value: Sendable>(
        _ kind: LiveSubject.Kind, _ id: String,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let value = try await store.write(as: kind.entities, body)
        store.changed(kind, id)
        return value
    }

    /// Says to live pages that files changed; those of a run stand in a folder of its identifier.
    func filesChanged(_ path: ArtifactPath) {
        if let run = Self.run(of: path) { store.changed(.run, run.rawValue) }
    }

    /// The answer where there is nothing to say.
    static let empty = Array("{}".utf8)
}
