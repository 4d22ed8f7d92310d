package import AloftArtifacts
import AloftDomain
import AloftStore
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird
import Logging
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
            let blobs = blobs
            // Who asks leaves the upload out: the bytes must be whole.
            guard let size = try await BlockingWork.run({ try blobs.claimWhole(digest) }) else {
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

    /// A blob that was not checked lately is checked before its first byte goes out, or, where that
    /// would keep the caller waiting, before its last one: then the connection breaks.
    private func get(
        _ digest: ContentDigest, context: AloftRequestContext
    ) async throws -> Response {
        let blobs = blobs
        do {
            guard let size = blobs.sizeBytes(of: digest), size > Self.checkedFirst,
                !blobs.isChecked(digest)
            else {
                let size = try await BlockingWork.run { try blobs.check(digest) }
                return Response(
                    status: .ok, headers: Self.headers(digest, sizeBytes: size),
                    body: try await files.loadFile(path: blobs.path(of: digest), context: context))
            }
            let reader = try blobs.reader(of: digest)
            let logger = context.logger
            let body = ResponseBody(contentLength: Int(size)) { writer in
                do {
                    try await Self.send(reader, digest, from: blobs, to: &writer)
                    try await writer.finish(nil)
                } catch ArtifactError.blobDamaged {
                    logger.error("blob damaged", metadata: ["digest": "\(digest)"])
                    throw ArtifactError.blobDamaged(digest)
                }
            }
            return Response(
                status: .ok, headers: Self.headers(digest, sizeBytes: size), body: body)
        } catch ArtifactError.blobDamaged {
            context.logger.error("blob damaged", metadata: ["digest": "\(digest)"])
            throw ArtifactError.blobDamaged(digest)
        }
    }

    /// Blobs up to this size are read twice at the first time: half a second on a slow disk.
    private static let checkedFirst: Int64 = 32 << 20
    private static let partBytes = 1 << 20

    private static func send(
        _ reader: FileReader, _ digest: ContentDigest, from blobs: BlobStore,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        var check = BlobCheck(digest)
        var offset: Int64 = 0
        var held = Data()
        while true {
            let place = offset
            let part = try await BlockingWork.run {
                try reader.read(at: place, count: partBytes)
            }
            guard !part.isEmpty else { break }
            offset += Int64(part.count)
            check.add(part)
            if !held.isEmpty { try await writer.write(ByteBuffer(bytes: held)) }
            held = part
        }
        try blobs.end(check, reader)
        try await writer.write(ByteBuffer(bytes: held))
    }

    private static func headers(_ digest: ContentDigest, sizeBytes: Int64) -> HTTPFields {
        [
            .contentType: "application/octet-stream", .eTag: "\"\(digest)\"",
            .contentLength: String(sizeBytes), .xContentTypeOptions: "nosniff",
        ]
    }
}
