package import Foundation

/// What a file or a folder with all in it takes.
package struct FolderSize: Sendable, Equatable {
    package var files = 0
    package var bytes: Int64 = 0
    /// When anything in it changed last.
    package var newest = Date.distantPast

    package init() {}
}

/// A file of an upload that did not end, or a folder with parts of one.
package struct AbandonedUpload: Sendable, Equatable {
    package var path: String
    package var bytes: Int64
}

// For freeing space.
extension ArtifactFolder {
    /// What is at `path`, with all in it. Nothing if there is nothing.
    package func size(of path: ArtifactPath) -> FolderSize { size(at: location(of: path)) }

    func size(at place: String) -> FolderSize {
        var size = FolderSize()
        var open = [place]
        while let next = open.popLast() {
            var status = stat()
            guard lstat(next, &status) == 0 else { continue }
            size.newest = max(size.newest, status.modifiedAt)
            if status.st_mode & S_IFMT == S_IFDIR {
                let names = (try? FileManager.default.contentsOfDirectory(atPath: next)) ?? []
                open += names.map { next + "/" + $0 }
            } else {
                size.files += 1
                size.bytes += Int64(status.st_size)
            }
        }
        return size
    }

    /// Removes `path` with all in it, durably; of `…/ID/artifacts` also `ID` if it is empty then.
    /// Doing it again changes nothing.
    package func removeWithEmptyParent(_ path: ArtifactPath) throws {
        try remove(path)
        let parts = path.components
        let parent = location(of: try ArtifactPath(components: Array(parts.dropLast())))
        // One level only: what is higher up is shared with uploads that are under way.
        let isOwn = parts.count > 2 && parts.last == "artifacts"
        let above = location(of: try ArtifactPath(components: Array(parts.dropLast(2))))
        if isOwn, rmdir(parent) == 0 { return try FileDescriptors.syncFolder(above) }
        if FileManager.default.fileExists(atPath: parent) { try FileDescriptors.syncFolder(parent) }
    }

    /// What was sent in part, and not gone on with since `moment`.
    package func abandonedUploads(before moment: Date) -> [AbandonedUpload] {
        AbandonedUpload.list(in: incoming, before: moment)
            + AbandonedUpload.list(in: uploads, before: moment)
    }
}

extension AbandonedUpload {
    static func list(in folder: String, before moment: Date) -> [AbandonedUpload] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().compactMap { name in
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0, status.modifiedAt <= moment else { return nil }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                return AbandonedUpload(path: path, bytes: Int64(status.st_size))
            }
            // An upload in parts: its folder changes with each part.
            let parts = AbandonedUpload.list(in: path, before: .distantFuture)
            return AbandonedUpload(path: path, bytes: parts.reduce(0) { $0 + $1.bytes })
        }
    }

    /// Removes it if nothing was added since `moment`.
    package func remove(before moment: Date) {
        var status = stat()
        guard lstat(path, &status) == 0, status.modifiedAt <= moment else { return }
        try? FileManager.default.removeItem(atPath: path)
    }
}

extension stat {
    var modifiedAt: Date {
        Date(
            timeIntervalSince1970: Double(st_mtim.tv_sec) + Double(st_mtim.tv_nsec) / 1_000_000_000)
    }
}
