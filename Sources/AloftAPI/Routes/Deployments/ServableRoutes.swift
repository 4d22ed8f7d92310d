package import AloftArtifacts
package import AloftDomain
package import AloftStore
import AloftWire

/// The servable form of model versions.
package struct ServableRoutes: Sendable {
    private let store: Store
    private let blobs: BlobStore
    private let time: TimeSource

    package init(store: Store, blobs: BlobStore, time: TimeSource) {
        self.store = store
        self.blobs = blobs
        self.time = time
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(PutServable.self, of: Self.thing) { call in
            try await put(key(call), call.body, by: call.principal)
        }
        routes.on(ShowServable.self, of: Self.thing) { call in
            let key = try key(call)
            let (record, isKnown) = try await store.read { db in
                let record = try ServableQueries.find(db, key)
                return (record, try record != nil || VersionFactsQueries.find(db, key) != nil)
            }
            if let record { return ShowServable.Reply(record) }
            guard isKnown else { throw DeploymentError.versionNotFound(key) }
            // Registered a moment ago: its conversion was not looked at yet.
            return ShowServable.Reply(model: key.model, version: key.version, state: "pending")
        }
    }

    private static let thing: APIRoutes.Find = { queries, path in
        guard let version = Int(path["version"] ?? "") else { return .missing }
        return try queries.servable(
            ModelVersionKey(model: path["name"] ?? "", version: version))
    }

    private func key<E: Endpoint>(_ call: EndpointCall<E>) throws -> ModelVersionKey {
        let text = "\(call.parameter("name"))/\(call.parameter("version"))"
        guard let version = Int(call.parameter("version")), version >= 1 else {
            throw DeploymentError.invalidReference(text)
        }
        return ModelVersionKey(model: call.parameter("name"), version: version)
    }

    private func put(
        _ key: ModelVersionKey, _ body: PutServable.Body, by who: Principal
    ) async throws -> PutServable.Reply {
        let blobs = blobs
        guard let size = try await BlockingWork.run({ try blobs.claimWhole(body.digest) }) else {
            throw DeploymentError.blobMissing(body.digest)
        }
        guard size == body.sizeBytes else {
            throw DeploymentError.invalidServable(
                reason: "the blob \(body.digest) has \(size) bytes, not \(body.sizeBytes)")
        }
        let servable = Servable(
            digest: body.digest, sizeBytes: body.sizeBytes, manifest: body.manifest)
        let now = time.now()
        let record = try await store.write { db in
            guard let facts = try VersionFactsQueries.find(db, key) else {
                throw DeploymentError.versionNotFound(key)
            }
            try ServableQueries.insert(db, key, versionStamp: facts.stamp, at: now)
            if let parity = body.manifest.parity {
                try VersionFactsQueries.setTag(
                    db, key, name: "aloft.parity", value: parity.description)
            }
            return try ServableQueries.apply(
                db, .uploaded(servable), to: key, project: facts.project, at: now, by: who)
        }
        return ShowServable.Reply(record)
    }
}

extension ShowServable.Reply {
    init(_ record: ServableRecord) {
        self.init(
            model: record.version.model, version: record.version.version,
            state: record.lifecycle.state.name.rawValue, digest: record.servable?.digest,
            sizeBytes: record.servable?.sizeBytes, manifest: record.servable?.manifest,
            job: record.job)
        if case .failed(let failure) = record.lifecycle.state {
            reason = failure.reason
            lastLines = failure.lastLines
        }
    }
}
