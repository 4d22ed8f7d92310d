import AloftArtifacts
import AloftCompute
import AloftDomain
import Foundation

/// A folder of backups: `objects`, the files by digest, and `generations`, a manifest for each backup.
/// A generation counts from the moment its manifest is there, which is written last.
package struct BackupFolder {
    package let path: String

    private static let mark = "aloft-backup"

    private var files: FileManager { .default }
    var objects: String { path + "/objects" }
    private var generations: String { path + "/generations" }

    /// - Throws: `BackupError.notABackup` unless it is one, or `makes` one of an empty folder.
    package init(path: String, makes: Bool) throws {
        self.path = path
        let marker = path + "/" + Self.mark
        if !FileManager.default.fileExists(atPath: marker) {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
            guard makes, names.allSatisfy({ $0.begins(with: Self.mark) || $0 == "lost+found" })
            else {
                throw BackupError.notABackup(path: path)
            }
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            // The database in it has secrets of webhooks.
            chmod(path, 0o700)
            try DurableFile.write(Data("format 1\n".utf8), to: marker)
        }
        guard makes else { return }
        try FileManager.default.createDirectory(
            atPath: generations, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
    }

    /// - Throws: `BackupError.inUse`.
    func lock() throws -> FileLock {
        guard let lock = try FileLock(tryingAt: path + "/lock") else {
            throw BackupError.inUse(path: path)
        }
        return lock
    }

    /// The names of the generations, oldest first.
    package func list() -> [String] {
        let names = (try? files.contentsOfDirectory(atPath: generations)) ?? []
        return names.filter { $0.ends(with: ".manifest") }.map { String($0.dropLast(9)) }.sorted()
    }

    func manifestPath(_ name: String) -> String { "\(generations)/\(name).manifest" }

    /// - Parameter name: the newest if not given.
    /// - Throws: `BackupError.noGeneration`, `.manifestDamaged`.
    package func read(_ name: String? = nil) throws -> (name: String, manifest: BackupManifest) {
        guard let found = name ?? list().last, !found.utf8.contains(UInt8(ascii: "/")),
            let data = files.contents(atPath: manifestPath(found))
        else { throw BackupError.noGeneration(path: path, name: name) }
        return (found, try BackupManifest(data, path: manifestPath(found)))
    }

    /// Makes a generation count.
    func write(_ manifest: BackupManifest, at now: Date) throws -> String {
        let stamp = now.formatted(.iso8601.timeSeparator(.omitted))
        var name = stamp
        var number = 1
        while files.fileExists(atPath: manifestPath(name)) {
            number += 1
            name = "\(stamp)-\(number)"
        }
        try DurableFile.write(try manifest.encoded(), to: manifestPath(name))
        return name
    }

    /// Keeps the newest generations and what they need.
    ///
    /// - Returns: how many generations and objects went.
    func prune(keeping count: Int, in pool: ObjectPool) throws -> (generations: Int, objects: Int) {
        let names = list()
        let old = names.dropLast(count)
        guard !old.isEmpty else { return (0, 0) }
        // What a manifest that cannot be read needs is not known: then everything stays.
        // text: digests
        var needed: Set<String> = []
        for name in names.suffix(count) {
            needed.formUnion(try read(name).manifest.files.map(\.sha256))
        }
        for name in old { unlink(manifestPath(name)) }
        var gone = 0
        for digest in try pool.list() where !needed.contains(digest.hex) {
            pool.remove(digest)
            gone += 1
        }
        return (old.count, gone)
    }
}
