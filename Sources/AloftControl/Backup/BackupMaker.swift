import AloftArtifacts
import AloftCompute
package import AloftDomain
import AloftStore
import Foundation

/// How far a backup, a check or a restore is.
package struct BackupProgress: Sendable, Equatable {
    package enum Step: String, Sendable { case database, files, checking, restoring }
    package var step: Step
    package var done: Int
    package var all: Int
    /// Bytes that were read.
    package var bytes: Int64 = 0
}

/// Makes one generation of a backup, while a server may run: first a copy of the database as of one
/// moment, then the files that it names and all beside them, the manifest last. Stopped anywhere it
/// leaves earlier generations as they were, and the next one goes on with what was copied.
package struct BackupMaker {
    package struct Result: Codable, Sendable, Equatable {
        package var generation: String
        package var files: Int
        package var bytes: Int64
        /// Of these, read and written this time.
        package var copiedFiles: Int
        package var copiedBytes: Int64
        package var position: Int64
        package var faults: [BackupManifest.Fault]
        package var prunedGenerations: Int
    }

    private let data: String
    private let folder: BackupFolder
    private let program: String
    private let time: TimeSource
    private let progress: (BackupProgress) throws -> Void

    /// - Parameters:
    ///   - data: the data folder.
    ///   - program: the version, for the manifest.
    ///   - progress: called now and then; what it throws ends the backup.
    package init(
        data: String, folder: BackupFolder, program: String, time: TimeSource,
        progress: @escaping (BackupProgress) throws -> Void
    ) {
        self.data = data
        self.folder = folder
        self.program = program
        self.time = time
        self.progress = progress
    }

    /// - Parameter count: how many generations are kept; all if not given.
    /// - Throws: `BackupError`; `StoreDamage` where the database is not the one that was served.
    package func make(keeping count: Int? = nil) throws -> Result {
        guard DataFolder.holdsDatabase(path: data) else { throw BackupError.noData(path: data) }
        let lock = try folder.lock()
        defer { lock.release() }
        // Nothing is freed while it is copied.
        let lockPath = DataFolder.backupLockPath(in: data)
        guard let freeing = try FileLock(tryingAt: lockPath) else {
            throw BackupError.inUse(path: data)
        }
        defer { freeing.release() }
        if let damage = try StoreInspection(folder: data, checkTime: .zero).run().damage {
            throw damage
        }
        var work = BackupWork(
            pool: try ObjectPool(root: folder.objects),
            before: (try? folder.read())?.manifest.files ?? [])
        let now = time.now()
        let snapshot = try takeDatabase(&work)
        try takeFiles(&work)
        try work.pool.settle()
        var manifest = BackupManifest(
            head: .init(
                madeAt: now.formatted(.iso8601), program: program, identity: snapshot.identity,
                position: snapshot.position, schema: snapshot.schema))
        manifest.files = work.files
        manifest.faults = work.faults
        let name = try folder.write(manifest, at: now)
        let pruned = try count.map { try folder.prune(keeping: $0, in: work.pool) }
        return Result(
            generation: name, files: work.files.count, bytes: manifest.bytes,
            copiedFiles: work.copiedFiles, copiedBytes: work.copiedBytes,
            position: snapshot.position, faults: work.faults,
            prunedGenerations: pruned?.generations ?? 0)
    }

    private func takeDatabase(_ work: inout BackupWork) throws -> StoreSnapshot {
        let source = DataFolder.databasePath(in: data)
        let copy = work.pool.workPlace("database")
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(copy + suffix) }
        let snapshot = try StoreSnapshot.copy(from: source, to: copy) { done, all in
            try progress(BackupProgress(step: .database, done: done, all: all))
        }
        guard snapshot.faults.isEmpty else {
            throw BackupError.databaseDamaged(path: source, faults: snapshot.faults)
        }
        try work.take(copy, as: "aloft.db")
        unlink(copy)
        return snapshot
    }

    private func takeFiles(_ work: inout BackupWork) throws {
        let found = BackupSources(data: data).list()
        for (number, path) in found.enumerated() {
            if number % 64 == 0 {
                try progress(
                    BackupProgress(
                        step: .files, done: number, all: found.count, bytes: work.copiedBytes))
            }
            do {
                try work.take(data + "/" + path, as: path)
            } catch ArtifactError.notFound {
                // Somebody deleted it meanwhile, or it may not be read.
                guard access(data + "/" + path, F_OK) == 0 else { continue }
                work.faults.append(.init(path: path, reason: "may not be read"))
            } catch ArtifactError.diskFull {
                throw ArtifactError.diskFull
            } catch {
                work.faults.append(.init(path: path, reason: "cannot be read: \(error)"))
            }
        }
        try progress(
            BackupProgress(
                step: .files, done: found.count, all: found.count, bytes: work.copiedBytes))
    }
}

/// What a backup has taken so far.
struct BackupWork {
    var pool: ObjectPool
    private let before: [ExactText: BackupManifest.File]
    private(set) var files: [BackupManifest.File] = []
    var faults: [BackupManifest.Fault] = []
    private(set) var copiedFiles = 0
    private(set) var copiedBytes: Int64 = 0

    init(pool: ObjectPool, before: [BackupManifest.File]) {
        self.pool = pool
        self.before = Dictionary(before.map { (ExactText($0.path), $0) }, uniquingKeysWith: { $1 })
    }

    /// Takes a file unless the backup before has the very same one.
    mutating func take(_ place: String, as path: String) throws {
        var status = stat()
        guard lstat(place, &status) == 0 else { throw ArtifactError.notFound(path) }
        guard status.st_mode & S_IFMT == S_IFREG else { return }
        let seal =
            "\(status.st_ino) \(status.st_size) \(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
        let blob = Self.blob(path)
        let mode = UInt32(status.st_mode & 0o777)
        if let known = object(path, seal, blob, Int64(status.st_size)), pool.holds(known) {
            files.append(
                .init(
                    path: path, bytes: known.sizeBytes, sha256: known.digest.hex, mode: mode,
                    seal: seal))
            return
        }
        let object = try pool.copy(place)
        copiedFiles += 1
        copiedBytes += object.sizeBytes
        if let blob, blob != object.digest {
            faults.append(.init(path: path, reason: "is damaged: its bytes have another digest"))
            return
        }
        files.append(
            .init(
                path: path, bytes: object.sizeBytes, sha256: object.digest.hex, mode: mode,
                seal: seal))
    }

    /// What the file holds, where that is known without reading it: the backup before says so.
    private func object(
        _ path: String, _ seal: String, _ blob: ContentDigest?, _ size: Int64
    ) -> ObjectPool.Object? {
        guard let file = before[ExactText(path)], file.seal == seal || blob?.hex == file.sha256,
            file.bytes == size, let digest = ContentDigest(hex: file.sha256)
        else { return nil }
        return ObjectPool.Object(digest: digest, sizeBytes: size)
    }

    /// The digest that a blob's name says.
    private static func blob(_ path: String) -> ContentDigest? {
        guard path.begins(with: "blobs/"), let name = path.pieces(at: "/").last else { return nil }
        return ContentDigest(hex: String(name))
    }
}
