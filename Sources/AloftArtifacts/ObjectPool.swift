package import AloftDomain
import Crypto
import Foundation

/// Files of a backup by SHA-256, `objects/ab/<digest>`. An object is there whole or not at all. For one
/// user at a time.
package struct ObjectPool {
    package struct Object: Sendable, Equatable {
        package var digest: ContentDigest
        package var sizeBytes: Int64

        package init(digest: ContentDigest, sizeBytes: Int64) {
            self.digest = digest
            self.sizeBytes = sizeBytes
        }
    }

    private let root: String
    private var incoming: String { root + "/incoming" }
    // text: folders named by digests
    private var touched: Set<String> = []
    private static let partBytes = 1 << 20

    /// Opens the pool, creates it where there is none, and clears what was left half-written.
    package init(root: String) throws {
        self.root = root
        try FileManager.default.createDirectory(
            atPath: root + "/incoming", withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        for name in try FileManager.default.contentsOfDirectory(atPath: incoming) {
            unlink(incoming + "/" + name)
        }
    }

    /// Opens a pool that is only read, perhaps while another process adds to it.
    package init(reading root: String) { self.root = root }

    package func path(of digest: ContentDigest) -> String {
        "\(root)/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    /// Whether there is an object of that digest and size; its bytes are not read.
    package func holds(_ object: Object) -> Bool {
        var status = stat()
        guard stat(path(of: object.digest), &status) == 0 else { return false }
        return Int64(status.st_size) == object.sizeBytes
    }

    /// A place beside the objects for a file that is made there; `take` moves it in.
    package func workPlace(_ name: String) -> String { incoming + "/" + name }

    /// Copies a file in.
    ///
    /// - Throws: `ArtifactError.notFound` if there is none any more.
    package mutating func copy(_ path: String) throws -> Object {
        // What a job writes could have become a link meanwhile.
        let reader = try FileReader(path: path, isFollowing: false)
        let beside = workPlace("copy")
        unlink(beside)
        let file = try IncomingFile(path: beside)
        var offset: Int64 = 0
        do {
            while case let data = try reader.read(at: offset, count: Self.partBytes), !data.isEmpty
            {
                try data.withUnsafeBytes { try file.write($0) }
                offset += Int64(data.count)
            }
            return try keep(file)
        } catch {
            file.abandon()
            throw error
        }
    }

    private mutating func keep(_ file: IncomingFile) throws -> Object {
        let object = Object(digest: file.digest, sizeBytes: file.sizeBytes)
        guard !holds(object) else {
            file.abandon()
            return object
        }
        let folder = root + "/" + object.digest.hex.prefix(2)
        try FileDescriptors.createFolder(folder)
        try file.land(at: path(of: object.digest))
        touched.insert(folder)
        return object
    }

    /// Makes the names of what was copied durable; the bytes are.
    package mutating func settle() throws {
        for folder in touched { try FileDescriptors.syncFolder(folder) }
        try FileDescriptors.syncFolder(root)
        touched = []
    }

    /// Copies an object out to `target`, which is made, and compares its bytes with its digest; without
    /// a target it only compares. Not synced.
    ///
    /// - Returns: what is wrong with it; `nil` if it is whole.
    package func copyOut(_ object: Object, to target: String?, mode: UInt32 = 0o600) throws
        -> String?
    {
        // Whoever made the backup's folder may have put a link or a device there.
        let kind = try? FileManager.default.attributesOfItem(atPath: path(of: object.digest))[.type]
        guard kind as? FileAttributeType == .typeRegular,
            let reader = try? FileReader(path: path(of: object.digest))
        else { return "is missing" }
        var descriptor: Int32 = -1
        if let target {
            descriptor = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
            guard descriptor >= 0 else { throw FileDescriptors.fail(target) }
        }
        defer { if descriptor >= 0 { close(descriptor) } }
        var hash = SHA256()
        var offset: Int64 = 0
        while true {
            guard let data = try? reader.read(at: offset, count: Self.partBytes) else {
                return "cannot be read"
            }
            if data.isEmpty { break }
            hash.update(data: data)
            if let target {
                try data.withUnsafeBytes {
                    try FileDescriptors.write($0, to: descriptor, path: target)
                }
            }
            offset += Int64(data.count)
            guard offset <= object.sizeBytes else { return "is damaged: it is longer than it was" }
        }
        return ContentDigest(bytes: hash.finalize()) == object.digest
            ? nil : "is damaged: its bytes have another digest"
    }

    package func remove(_ digest: ContentDigest) { unlink(path(of: digest)) }

    /// Puts a damaged object into the folder `damaged`, so that the next backup copies it anew.
    package func setAside(_ digest: ContentDigest) {
        mkdir(root + "/damaged", 0o700)
        rename(path(of: digest), root + "/damaged/" + digest.hex)
    }

    /// Every object there is.
    package func list() throws -> [ContentDigest] {
        try FileManager.default.contentsOfDirectory(atPath: root).flatMap { prefix in
            guard prefix.utf8.count == 2 else { return [ContentDigest]() }
            return try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(prefix)")
                .compactMap { ContentDigest(hex: $0) }
        }
    }
}
