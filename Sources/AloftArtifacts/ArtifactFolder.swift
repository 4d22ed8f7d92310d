package import AloftDomain
package import Foundation

/// Artifacts of the tracking protocol: files by path in one folder. Each is there whole or not at
/// all. May be used by many at once, by one process at a time.
package struct ArtifactFolder: Sendable {
    /// One entry of a folder.
    package struct Entry: Sendable, Equatable {
        /// The last component.
        package var name: String
        package var isFolder: Bool
        package var sizeBytes: Int64
    }

    /// A file to read from.
    package struct File: Sendable, Equatable {
        package var path: String
        package var sizeBytes: Int64
        package var modifiedAt: Date
        /// Changes with the file's content.
        package var entityTag: String
    }

    private let root: String
    private let chance: Chance

    /// Opens the folder, creates it where there is none, and clears what an earlier process left
    /// half-written.
    package init(root: String, chance: Chance) throws {
        self.root = root + "/files"
        self.chance = chance
        incoming = root + "/incoming"
        uploads = root + "/uploads"
        trash = root + "/trash"
        for folder in [self.root, incoming, uploads, trash] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
        }
        for name in try FileManager.default.contentsOfDirectory(atPath: incoming) {
            unlink(incoming + "/" + name)
        }
        try clearCompleteUploads()
    }

    let incoming: String
    /// Files that come in parts, a folder each.
    let uploads: String
    /// Folders that people deleted.
    let trash: String

    /// Where the file or folder is, whether it is there or not.
    package func location(of path: ArtifactPath) -> String {
        path.components.isEmpty ? root : root + "/" + path.text
    }

    /// Whether a file has the path.
    package func holds(_ path: ArtifactPath) -> Bool {
        var status = stat()
        return lstat(location(of: path), &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    /// A new file to write; `keep` puts it in its place.
    package func begin() throws -> IncomingFile {
        let name: Identifier<ArtifactFolder> = chance.identifier()
        return try IncomingFile(path: incoming + "/" + name.rawValue)
    }

    /// Puts what was written at `path`, durably, over what was there.
    ///
    /// - Throws: `ArtifactError.inTheWay` if a folder has the path, or a file stands where it needs
    ///   a folder.
    package func keep(_ file: IncomingFile, at path: ArtifactPath) throws {
        guard !path.components.isEmpty else { throw ArtifactError.invalidPath(path.text) }
        var folder = root
        var created: [String] = []
        for component in path.components.dropLast() {
            let parent = folder
            folder += "/" + component
            if mkdir(folder, 0o755) == 0 {
                created.append(parent)
            } else if errno == ENOTDIR || (errno == EEXIST && !Self.isFolder(folder)) {
                throw ArtifactError.inTheWay(path.text)
            } else if errno != EEXIST {
                throw FileDescriptors.fail(folder)
            }
        }
        let target = location(of: path)
        guard !Self.isFolder(target) else { throw ArtifactError.inTheWay(path.text) }
        try file.land(at: target)
        for parent in created { try FileDescriptors.syncFolder(parent) }
        try FileDescriptors.syncFolder(folder)
    }

    /// - Throws: `ArtifactError` if there is no such file.
    package func file(at path: ArtifactPath) throws -> File {
        let location = location(of: path)
        var status = stat()
        guard stat(location, &status) == 0 else { throw ArtifactError.notFound(path.text) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ArtifactError.isFolder(path.text) }
        let nanoseconds =
            Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        return File(
            path: location, sizeBytes: Int64(status.st_size),
            modifiedAt: Date(timeIntervalSince1970: Double(status.st_mtim.tv_sec)),
            entityTag: String(nanoseconds, radix: 16) + "-" + String(status.st_size, radix: 16)
                + "-" + String(status.st_ino, radix: 16))
    }

    /// What is in a folder, by name. Empty if there is no such folder.
    package func list(_ path: ArtifactPath) throws -> [Entry] {
        let folder = location(of: path)
        guard Self.isFolder(folder) else { return [] }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        return names.sorted().compactMap { name in
            var status = stat()
            guard stat(folder + "/" + name, &status) == 0 else { return nil }
            return Entry(
                name: name, isFolder: status.st_mode & S_IFMT == S_IFDIR,
                sizeBytes: Int64(status.st_size))
        }
    }

    /// Removes a file or a folder with all in it. Doing it again changes nothing.
    package func remove(_ path: ArtifactPath) throws {
        guard !path.components.isEmpty else { throw ArtifactError.invalidPath(path.text) }
        let location = location(of: path)
        guard FileManager.default.fileExists(atPath: location) else { return }
        try FileManager.default.removeItem(atPath: location)
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
