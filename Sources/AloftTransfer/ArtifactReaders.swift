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

    func list() async throws -> [ArtifactFile] {
        var files: [ArtifactFile] = []
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
                    throw SourceError(
                        "file '\(full.prefix(200))' has no safe name", isRefusal: true)
                }
                if item.is_dir ?? false {
                    folders.append(safe)
                } else {
                    files.append(ArtifactFile(path: safe, sizeBytes: item.file_size ?? 0))
                }
            }
        }
        return files.sorted { $0.path < $1.path }
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

/// Files in a folder of this machine.
struct FolderReader: ArtifactReader {
    let root: String

    func list() async throws -> [ArtifactFile] {
        var files: [ArtifactFile] = []
        var folders = [""]
        while let folder = folders.popLast() {
            let path = folder.isEmpty ? root : root + "/" + folder
            guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
                continue
            }
            for name in names {
                let full = folder.isEmpty ? name : folder + "/" + name
                var status = stat()
                guard lstat(root + "/" + full, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    folders.append(full)
                    continue
                }
                // A link to a folder is not followed: it may lead round in a ring.
                guard stat(root + "/" + full, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFREG {
                    guard let safe = SafePath.checked(full) else {
                        throw SourceError("\(path)/\(name): its name cannot be kept")
                    }
                    files.append(ArtifactFile(path: safe, sizeBytes: Int64(status.st_size)))
                }
            }
        }
        return files.sorted { $0.path < $1.path }
    }

    func open(_ file: ArtifactFile) async throws -> ArtifactBody {
        let path = root + "/" + file.path
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw SourceError("\(path) cannot be read")
        }
        let file = OpenFile(handle)
        return ArtifactBody { try file.next() }
    }

    private final class OpenFile: Sendable {
        private let handle: FileHandle

        init(_ handle: FileHandle) { self.handle = handle }

        deinit { try? handle.close() }

        func next() throws -> ByteBuffer? {
            guard let data = try handle.read(upToCount: 1 << 20), !data.isEmpty else { return nil }
            return ByteBuffer(bytes: data)
        }
    }
}

/// Finds the folders that artifact URIs of a tracker name on this machine.
struct LocalPlaces: Sendable {
    /// What relative paths start from: the folder of the database file.
    let base: String?
    /// Where the user says the artifacts are.
    let artifacts: String?

    func place(of uri: String) -> ArtifactPlace {
        if let path = ArtifactURI.proxied(uri) {
            guard let root = artifacts ?? base.map({ $0 + "/mlartifacts" }) else {
                return .unreachable("no folder holds \(uri)")
            }
            return folder(root + "/" + path, of: uri)
        }
        guard let local = ArtifactURI.local(uri) else { return .elsewhere(uri) }
        let absolute = local.begins(with: "/") ? local : (base ?? ".") + "/" + local
        if exists(absolute) { return .here(FolderReader(root: absolute)) }
        // The tracker ran elsewhere: its folders end alike, …/EXPERIMENT/RUN/artifacts.
        if let artifacts {
            let parts = local.pieces(at: "/")
            for count in [3, 4] where parts.count >= count {
                let moved = artifacts + "/" + parts.suffix(count).joined(separator: "/")
                if exists(moved) { return .here(FolderReader(root: moved)) }
            }
        }
        return folder(absolute, of: uri)
    }

    /// A run that logged no file has no folder, but some folder above it is there.
    private func folder(_ path: String, of uri: String) -> ArtifactPlace {
        var above = path
        for _ in 0..<4 {
            if exists(above) { return .here(FolderReader(root: path)) }
            above = URL(fileURLWithPath: above).deletingLastPathComponent().path
        }
        return .unreachable("\(path) is not on this machine; name its folder with --artifacts")
    }

    private func exists(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
