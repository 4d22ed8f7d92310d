import AloftClient
import AloftDomain
import AloftWire
import AsyncHTTPClient
import Foundation
import NIOCore

/// Copies files into a server, through its artifact proxy. A file lands whole or not at all.
struct ArtifactCopier: Sendable {
    let client: ServerClient
    let progress: TransferProgress

    private static let base = "/api/2.0/mlflow-artifacts/artifacts"

    /// Copies every file of `reader` to the folder that `uri` names.
    ///
    /// A file that cannot be read or kept is told of, and the others are copied.
    ///
    /// - Returns: whether all are there.
    /// - Parameter isResumed: whether files of the right size are there from an earlier try.
    func copy(
        _ reader: any ArtifactReader, of what: String, to uri: String, isResumed: Bool
    ) async throws -> Bool {
        let listing = try await reader.list()
        for left in listing.leftOut { progress.fail(left.what, left.why) }
        let files = listing.files
        guard !files.isEmpty else { return listing.leftOut.isEmpty }
        guard let root = ArtifactURI.proxied(uri) else {
            throw SourceError("\(uri) is not kept by this server", isRefusal: true)
        }
        let there = isResumed ? try await sizes(below: root) : [:]
        var isWhole = listing.leftOut.isEmpty
        for file in files where there[ExactText(file.path)] != file.sizeBytes {
            do {
                try SafePath.require(file.path)
                try await put(file, from: reader, to: root)
            } catch  where TransferFault.isOfOne(error) {
                isWhole = false
                progress.fail("file '\(file.path)' of \(what)", TransferFault.words(of: error))
            }
        }
        return isWhole
    }

    private func put(
        _ file: ArtifactFile, from reader: any ArtifactReader, to root: String
    ) async throws {
        let fault = BodyFault()
        let body = SentBody(base: try await reader.open(file), fault: fault)
        _ = try await fault.sending {
            try await client.send(
                method: .put, path: Self.base + "/" + SafePath.encoded(root + "/" + file.path),
                body: .stream(body, length: .unknown), timeout: .seconds(3600))
        }
        progress.note {
            $0.files += 1
            $0.fileBytes += file.sizeBytes
        }
    }

    /// What an interrupted import has copied already.
    private func sizes(below root: String) async throws -> [ExactText: Int64] {
        var sizes: [ExactText: Int64] = [:]
        var folders = [""]
        while let folder = folders.popLast() {
            let path = folder.isEmpty ? root : root + "/" + folder
            let data = try await client.send(
                method: .get, path: Self.base, query: ["path": path])
            let reply = try JSONDecoder().decode(MLflowMessages.Files.self, from: data)
            for item in reply.files ?? [] {
                let full = folder.isEmpty ? item.path : folder + "/" + item.path
                if item.is_dir ?? false {
                    folders.append(full)
                } else {
                    sizes[ExactText(full)] = item.file_size ?? 0
                }
            }
        }
        return sizes
    }
}
