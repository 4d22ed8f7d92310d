import AloftArtifacts
import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Large files in parts: begun, sent part by part to the addresses that the beginning answers, and
/// completed or aborted.
struct UploadCalls: Sendable {
    let service: MLflowService

    private static let prefixes = ["/api/2.0/mlflow-artifacts/", "/ajax-api/2.0/mlflow-artifacts/"]
    private static let mostParts = 10_000

    func add<Context>(to calls: CallRouter<Context>) {
        for prefix in Self.prefixes {
            for folder in ["", "/**"] {
                calls.raw(.post, prefix + "mpu/create" + folder, .record) { request, context in
                    try await create(request, prefix: prefix, context.bearer)
                }
                calls.raw(.post, prefix + "mpu/complete" + folder, .record) { request, context in
                    try await complete(
                        request, prefix: prefix, context.bearer, by: context.principal)
                }
                calls.raw(.post, prefix + "mpu/abort" + folder, .record) { request, context in
                    try await abort(request, context.bearer)
                }
            }
        }
        calls.raw(.put, Self.prefixes[0] + "mpu/parts/:upload/:number", .record) {
            request, context in
            let upload = ArtifactUploadID(context.parameters.get("upload") ?? "")
            try await check(context.bearer, upload)
            return try await takePart(
                request, upload: upload, number: context.parameters.get("number") ?? "")
        }
    }

    private func check(_ bearer: Bearer, _ path: ArtifactPath) async throws {
        try await service.access.check(bearer, .record) {
            ArtifactSubjects<Int>.written($0, path.components)
        }
    }

    /// An upload is to the path that it was begun for.
    private func check(_ bearer: Bearer, _ upload: ArtifactUploadID) async throws {
        guard bearer != .person else { return }
        let artifacts = service.artifacts
        let path = try await BlockingWork.run { try artifacts.uploadTarget(upload) }
        try await check(bearer, path)
    }

    private func create(
        _ request: Request, prefix: String, _ bearer: Bearer
    ) async throws -> Response {
        let fields = try MLflowBody.fields(try await MLflowBody.collect(request))
        let path = try Self.path(request, fields, after: prefix + "mpu/create")
        try await check(bearer, path)
        let count = try fields.optionalInt("num_parts") ?? 1
        // traps: a constant
        guard (1...Int64(Self.mostParts)).contains(count) else {
            throw ProtocolError.invalidValue("\(count)", "num_parts")
        }
        let (artifacts, id): (ArtifactFolder, ArtifactUploadID) = (
            service.artifacts, service.chance.identifier()
        )
        try await BlockingWork.run { try artifacts.beginUpload(to: path, id: id) }
        let base = Self.base(of: request) + Self.prefixes[0] + "mpu/parts/\(id)"
        // Parts are sent without the client's own headers: it gets back who it said it is.
        let authorization = request.headers[.authorization]
        return MLflowBody.json(
            JSONWriter.document { writer in
                writer.member("upload_id", id.rawValue)
                writer.list("credentials", 1...max(1, Int(clamping: count))) { writer, number in
                    writer.object { writer in
                        writer.member("url", "\(base)/\(number)")
                        writer.member("part_number", Int64(clamping: number))
                        writer.object("headers") { $0.member("Authorization", authorization) }
                    }
                }
            })
    }

    /// The address at which the client has reached us.
    private static func base(of request: Request) -> String {
        let name = HTTPField.Name("x-forwarded-proto")
        let isSecure =
            request.head.scheme == "https"
            || ForwardedProto.isSecure(name.flatMap { request.headers[$0] })
        let scheme = isSecure ? "https" : "http"
        let prefix = HTTPField.Name("X-Forwarded-Prefix").flatMap { request.headers[$0] }
        let below = prefix.flatMap { BasePath($0) } ?? .root
        return "\(scheme)://\(request.head.authority ?? "localhost")\(below.text)"
    }

    /// The folder of the address and the last component of the body's path, which is the file's on
    /// the client's own disk.
    private static func path(
        _ request: Request, _ fields: Fields, after prefix: String
    ) throws -> ArtifactPath {
        let local = try fields.string("path")
        let name = local.pieces(atAnyOf: "/\\".unicodeScalars).last.map(String.init)
        guard let name else { throw ProtocolError.invalidValue("\"\(local.prefix(100))\"", "path") }
        let folder =
            request.uri.path.dropFirst(prefix.count).dropFirst().isEmpty
            ? [] : try ArtifactCalls.path(in: request, after: prefix + "/").components
        return try ArtifactPath(components: folder + [name])
    }

    private func takePart(
        _ request: Request, upload: ArtifactUploadID, number: String
    ) async throws -> Response {
        guard let number = Int(number), (1...Self.mostParts).contains(number) else {
            throw ProtocolError.invalidValue("\"\(number.prefix(100))\"", "part_number")
        }
        let artifacts = service.artifacts
        let file = try await BlockingWork.run { try artifacts.begin() }
        do {
            for try await buffer in request.body {
                try buffer.withUnsafeReadableBytes { try file.write($0) }
            }
            let tag = try await BlockingWork.run {
                try artifacts.keepPart(file, number: number, of: upload)
            }
            return Response(status: .ok, headers: [.eTag: "\"\(tag)\""])
        } catch {
            file.abandon()
            throw error
        }
    }

    private func complete(
        _ request: Request, prefix: String, _ bearer: Bearer, by who: Principal
    ) async throws -> Response {
        let fields = try MLflowBody.fields(try await MLflowBody.collect(request))
        let path = try Self.path(request, fields, after: prefix + "mpu/complete")
        let id = ArtifactUploadID(try fields.string("upload_id"))
        try await check(bearer, path)
        let parts = try fields.objects("parts").map { part in
            ArtifactFolder.Part(
                number: Int(clamping: try part.int("part_number")),
                entityTag: try part.string("etag").replacing(scalar: "\"", with: ""))
        }
        let artifacts = service.artifacts
        let isThere = try await BlockingWork.run {
            let isThere = artifacts.holds(path)
            try artifacts.completeUpload(
                id, to: path, parts: parts.sorted { $0.number < $1.number })
            return isThere
        }
        if isThere { try await service.replaced(path, by: who) }
        service.filesChanged(path)
        return MLflowBody.json(MLflowService.empty)
    }

    private func abort(_ request: Request, _ bearer: Bearer) async throws -> Response {
        let fields = try MLflowBody.fields(try await MLflowBody.collect(request))
        let id = ArtifactUploadID(try fields.string("upload_id"))
        try await check(bearer, id)
        let artifacts = service.artifacts
        try await BlockingWork.run { try artifacts.abortUpload(id) }
        return MLflowBody.json(MLflowService.empty)
    }
}
