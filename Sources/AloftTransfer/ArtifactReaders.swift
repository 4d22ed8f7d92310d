import AloftDomain
import AsyncHTTPClient
import Foundation
import NIOCore

enum ArtifactURI {
    /// The path in `mlflow-artifacts:/path` or `mlflow-artifacts://host/path`.
    static func proxied(_ uri: String) -> String? {
        guard let rest = uri.rest(after: "mlflow-artifacts:") else { return nil }
        return String(path(afterHost: rest).dropping("/"))
    }

    /// The path of this machine that a URI names, if it names one.
    static func local(_ uri: String) -> String? {
        if let rest = uri.rest(after: "file:") {
            let path = path(afterHost: rest)
            return String(path).removingPercentEncoding ?? String(path)
        }
        return uri.holds(":") ? nil : uri
    }

    /// `/path` of `//host/path`.
    private static func path(afterHost text: Substring) -> Substring {
        guard let named = text.rest(after: "//") else { return text }
        return Substring(named.unicodeScalars.drop { $0 != "/" })
    }
}

/// Files behind a tracking server's artifact proxy.
struct ProxyReader: ArtifactReader {
    let connection: SourceConnection
    /// The folder's path within the proxy.
    let root: String

    private static let base = "/api/2.0/mlflow-artifacts/artifacts"

    func list() async throws -> ArtifactListing {
        var listing = ArtifactListing(files: [])
        var folders = [""]
        while let folder = folders.popLast() {
            let path = folder.isEmpty ? root : root + "/" + folder
            let reply: MLflowMessages.Files = try await connection.get(
                Self.base, [("path", path)])
            for item in reply.files ?? [] {
                // Names are relative to the folder; some servers answer them from the root.
                let name = item.path.pieces(at: "/").last.map(String.init) ?? item.path
                let full = folder.isEmpty ? name : folder + "/" + name
                guard let safe = SafePath.checked(full) else {
                    listing.leftOut.append(LeftOut(path + "/" + name, "its name cannot be kept"))
                    continue
                }
                if item.is_dir ?? false {
                    folders.append(safe)
                } else {
                    listing.files.append(ArtifactFile(path: safe, sizeBytes: item.file_size ?? 0))
                }
            }
        }
        listing.files.sort { $0.path < $1.path }
        return listing
    }

    func open(_ file: ArtifactFile) async throws -> ArtifactBody {
        let body = try await connection.download(
            Self.base + "/" + SafePath.encoded(root + "/" + file.path))
        let box = IteratorBox(body.makeAsyncIterator())
        return ArtifactBody { try await box.next() }
    }

    /// The iterator of one body; its stream asks for one part at a time.
    private final class IteratorBox<Base: AsyncIteratorProtocol>: @unchecked Sendable
    where Base.Element == ByteBuffer {
        // Guarded by its stream, which never asks for a part before it had the last.
        private var base: Base

        init(_ base: Base) { self.base = base }

        func next() async throws -> ByteBuffer? { try await base.next() }
    }
}
