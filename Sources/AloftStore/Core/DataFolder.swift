import Foundation

/// The folder where a server keeps everything. Held by one process at a time.
package final class DataFolder: Sendable {
    package let path: String
    private let lock: Int32

    /// Creates the folder where there is none and takes its lock.
    ///
    /// - Throws: `StoreError.folderInUse` if another process holds it.
    package init(path: String) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let lockPath = path + "/aloft.lock"
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CocoaError(.fileWriteNoPermission, userInfo: [NSFilePathErrorKey: lockPath])
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = (try? String(contentsOfFile: lockPath, encoding: .utf8)) ?? ""
            close(descriptor)
            throw StoreError.folderInUse(
                path: path, processID: Int32(holder.trimmingCharacters(in: .whitespacesAndNewlines))
            )
        }
        ftruncate(descriptor, 0)
        let holder = "\(getpid())\n"
        _ = holder.withCString { write(descriptor, $0, strlen($0)) }
        self.path = path
        lock = descriptor
    }

    deinit { close(lock) }

    package var databasePath: String { Self.databasePath(in: path) }
    /// What was last known of the database; see `StateFile`.
    package var statePath: String { Self.statePath(in: path) }
    /// Artifacts of the tracking protocol, by path.
    package var artifactsPath: String { path + "/artifacts" }
    /// Blobs by SHA-256.
    package var blobsPath: String { path + "/blobs" }
    package var jobsPath: String { path + "/jobs" }
    package var environmentsPath: String { path + "/environments" }
    package var gatewayPath: String { path + "/gateway" }
    /// Predictions that gateways logged, by day and endpoint.
    package var predictionsPath: String { path + "/predictions" }

    package static func databasePath(in folder: String) -> String { folder + "/aloft.db" }
    package static func statePath(in folder: String) -> String { folder + "/aloft.state" }
    /// Held while a backup is made, and while space is freed: neither comes between the other.
    package static func backupLockPath(in folder: String) -> String { folder + "/backup.lock" }

    /// Whether a server has kept its database in this folder.
    package static func holdsDatabase(path: String) -> Bool {
        FileManager.default.fileExists(atPath: databasePath(in: path))
    }
}
