package import AloftDomain
import Foundation

/// One file that comes in parts. Its folder is `uploads/ID`: the parts by number, and `target`, which
/// holds the path. The folder's time of change is that of the last part, so that an upload which was
/// given up is known by its age. One that is complete leaves the folder with `complete` in it until
/// the next start, so that a client which asks twice hears the same.
package enum ArtifactUpload {}
package typealias ArtifactUploadID = Identifier<ArtifactUpload>

extension ArtifactFolder {
    /// One part as its sender knows it.
    package struct Part: Sendable, Equatable {
        /// From 1.
        package var number: Int
        /// As `keepPart` returned it.
        package var entityTag: String

        package init(number: Int, entityTag: String) {
            self.number = number
            self.entityTag = entityTag
        }
    }

    private static let target = "target"
    private static let complete = "complete"
    private static let chunkBytes = 1 << 20

    /// Begins an upload to `path`.
    package func beginUpload(to path: ArtifactPath, id: ArtifactUploadID) throws {
        guard !path.components.isEmpty else { throw ArtifactError.invalidPath(path.text) }
        let folder = uploads + "/" + id.rawValue
        guard mkdir(folder, 0o755) == 0 else { throw FileDescriptors.fail(folder) }
        let file = try begin()
        try Array(path.text.utf8).withUnsafeBytes { try file.write($0) }
        try file.land(at: folder + "/" + Self.target)
        try FileDescriptors.syncFolder(folder)
        try FileDescriptors.syncFolder(uploads)
    }

    /// Keeps one part, durably, over what was there under its number.
    ///
    /// - Returns: the part's entity tag.
    /// - Throws: `ArtifactError.uploadNotFound`.
    package func keepPart(
        _ file: IncomingFile, number: Int, of id: ArtifactUploadID
    ) throws -> String {
        let folder = try folder(of: id)
        let digest = file.digest
        try file.land(at: folder + "/\(number)-\(digest.hex)")
        try FileDescriptors.syncFolder(folder)
        return digest.hex
    }

    /// Puts the parts together at `path`, which must be that of the upload. Doing it again changes
    /// nothing.
    ///
    /// - Throws: `ArtifactError` if a part is missing, or the upload is another's.
    package func completeUpload(
        _ id: ArtifactUploadID, to path: ArtifactPath, parts: [Part]
    ) throws {
        let folder = try folder(of: id)
        guard try target(in: folder).isSame(as: path.text) else {
            throw ArtifactError.uploadNotFound(id.rawValue)
        }
        if FileManager.default.fileExists(atPath: folder + "/" + Self.complete) { return }
        guard parts.map(\.number) == Array(1..<parts.count + 1), !parts.isEmpty else {
            throw ArtifactError.partMissing(id.rawValue, number: parts.count + 1)
        }
        let whole = try begin()
        for part in parts {
            // The name is put together from a number and a checked digest.
            guard let digest = ContentDigest(hex: part.entityTag),
                let reader = try? FileReader(path: folder + "/\(part.number)-\(digest)")
            else {
                whole.abandon()
                throw ArtifactError.partMissing(id.rawValue, number: part.number)
            }
            try append(reader, to: whole)
        }
        try keep(whole, at: path)
        try markComplete(folder)
    }

    private func append(_ reader: FileReader, to file: IncomingFile) throws {
        var offset: Int64 = 0
        while case let data = try reader.read(at: offset, count: Self.chunkBytes), !data.isEmpty {
            try data.withUnsafeBytes { try file.write($0) }
            offset += Int64(data.count)
        }
    }

    private func markComplete(_ folder: String) throws {
        try begin().land(at: folder + "/" + Self.complete)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name != Self.complete && name != Self.target {
            unlink(folder + "/" + name)
        }
    }

    /// Where an upload goes.
    ///
    /// - Throws: `ArtifactError.uploadNotFound`.
    package func uploadTarget(_ id: ArtifactUploadID) throws -> ArtifactPath {
        try ArtifactPath(try target(in: try folder(of: id)))
    }

    /// Drops an upload and its parts. Doing it again changes nothing.
    package func abortUpload(_ id: ArtifactUploadID) throws {
        guard let folder = try? folder(of: id) else { return }
        try FileManager.default.removeItem(atPath: folder)
    }

    /// Removes what complete uploads have left.
    func clearCompleteUploads() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: uploads) {
            let folder = uploads + "/" + name
            if FileManager.default.fileExists(atPath: folder + "/" + Self.complete) {
                try FileManager.default.removeItem(atPath: folder)
            }
        }
    }

    /// - Throws: `ArtifactError.uploadNotFound` unless `id` is one that we gave, and is still there.
    private func folder(of id: ArtifactUploadID) throws -> String {
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) || (97...102).contains(byte) }
        let folder = uploads + "/" + id.rawValue
        guard id.rawValue.utf8.count == 32, id.rawValue.utf8.allSatisfy(isDigit),
            FileManager.default.fileExists(atPath: folder)
        else { throw ArtifactError.uploadNotFound(id.rawValue) }
        return folder
    }

    private func target(in folder: String) throws -> String {
        try String(contentsOfFile: folder + "/" + Self.target, encoding: .utf8)
    }
}
