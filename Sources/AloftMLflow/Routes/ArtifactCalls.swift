import AloftArtifacts
import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The artifact proxy, and artifacts by run and by model.
struct ArtifactCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        for prefix in ["/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"] {
            let files = prefix + "artifacts"
            let place = ArtifactSubjects<Context>(prefix: files + "/")
            calls.raw(.get, files, .read, of: place.listed) { request, _ in
                try await list(request)
            }
            calls.raw(.get, files + "/**", .read, of: place.read) { request, _ in
                try await download(Self.path(in: request, after: files + "/"), request)
            }
            calls.raw(.put, files + "/**", .record, of: place.written) { request, context in
                try await upload(
                    request, to: Self.path(in: request, after: files + "/"),
                    by: context.principal)
            }
            calls.raw(.delete, files + "/**", .clear, of: place.removed) { request, context in
                try await remove(
                    Self.path(in: request, after: files + "/"), by: context.principal)
            }
            calls.raw(.get, prefix + "presigned/**", .greet) { _, _ in
                throw Self.unsupported("A presigned address")
            }
        }
        calls.get("artifacts/list", .read, of: Subjects.run, listOfRun)
        calls.get(
            "logged-models/:model/artifacts/directories", .read, of: Subjects.loggedModel,
            listOfModel)
        addDownloads(to: calls)
        for part in ["upload", "download"] {
            calls.post("artifacts/presigned-\(part)-url", .greet, of: Subjects.platform) { _ in
                throw ProtocolError.invalid("Presigned URLs are not supported for proxied storage.")
            }
        }
    }

    private func addDownloads<Context>(to calls: CallRouter<Context>) {
        calls.raw(
            .get, "logged-models/:model/artifacts/files", .read,
            of: { queries, _, context in
                let id = LoggedModelID(context.parameters.get("model") ?? "")
                return [Claim(try queries.loggedModel(id))]
            }
        ) { request, context in
            let id = LoggedModelID(context.parameters.get("model") ?? "")
            let path = try Self.query(request, ["artifact_file_path"])
            let uri = try await service.store.read {
                try LoggedModelQueries.get($0, id).artifactURI
            }
            return try await download(ArtifactRoot(uri).path(path), request)
        }
        for path in ["/get-artifact", "/ajax-api/2.0/mlflow/get-artifact"] {
            calls.raw(.get, path, .read, of: Self.run) { request, _ in
                let root = try await runRoot(try Self.query(request, ["run_uuid", "run_id"]))
                return try await download(root.path(Self.query(request, ["path"])), request)
            }
        }
        let framed = FramedArtifacts { request in
            let root = try await runRoot(try Self.query(request, ["run_uuid", "run_id"]))
            return try await download(root.path(Self.query(request, ["path"])), request)
        }
        calls.raw(.get, "/ajax-api/aloft/artifacts/frame", .read, of: Self.run) { request, _ in
            try await framed.answer(request)
        }
        calls.raw(
            .get, "/model-versions/get-artifact", .read,
            of: { queries, request, _ in
                _ = try ArtifactPath(try Self.query(request, ["path"]))
                let number = Int64(try Self.query(request, ["version"])) ?? 0
                return [Claim(try queries.version(try Self.query(request, ["name"]), number))]
            }
        ) { request, _ in
            try await downloadOfVersion(request)
        }
        calls.raw(
            .post, "/ajax-api/2.0/mlflow/upload-artifact", .record,
            of: { queries, request, _ in [Claim(try queries.run(try Self.upload(request).run))] }
        ) { request, context in
            try await uploadToRun(request, by: context.principal)
        }
    }

    /// What an upload names, and what it leaves out in the words that clients look for.
    private static func upload(_ request: Request) throws -> (run: RunID, path: ArtifactPath) {
        guard let run = try? query(request, ["run_uuid", "run_id"]) else {
            throw ProtocolError.invalid("Request must specify run_uuid.")
        }
        guard let path = try? query(request, ["path"]) else {
            throw ProtocolError.invalid("Request must specify path.")
        }
        return (RunID(run), try ArtifactPath(path))
    }

    private static func run<Context>(
        _ queries: AccessQueries, _ request: Request, _ context: Context
    ) throws -> [Claim] {
        [Claim(try queries.run(RunID(try query(request, ["run_uuid", "run_id"]))))]
    }

    private static func unsupported(_ what: String) -> ProtocolError {
        ProtocolError(.notImplemented, "\(what) is not supported; send or fetch the file itself.")
    }

    /// The rest of the request's path, decoded once and checked.
    static func path(in request: Request, after prefix: String) throws -> ArtifactPath {
        let raw = request.uri.path
        guard let text = raw.rest(after: prefix)?.removingPercentEncoding
        else { throw ProtocolError.invalid("Invalid path") }
        let path = try ArtifactPath(text)
        guard !path.components.isEmpty else { throw ProtocolError.invalid("Invalid path") }
        return path
    }

    /// The first of these parameters that is there.
    private static func query(_ request: Request, _ names: [String]) throws -> String {
        let pairs = QueryText.pairs(request.uri.query ?? "")
        for name in names {
            if let value = pairs.last(where: { $0.name == name })?.value, !value.isEmpty {
                return value
            }
        }
        throw ProtocolError.missing(names[0])
    }

    // MARK: The proxy

    private func list(_ request: Request) async throws -> Response {
        let pairs = QueryText.pairs(request.uri.query ?? "")
        let path = try ArtifactPath(pairs.last { $0.name == "path" }?.value ?? "")
        let artifacts = service.artifacts
        let entries = try await BlockingWork.run { try artifacts.list(path) }
        return MLflowBody.json(JSONWriter.document { $0.files(entries, under: "") })
    }

    private func upload(
        _ request: Request, to path: ArtifactPath, by who: Principal
    ) async throws -> Response {
        let artifacts = service.artifacts
        let file = try await BlockingWork.run { try artifacts.begin() }
        do {
            for try await buffer in request.body {
                try buffer.withUnsafeReadableBytes { try file.write($0) }
            }
            let isThere = try await BlockingWork.run {
                let isThere = artifacts.holds(path)
                try artifacts.keep(file, at: path)
                return isThere
            }
            if isThere { try await service.replaced(path, by: who) }
            service.filesChanged(path)
        } catch {
            file.abandon()
            throw error
        }
        return MLflowBody.json(MLflowService.empty)
    }

    private func download(_ path: ArtifactPath, _ request: Request) async throws -> Response {
        let artifacts = service.artifacts
        let file = try await BlockingWork.run { try artifacts.file(at: path) }
        return FileAnswer(file: file, name: path.components.last ?? "file").response(to: request)
    }

    /// A person's folders go to the trash, where `aloft gc` finds them; a job removes its own.
    private func remove(_ path: ArtifactPath, by who: Principal) async throws -> Response {
        let (artifacts, chance, now) = (service.artifacts, service.chance, service.time.now())
        try await BlockingWork.run {
            if case .job = who {
                try artifacts.remove(path)
            } else {
                try artifacts.discard(path, id: chance.identifier(), at: now)
            }
        }
        try await service.removed(path, by: who)
        service.filesChanged(path)
        return MLflowBody.json(MLflowService.empty)
    }

    // MARK: By run and by model

    private func runRoot(_ id: String) async throws -> ArtifactRoot {
        let run = RunID(id)
        let info = try await service.store.read { try TrackingQueries.runInfo($0, run) }
        guard let info else { throw TrackingError.runNotFound(id) }
        return try ArtifactRoot(info.artifactURI)
    }

    private func listOfRun(_ call: Call) async throws -> [UInt8] {
        let id = try FieldReader.runID(call.fields)
        let root = try await runRoot(id.rawValue)
        return try await list(root, call.fields.optionalString("path") ?? "")
    }

    private func listOfModel(_ call: Call) async throws -> [UInt8] {
        let id = LoggedModelID(call.parameter("model"))
        let uri = try await service.store.read { try LoggedModelQueries.get($0, id).artifactURI }
        let path = try call.fields.optionalString("artifact_directory_path") ?? ""
        return try await list(ArtifactRoot(uri), path)
    }

    private func list(_ root: ArtifactRoot, _ path: String) async throws -> [UInt8] {
        let folder = try root.path(path)
        let artifacts = service.artifacts
        let entries = try await BlockingWork.run { try artifacts.list(folder) }
        let prefix = try ArtifactPath(path).text
        return JSONWriter.document { writer in
            writer.member("root_uri", root.uri)
            writer.files(entries, under: prefix)
        }
    }

    private func downloadOfVersion(_ request: Request) async throws -> Response {
        let wanted = try ArtifactPath(Self.query(request, ["path"]))
        let name = try Self.query(request, ["name"])
        let text = try Self.query(request, ["version"])
        guard let number = Int64(text) else { throw ProtocolError.invalidValue(text, "version") }
        let uri = try await service.store.read { db in
            try ModelSource(RegistryQueries.version(db, name, number).source).resolved(db)
        }
        return try await download(ArtifactRoot(uri).path(wanted.text), request)
    }

    private func uploadToRun(
        _ request: Request, by who: Principal
    ) async throws -> Response {
        let named = try Self.upload(request)
        let path = try await runRoot(named.run.rawValue).path(named.path.text)
        let buffer = try await Self.uploaded(request)
        let artifacts = service.artifacts
        let isThere = try await BlockingWork.run {
            let isThere = artifacts.holds(path)
            let file = try artifacts.begin()
            try buffer.withUnsafeReadableBytes { try file.write($0) }
            try artifacts.keep(file, at: path)
            return isThere
        }
        if isThere { try await service.replaced(path, by: who) }
        service.filesChanged(path)
        return MLflowBody.json(MLflowService.empty)
    }
}

extension ArtifactCalls {
    /// The body of an upload.
    fileprivate static func uploaded(_ request: Request) async throws -> ByteBuffer {
        do {
            let buffer = try await request.body.collect(upTo: 10 << 20)
            guard buffer.readableBytes > 0 else {
                throw ProtocolError.invalid("Request must specify data.")
            }
            return buffer
        } catch is NIOTooManyBytesError {
            throw ProtocolError.invalid("Artifact size is too large. Max size is 10MB.")
        }
    }
}

/// The folder that a proxied artifact URI names.
struct ArtifactRoot {
    let uri: String
    private let folder: ArtifactPath

    /// - Throws: `ProtocolError` if the artifacts are not kept by this server.
    init(_ uri: String) throws {
        self.uri = uri
        guard let path = Self.proxied(uri) else {
            throw ProtocolError.invalid(
                "The artifacts of '\(uri.prefix(200))' are not kept by this server.")
        }
        folder = try ArtifactPath(path)
    }

    /// The path in `mlflow-artifacts:/path` or `mlflow-artifacts://host/path`.
    private static func proxied(_ uri: String) -> String? {
        ArtifactPlaceText.rooted(uri)
    }

    func path(_ relative: String) throws -> ArtifactPath {
        try ArtifactPath(components: folder.components + ArtifactPath(relative).components)
    }
}

extension JSONWriter {
    mutating func files(_ entries: [ArtifactFolder.Entry], under prefix: String) {
        list("files", entries) { writer, entry in
            writer.object { writer in
                writer.member("path", prefix.isEmpty ? entry.name : prefix + "/" + entry.name)
                writer.member("is_dir", entry.isFolder)
                if !entry.isFolder { writer.member("file_size", entry.sizeBytes) }
            }
        }
    }
}
