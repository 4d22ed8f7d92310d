package import AloftArtifacts
import AloftDomain
import AloftStore
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Blobs by their digest: code snapshots, converted models. Streamed both ways; whole or not at all.
package struct BlobRoutes: Sendable {
    private let blobs: BlobStore
    private let files = FileIO()

    package init(blobs: BlobStore) { self.blobs = blobs }

    package func add(to routes: inout APIRoutes) {
        let path = GetBlob.path
        routes.raw(.put, path, .convert, of: { queries, _ in try queries.conversion() }) {
            request, context in try await put(request, digest: try digest(in: context))
        }
        routes.raw(.get, path, .fetch, of: Self.blob) { _, context in
            try await get(try digest(in: context), context: context)
        }
        routes.raw(.head, path, .fetch, of: Self.blob) { _, context in
            let digest = try digest(in: context)
            guard let size = blobs.claim(digest) else {
                throw ArtifactError.blobNotFound(digest)
            }
            return Response(status: .ok, headers: Self.headers(digest, sizeBytes: size))
        }
    }

    private static let blob: APIRoutes.Find = { queries, path in
        try ContentDigest(hex: path["digest"] ?? "").map(queries.blob) ?? .missing
    }

    private func digest(in context: AloftRequestContext) throws -> ContentDigest {
        let text = context.parameters.get("digest") ?? ""
        guard let digest = ContentDigest(hex: text) else { throw BodyError.badDigest(text) }
        return digest
    }

    /// Stores the body if it has the digest that the path names. Doing it again changes nothing.
    private func put(_ request: Request, digest: ContentDigest) async throws -> Response {
        let file = try blobs.begin()
        do {
            for try await part in request.body {
                try part.withUnsafeReadableBytes { try file.write($0) }
            }
            let stored = try blobs.keep(file, expected: digest)
            return ErrorResponse.json(
                StoredBlob(digest: stored.digest, sizeBytes: stored.sizeBytes), status: .ok)
        } catch {
            file.abandon()
            throw error
        }
    }

    private func get(
        _ digest: ContentDigest, context: AloftRequestContext
    ) async throws -> Response {
        guard let size = blobs.sizeBytes(of: digest) else {
            throw ArtifactError.blobNotFound(digest)
        }
        let body = try await files.loadFile(path: blobs.path(of: digest), context: context)
        return Response(
            status: .ok, headers: Self.headers(digest, sizeBytes: size), body: body)
    }

    private static func headers(_ digest: ContentDigest, sizeBytes: Int64) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .eTag: "\"\(digest)\"",
            .contentLength: String(sizeBytes), .xContentTypeOptions: "nosniff",
        ]
    }
}
