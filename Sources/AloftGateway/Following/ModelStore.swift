import AloftClient
import AloftDomain
import AloftWire
import Crypto
import Foundation

/// The gateway's models on disk, by digest. A model is there whole or not at all.
struct ModelStore: Sendable {
    private let folder: String
    private let client: ServerClient?
    /// A version that is live twice is fetched once.
    private let fetches = SharedWork<String>()

    /// - Parameter client: where missing models come from; `nil` for none.
    init(folder: String, client: ServerClient?) throws {
        self.folder = folder
        self.client = client
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    /// A folder that holds nothing but this model, so that a file which names others finds none.
    func place(of digest: ContentDigest) -> String { folder + "/" + digest.hex }

    /// The path of the model's file, fetched if it is not there yet and checked in any case.
    ///
    /// - Throws: `ModelFetchError`.
    func path(of servable: ServableReference) async throws -> String {
        let name = servable.manifest.runtime == .onnx ? "model.onnx" : "model.tar"
        let path = place(of: servable.digest) + "/" + name
        try await fetches.once(for: path) {
            if FileManager.default.fileExists(atPath: path) {
                if try Self.digest(ofFile: path) == servable.digest { return }
                // Damaged on disk: fetched anew below.
                unlink(path)
            }
            try await fetch(servable, to: path)
        }
        return path
    }

    private func fetch(_ servable: ServableReference, to path: String) async throws {
        guard let client else {
            throw ModelFetchError.unavailable(
                digest: servable.digest, reason: "there is no server to fetch it from")
        }
        try FileManager.default.createDirectory(
            atPath: place(of: servable.digest), withIntermediateDirectories: true)
        Self.removeRemains(in: place(of: servable.digest))
        // A gateway that takes this one's place may fetch into the same folder meanwhile.
        let temporary = "\(path).part-\(getpid())"
        guard FileManager.default.createFile(atPath: temporary, contents: nil),
            let file = FileHandle(forWritingAtPath: temporary)
        else { throw ModelFetchError.unwritable(path: temporary) }
        defer {
            try? file.close()
            unlink(temporary)
        }
        var hash = SHA256()
        do {
            try await client.download(
                path: GetBlob.path, parameters: ["digest": servable.digest.hex]
            ) { data in
                hash.update(data: data)
                try file.write(contentsOf: data)
            }
        } catch let error as CocoaError {
            throw ModelFetchError.unwritable(path: "\(temporary): \(error.localizedDescription)")
        }
        guard ContentDigest(bytes: hash.finalize()) == servable.digest else {
            throw ModelFetchError.unavailable(
                digest: servable.digest, reason: "what came has another digest")
        }
        try file.synchronize()
        guard rename(temporary, path) == 0 else { throw ModelFetchError.unwritable(path: path) }
        DiskSync.folder(place(of: servable.digest))
    }

    /// Removes what processes that are no more had begun to fetch or to unpack.
    static func removeRemains(in folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            // text: names that this file makes.
            guard let mark = name.range(of: ".part") else { continue }
            // traps: a text is parsed, to nil where it is no number
            let process = Int32(name[mark.upperBound...].dropFirst())
            if let process, process != getpid(), kill(process, 0) == 0 { continue }
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }

    private static func digest(ofFile path: String) throws -> ContentDigest {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw ModelFetchError.unwritable(path: path)
        }
        defer { try? file.close() }
        var hash = SHA256()
        while let data = try file.read(upToCount: 1 << 20), !data.isEmpty {
            hash.update(data: data)
        }
        return ContentDigest(bytes: hash.finalize())
    }

    /// Removes models that nothing of `kept` names.
    func removeAll(except kept: Set<ContentDigest>) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            guard let digest = ContentDigest(hex: name), !kept.contains(digest) else { continue }
            try? FileManager.default.removeItem(atPath: folder + "/" + name)
        }
    }
}

enum ModelFetchError: Error, Equatable, Sendable {
    case unavailable(digest: ContentDigest, reason: String)
    case unwritable(path: String)

    var message: String {
        switch self {
        case .unavailable(let digest, let reason):
            "model \(digest.hex.prefix(12)) is not on this gateway, and \(reason)"
        case .unwritable(let path): "cannot read or write \(path)"
        }
    }
}

enum DiskSync {
    /// Makes names in a folder durable.
    static func folder(_ path: String) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    /// Writes a file beside its target, syncs it and renames it over.
    static func write(_ data: Data, to path: String) throws {
        let temporary = path + ".part"
        guard FileManager.default.createFile(atPath: temporary, contents: data) else {
            throw ModelFetchError.unwritable(path: temporary)
        }
        if let file = FileHandle(forUpdatingAtPath: temporary) {
            try file.synchronize()
            try file.close()
        }
        guard rename(temporary, path) == 0 else { throw ModelFetchError.unwritable(path: path) }
        folder(URL(fileURLWithPath: path).deletingLastPathComponent().path)
    }
}
