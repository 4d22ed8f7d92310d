import AloftDomain
import AloftTestKit
import Foundation
import GRDB
import Testing

@testable import AloftStore

/// A data folder whose server ended, in order or not.
private final class SavedFolder {
    let folder: TemporaryFolder
    var path: String { folder.path }
    var database: String { path + "/aloft.db" }
    var state: String { path + "/aloft.state" }

    init() throws { folder = try TemporaryFolder() }

    func open(accepting damage: StoreDamage? = nil) throws -> Store {
        try Store(
            path: database, statePath: state,
            accepting: damage.map { AcceptedLoss($0, at: Date(timeIntervalSince1970: 1)) })
    }

    /// Writes so many commits and returns the store.
    func serve(commits: Int) async throws -> Store {
        let store = try open()
        for number in 0..<commits {
            try await store.write { db in
                try db.execute(
                    sql: "INSERT INTO project (id, createdAt) VALUES (?, '2026')",
                    arguments: ["p\(number)-\(Int.random(in: 0..<Int.max))"])
            }
        }
        return store
    }

    func inspect() throws -> StoreInspection.Report { try StoreInspection(folder: path).run() }

    func copy(_ name: String, to other: String) throws {
        try FileManager.default.copyItem(atPath: path + "/" + name, toPath: path + "/" + other)
    }

    func replace(_ name: String, with other: String) throws {
        try FileManager.default.removeItem(atPath: path + "/" + name)
        try copy(other, to: name)
    }

    /// Leaves the folder as a kill would: all that is on disk, without the end.
    func killed(commits: Int) async throws -> SavedFolder {
        let store = try await serve(commits: commits)
        let copy = try SavedFolder()
        for name in ["aloft.db", "aloft.db-wal", "aloft.state"] {
            try FileManager.default.copyItem(
                atPath: path + "/" + name, toPath: copy.path + "/" + name)
        }
        try store.close()
        return copy
    }
}

struct StoreInspectionTests {
    @Test func `a new folder, an orderly end and a kill are all right`() async throws {
        let saved = try SavedFolder()
        #expect(try saved.inspect().damage == nil)
        try await saved.serve(commits: 3).close()
        let clean = try saved.inspect()
        #expect(clean.damage == nil)
        #expect(clean.state?.isClean == true)
        #expect(clean.state?.position == 3)
        #expect(clean.checkedTables == nil)
        let killed = try await saved.killed(commits: 2)
        let report = try killed.inspect()
        #expect(report.damage == nil)
        #expect(report.state?.position == 5)
        #expect(report.state?.isClean == false)
        #expect(report.checkedTables?.checked == report.checkedTables?.all)
        try killed.open().close()
    }

    @Test func `after an orderly end the file alone is whole`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 50).close()
        try? FileManager.default.removeItem(atPath: saved.database + "-wal")
        try? FileManager.default.removeItem(atPath: saved.database + "-shm")
        let queue = try DatabaseQueue(path: saved.database)
        let count = try await queue.read {
            try Int.fetchOne($0, sql: "SELECT count(*) FROM project")
        }
        #expect(count == 51)
    }

    @Test func `a lost log is noticed, with both numbers`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 4).close()
        let killed = try await saved.killed(commits: 3)
        try FileManager.default.removeItem(atPath: killed.database + "-wal")
        let damage = try #require(try killed.inspect().damage)
        #expect(damage == .older(path: killed.database, position: 4, lastPosition: 7))
        #expect(damage.message.contains("commit 4"))
        #expect(damage.message.contains("commit 7"))
        #expect(damage.message.contains("--accept-loss"))
    }

    @Test func `an older copy is noticed, one of another server too`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 2).close()
        try saved.copy("aloft.db", to: "old.db")
        try await saved.serve(commits: 5).close()
        try saved.replace("aloft.db", with: "old.db")
        #expect(
            try saved.inspect().damage
                == .older(
                    path: saved.database, position: 2, lastPosition: 7))
        let other = try SavedFolder()
        try await other.serve(commits: 20).close()
        try FileManager.default.removeItem(atPath: saved.database)
        try FileManager.default.copyItem(atPath: other.database, toPath: saved.database)
        #expect(try saved.inspect().damage?.code == "database_of_another_server")
    }

    @Test func `a database that is gone, empty or cut is not taken for a new one`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 60).close()
        try saved.copy("aloft.db", to: "whole.db")
        let gone = StoreDamage.gone(path: saved.database, lastPosition: 60, files: 0)
        try FileManager.default.removeItem(atPath: saved.database)
        #expect(try saved.inspect().damage == gone)
        _ = FileManager.default.createFile(atPath: saved.database, contents: nil)
        #expect(try saved.inspect().damage == gone)
        for part in [0.5, 0.02] {
            try saved.replace("aloft.db", with: "whole.db")
            let handle = try #require(FileHandle(forWritingAtPath: saved.database))
            let size = try handle.seekToEnd()
            try handle.truncate(atOffset: UInt64(Double(size) * part) / 4096 * 4096)
            try handle.close()
            #expect(try saved.inspect().damage != nil)
        }
        try Data("no database at all, but long enough to be one".utf8)
            .write(to: URL(fileURLWithPath: saved.database))
        #expect(try saved.inspect().damage?.code == "database_unreadable")
    }

    @Test func `files without a database are a loss even where no state is known`() throws {
        let saved = try SavedFolder()
        let place = saved.path + "/artifacts/files/1/a/artifacts"
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        try Data("model".utf8).write(to: URL(fileURLWithPath: place + "/model.bin"))
        #expect(
            try saved.inspect().damage == .gone(path: saved.database, lastPosition: nil, files: 1))
    }

    @Test func `a damaged page is said with its table`() async throws {
        let saved = try SavedFolder()
        let killed = try await saved.killed(commits: 30)
        // The log goes into the file, as after a crash some time later.
        let queue = try DatabaseQueue(path: killed.database)
        let page = try await queue.read { db in
            try Int.fetchOne(
                db, sql: "SELECT rootpage FROM sqlite_master WHERE name = 'project'")
        }
        try await queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
        try queue.close()
        let handle = try #require(FileHandle(forWritingAtPath: killed.database))
        try handle.seek(toOffset: UInt64(try #require(page) - 1) * 4096 + 8)
        try handle.write(contentsOf: Data(repeating: 0xFF, count: 200))
        try handle.close()
        let damage = try #require(try killed.inspect().damage)
        #expect(damage.code == "database_damaged")
        #expect(damage.message.contains("table project"))
    }

    @Test func `a folder of an earlier version is taken over`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 3).close()
        try FileManager.default.removeItem(atPath: saved.state)
        let queue = try DatabaseQueue(path: saved.database)
        try await queue.write { db in
            try db.execute(
                sql: """
                    DROP TABLE ledger;
                    DELETE FROM grdb_migrations WHERE identifier = '0015-ledger'
                    """)
        }
        try queue.close()
        #expect(try saved.inspect().damage == nil)
        try await saved.serve(commits: 1).close()
        #expect(try saved.inspect().state?.position == 1)
    }

    @Test func `an accepted loss is an event, stays known, and is no damage any more`() async throws
    {
        let saved = try SavedFolder()
        try await saved.serve(commits: 2).close()
        try FileManager.default.removeItem(atPath: saved.database)
        let damage = try #require(try saved.inspect().damage)
        let store = try saved.open(accepting: damage)
        let (ledger, events) = try await store.read { db in
            (try Ledger.read(db), try EventLog.list(db, entity: "server", limit: 10))
        }
        #expect(ledger?.lossAcceptedAt == Date(timeIntervalSince1970: 1))
        #expect(events.map(\.what) == ["loss-accepted"])
        #expect(events.first?.why == damage.fact)
        try store.close()
        #expect(try saved.inspect().damage == nil)
    }

    @Test func `one torn line of the state file is read past, two are a damage`() async throws {
        let saved = try SavedFolder()
        try await saved.serve(commits: 3).close()
        func tear(at offset: UInt64) throws {
            let handle = try #require(FileHandle(forWritingAtPath: saved.state))
            try handle.seek(toOffset: offset)
            try handle.write(contentsOf: Data("torn".utf8))
            try handle.close()
        }
        try tear(at: 40)
        let report = try saved.inspect()
        #expect(report.damage == nil)
        #expect(report.state?.position == 3)
        #expect(report.state?.isClean == false)
        try tear(at: UInt64(StateFile.lineBytes) + 40)
        #expect(try saved.inspect().damage == .stateUnreadable(path: saved.state))
    }

    @Test func `a write that changes nothing counts no commit`() async throws {
        let saved = try SavedFolder()
        let store = try await saved.serve(commits: 1)
        try await store.write { db in
            try db.execute(sql: "UPDATE project SET createdAt = '' WHERE id = 'nobody'")
        }
        try store.close()
        #expect(try saved.inspect().state?.position == 1)
    }
}
