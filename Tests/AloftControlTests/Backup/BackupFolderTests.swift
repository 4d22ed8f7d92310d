import AloftArtifacts
import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftControl

/// What a backup's folder may say, whoever made it, and which files of a data folder it takes.
@Suite struct BackupFolderTests {
    private func manifest(_ adjust: (inout BackupManifest.File) -> Void) throws -> Data {
        var manifest = BackupManifest(
            head: .init(madeAt: "2026-01-01T00:00:00Z", program: "1", position: 1, schema: "a"))
        var file = BackupManifest.File(
            path: "aloft.db", bytes: 5, sha256: String(repeating: "a", count: 64), mode: 0o600,
            seal: "")
        adjust(&file)
        manifest.files = [file]
        // Its digest is right: whoever changed it could reckon that too.
        return try manifest.encoded()
    }

    @Test func `a manifest says no sizes, modes and paths of its own`() throws {
        #expect(try BackupManifest(manifest { _ in }, path: "m").files.count == 1)
        let wrong: [(String, (inout BackupManifest.File) -> Void)] = [
            ("set-user-id", { $0.mode = 0o4755 }), ("a folder's mode", { $0.mode = 0o40700 }),
            ("sticky", { $0.mode = 0o1777 }), ("negative", { $0.bytes = -1 }),
            ("beyond any disk", { $0.bytes = .max }),
            ("sum that overflows", { $0.bytes = 1 << 62 }),
            ("up", { $0.path = "../a" }), ("absolute", { $0.path = "/etc/a" }),
            ("through", { $0.path = "a/../../b" }), ("empty part", { $0.path = "a//b" }),
            ("itself", { $0.path = "." }), ("nothing", { $0.path = "" }),
            ("zero byte", { $0.path = "a\u{0}b" }),
        ]
        for (what, adjust) in wrong {
            #expect(throws: BackupError.manifestDamaged(path: "m"), "\(what)") {
                try BackupManifest(manifest(adjust), path: "m")
            }
        }
    }

    @Test func `an object is a plain file, and no longer than it was`() throws {
        let folder = try TemporaryFolder()
        var pool = try ObjectPool(root: folder.path + "/objects")
        let source = folder.path + "/source"
        try Data("hello".utf8).write(to: URL(fileURLWithPath: source))
        let object = try pool.copy(source)
        #expect(try pool.copyOut(object, to: nil) == nil)
        let place = pool.path(of: object.digest)
        unlink(place)
        #expect(symlink(source, place) == 0)
        #expect(try pool.copyOut(object, to: nil) == "is missing", "a link")
        unlink(place)
        #expect(mkfifo(place, 0o600) == 0)
        #expect(try pool.copyOut(object, to: nil) == "is missing", "a pipe, which would never end")
        unlink(place)
        try Data("hello and more".utf8).write(to: URL(fileURLWithPath: place))
        #expect(try pool.copyOut(object, to: nil)?.contains("longer") == true)
    }

    @Test func `what a job keeps in its checkpoints is taken whatever its name`() throws {
        let folder = try TemporaryFolder()
        func make(_ path: String) throws {
            let url = URL(fileURLWithPath: folder.path + "/" + path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: url)
        }
        let kept = [
            "work", "lock", "home", "order.json", "token.key", "model.part", "build/a", "work/b",
        ].map { "jobs/j1/checkpoints/\($0)" }.filter { $0 != "jobs/j1/checkpoints/work" }
        let left = [
            "work/a", "lock", "home/b", "order.json", "shim.json", "x.part", "token.key",
        ].map { "jobs/j1/\($0)" }
        for path in kept + left + ["jobs/token.key", "jobs/j1/log.txt"] { try make(path) }
        symlink("/etc/passwd", folder.path + "/jobs/j1/checkpoints/link")
        let found = BackupSources(data: folder.path).list()
        #expect(Set(found) == Set(kept + ["jobs/j1/log.txt"]))
    }

    @Test func `nothing is restored where a link stands`() throws {
        let folder = try TemporaryFolder()
        let (victim, target) = (folder.path + "/victim", folder.path + "/new")
        try FileManager.default.createDirectory(
            atPath: victim, withIntermediateDirectories: false)
        for name in ["aloft-restore.part", "mine"] {
            #expect(FileManager.default.createFile(atPath: "\(victim)/\(name)", contents: nil))
        }
        let kept = folder.path + "/kept"
        let backup = try BackupFolder(path: kept, makes: true)
        var manifest = BackupManifest(
            head: .init(madeAt: "2026-01-01T00:00:00Z", program: "1", position: 1, schema: "a"))
        var pool = try ObjectPool(root: backup.objects)
        let object = try pool.copy(victim + "/mine")
        manifest.files = [
            .init(
                path: "aloft.db", bytes: object.sizeBytes, sha256: object.digest.hex, mode: 0o600,
                seal: "")
        ]
        let name = "20260101T000000Z"
        try FileManager.default.createDirectory(
            at: URL(fileURLWithPath: backup.manifestPath(name)).deletingLastPathComponent(),
            withIntermediateDirectories: true)
        try manifest.encoded().write(to: URL(fileURLWithPath: backup.manifestPath(name)))
        let reader = BackupReader(folder: backup) { _ in }
        for link in [target + ".restoring", target] {
            #expect(symlink(victim, link) == 0)
            #expect {
                _ = try reader.restore(name, to: target, isPartial: false)
            } throws: { ($0 as? BackupError)?.message.contains("it is a link") == true }
            unlink(link)
        }
        #expect(FileManager.default.fileExists(atPath: victim + "/mine"))
        _ = try reader.restore(name, to: target, isPartial: false)
        #expect(FileManager.default.fileExists(atPath: target + "/aloft.db"))
        #expect(!FileManager.default.fileExists(atPath: target + ".restoring"))
    }
}
