import AloftArtifacts
import AloftCompute
import AloftDomain
import Foundation

/// Checks a generation of a backup, and restores one.
package struct BackupReader {
    package struct Result: Codable, Sendable, Equatable {
        package var generation: String
        package var madeAt: String
        package var files: Int
        package var bytes: Int64
        package var position: Int64
        package var faults: [BackupManifest.Fault]
    }

    private let folder: BackupFolder
    private let progress: (BackupProgress) throws -> Void

    private var files: FileManager { .default }
    private static let database = "aloft.db"
    private static let mark = "aloft-restore.part"

    package init(
        folder: BackupFolder, progress: @escaping (BackupProgress) throws -> Void
    ) {
        self.folder = folder
        self.progress = progress
    }

    /// Reads every file of a generation. A damaged one is put aside, so that the next backup copies it
    /// anew, if it still can.
    ///
    /// - Throws: `BackupError`.
    package func verify(_ name: String?) throws -> Result {
        let lock = try folder.lock()
        defer { lock.release() }
        let (name, manifest) = try folder.read(name)
        let pool = try ObjectPool(root: folder.objects)
        let faults = try readAll(name, manifest, .checking) { _, object in
            let fault = try pool.copyOut(object, to: nil)
            if fault != nil { pool.setAside(object.digest) }
            return fault
        }
        return result(name, manifest, faults)
    }

    /// Makes a data folder of a generation: whole, or not at all.
    ///
    /// - Parameter isPartial: what is missing or damaged is left out; without it nothing is restored
    ///   then.
    /// - Throws: `BackupError`.
    package func restore(_ name: String?, to target: String, isPartial: Bool) throws -> Result {
        let (name, manifest) = try folder.read(name)
        try refuseLink(target)
        guard try isFree(target) else { throw BackupError.targetNotEmpty(path: target) }
        guard manifest.files.contains(where: { $0.path == Self.database }) else {
            throw BackupError.manifestDamaged(path: folder.manifestPath(name))
        }
        let staging = target + ".restoring"
        try makeStaging(staging)
        let pool = ObjectPool(reading: folder.objects)
        let faults = try readAll(name, manifest, .restoring) { file, object in
            let place = staging + "/" + file.path
            try makeFolder((place as NSString).deletingLastPathComponent)
            let fault = try pool.copyOut(object, to: place, mode: file.mode)
            if fault != nil { unlink(place) }
            return fault
        }
        let hasDatabase = !faults.contains { $0.path == Self.database }
        guard faults.isEmpty || (isPartial && hasDatabase) else {
            try? files.removeItem(atPath: staging)
            throw BackupError.incomplete(generation: name, faults: faults)
        }
        unlink(staging + "/" + Self.mark)
        FileSystem.sync(containing: staging)
        rmdir(target)
        guard rename(staging, target) == 0 else {
            throw BackupError.targetUnusable(
                path: target, reason: String(cString: strerror(errno)))
        }
        FileSystem.sync(containing: target)
        return result(name, manifest, faults)
    }

    private func readAll(
        _ name: String, _ manifest: BackupManifest, _ step: BackupProgress.Step,
        _ read: (BackupManifest.File, ObjectPool.Object) throws -> String?
    ) throws -> [BackupManifest.Fault] {
        var faults: [BackupManifest.Fault] = []
        var bytes: Int64 = 0
        for (number, file) in manifest.files.enumerated() {
            if number % 64 == 0 {
                try progress(
                    BackupProgress(
                        step: step, done: number, all: manifest.files.count, bytes: bytes))
            }
            let object = try file.object(in: folder.manifestPath(name))
            if let reason = try read(file, object) {
                faults.append(.init(path: file.path, reason: reason))
            }
            bytes += file.bytes
        }
        let count = manifest.files.count
        try progress(BackupProgress(step: step, done: count, all: count, bytes: bytes))
        return faults
    }

    private func result(
        _ name: String, _ manifest: BackupManifest, _ faults: [BackupManifest.Fault]
    ) -> Result {
        Result(
            generation: name, madeAt: manifest.head.madeAt, files: manifest.files.count,
            bytes: manifest.bytes, position: manifest.head.position,
            faults: manifest.faults + faults)
    }

    /// A link there may be somebody else's: what is restored would land where it leads, or what is there be
    /// removed.
    private func refuseLink(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK else { return }
        throw BackupError.targetUnusable(
            path: path, reason: "it is a link; remove it, or name the folder that it leads to")
    }

    private func isFree(_ target: String) throws -> Bool {
        guard files.fileExists(atPath: target) else { return true }
        return try files.contentsOfDirectory(atPath: target).isEmpty
    }

    /// An empty folder beside the target; what a restore left that was stopped goes.
    private func makeStaging(_ path: String) throws {
        try refuseLink(path)
        if files.fileExists(atPath: path) {
            guard files.fileExists(atPath: path + "/" + Self.mark) else {
                throw BackupError.targetNotEmpty(path: path)
            }
            try files.removeItem(atPath: path)
        }
        try makeFolder((path as NSString).deletingLastPathComponent)
        // Made here and now, or not used.
        guard mkdir(path, 0o700) == 0 else {
            throw BackupError.targetUnusable(path: path, reason: String(cString: strerror(errno)))
        }
        guard files.createFile(atPath: path + "/" + Self.mark, contents: nil) else {
            throw BackupError.targetUnusable(path: path, reason: "no file can be made in it")
        }
    }

    private func makeFolder(_ path: String) throws {
        do {
            try files.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw BackupError.targetUnusable(path: path, reason: error.localizedDescription)
        }
    }
}
