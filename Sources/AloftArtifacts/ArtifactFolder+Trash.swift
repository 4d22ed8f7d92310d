package import AloftDomain
package import Foundation

/// One folder that a person deleted. It lies in `trash/ID`: the folder as `content`, and `place`, which
/// holds the path it had. The time of change of `trash/ID` is when it was deleted.
package struct DiscardedFolder: Sendable, Equatable {
    package var path: String
    package var bytes: Int64
}

extension ArtifactFolder {
    private static let place = "place"

    /// Removes a file; a folder goes to the trash, durably. Doing it again changes nothing.
    package func discard(
        _ path: ArtifactPath, id: Identifier<DiscardedFolder>, at now: Date
    ) throws {
        guard !path.components.isEmpty else { throw ArtifactError.invalidPath(path.text) }
        let location = location(of: path)
        var status = stat()
        guard lstat(location, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return try remove(path)
        }
        let folder = trash + "/" + id.rawValue
        guard mkdir(folder, 0o700) == 0 else { throw FileDescriptors.fail(folder) }
        let note = try begin()
        try Array(path.text.utf8).withUnsafeBytes { try note.write($0) }
        try note.land(at: folder + "/" + Self.place)
        guard rename(location, folder + "/content") == 0 else {
            let fault = FileDescriptors.fail(location)
            try? FileManager.default.removeItem(atPath: folder)
            throw fault
        }
        let parent = try ArtifactPath(components: Array(path.components.dropLast()))
        try FileDescriptors.syncFolder(self.location(of: parent))
        try FileDescriptors.syncFolder(folder)
        try FileDescriptors.syncFolder(trash)
        try FileManager.default.setAttributes([.modificationDate: now], ofItemAtPath: folder)
    }

    /// What was deleted at or before `moment`.
    package func discarded(before moment: Date) -> [DiscardedFolder] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: trash)) ?? []
        return names.sorted().compactMap { name in
            let path = trash + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0, status.modifiedAt <= moment else { return nil }
            return DiscardedFolder(path: path, bytes: size(at: path).bytes)
        }
    }
}

extension DiscardedFolder {
    /// Frees it. Doing it again changes nothing.
    package func remove() { try? FileManager.default.removeItem(atPath: path) }
}
