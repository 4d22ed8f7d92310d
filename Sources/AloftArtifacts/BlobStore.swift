package import AloftDomain
package import Foundation

/// Blobs in a folder by the SHA-256 of their bytes. A blob is there whole or not at all; storing it
/// again costs nothing. May be used by many at once, by one process at a time.
package struct BlobStore: Sendable {
    package struct Stored: Sendable, Equatable {
        package var digest: ContentDigest
        package var sizeBytes: Int64
    }

    private let root: String
    private let chance: Chance
    let exclusion = BlobGuard()
    let checked = CheckedBlobs()

    var incoming: String { root + "/incoming" }
    /// Files that no longer had their digest.
    var damaged: String { root + "/damaged" }

    /// Opens the store, creates its folders where there are none, and clears what an earlier process
    /// left half-written.
    package init(root: String, chance: Chance) throws {
        self.root = root
        self.chance = chance
        try FileManager.default.createDirectory(
            atPath: root, withIntermediateDirectories: true)
        let incoming = root + "/incoming"
        try FileDescriptors.createFolder(incoming)
        for name in try FileManager.default.contentsOfDirectory(atPath: incoming) {
            unlink(incoming + "/" + name)
        }
    }

    /// Where the blob's bytes are, whether it is there or not.
    package func path(of digest: ContentDigest) -> String {
        "\(folder(of: digest))/\(digest.hex)"
    }

    package func sizeBytes(of digest: ContentDigest) -> Int64? {
        var status = stat()
        guard stat(path(of: digest), &status) == 0 else { return nil }
        return Int64(status.st_size)
    }

    package func contains(_ digest: ContentDigest) -> Bool { sizeBytes(of: digest) != nil }

    /// A new blob to write; `keep` stores it.
    package func begin() throws -> IncomingFile {
        let name: Identifier<BlobStore> = chance.identifier()
        return try IncomingFile(path: "\(root)/incoming/\(name)")
    }

    /// Stores what was written, durably.
    ///
    /// - Parameter expected: the digest that the sender promised.
    /// - Throws: `ArtifactError.digestMismatch` if the bytes have another one; nothing is stored then.
    @discardableResult
    package func keep(_ file: IncomingFile, expected: ContentDigest? = nil) throws -> Stored {
        let digest = file.digest
        if let expected, expected != digest {
            file.abandon()
            throw ArtifactError.digestMismatch(expected: expected, actual: digest)
        }
        let stored = Stored(digest: digest, sizeBytes: file.sizeBytes)
        // What is there already may be damaged: then these bytes take its place.
        if try claimWhole(digest) != nil {
            file.abandon()
            return stored
        }
        let folder = folder(of: digest)
        try FileDescriptors.createFolder(folder)
        try file.land(at: path(of: digest))
        try FileDescriptors.syncFolder(folder)
        try FileDescriptors.syncFolder(root)
        checked.note(digest, at: path(of: digest))
        unlink(damagedPath(of: digest))
        return stored
    }

    /// Stores these bytes, durably.
    @discardableResult
    package func put(_ data: Data, expected: ContentDigest? = nil) throws -> Stored {
        let file = try begin()
        try data.withUnsafeBytes { try file.write($0) }
        return try keep(file, expected: expected)
    }

    /// The whole blob, checked against its digest.
    ///
    /// - Throws: `ArtifactError` if it is not there or its bytes are no longer what they were.
    package func data(of digest: ContentDigest) throws -> Data {
        try check(digest)
        guard let data = FileManager.default.contents(atPath: path(of: digest)) else {
            throw ArtifactError.blobNotFound(digest)
        }
        return data
    }

    /// Removes a blob that nothing refers to. Doing it again changes nothing.
    package func remove(_ digest: ContentDigest) { unlink(path(of: digest)) }

    /// Every blob there is.
    package func list() throws -> [Stored] {
        try FileManager.default.contentsOfDirectory(atPath: root).flatMap { prefix in
            guard prefix.count == 2 else { return [Stored]() }
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(prefix)")
            return names.compactMap { name in
                guard let digest = ContentDigest(hex: name) else { return nil }
                return Stored(digest: digest, sizeBytes: sizeBytes(of: digest) ?? 0)
            }
        }
    }

    private func folder(of digest: ContentDigest) -> String { "\(root)/\(digest.hex.prefix(2))" }
}
