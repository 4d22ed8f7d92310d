import AloftTestKit
import Foundation
import GRDB
import Testing

@testable import AloftDomain
@testable import AloftStore

struct CommitGroupTests {
    private struct Refused: Error {}

    private func makeTable() async throws -> TemporaryStore {
        let temporary = try TemporaryStore()
        try await temporary.store.write { db in
            try db.execute(sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL)")
        }
        return temporary
    }

    private func count(_ store: Store) async throws -> Int {
        try await store.read { try $0.value(of: Int.self, sql: "SELECT count(*) FROM note") ?? -1 }
    }

    @Test func `a commit waits for the disk`() async throws {
        let temporary = try TemporaryStore()
        let level = try await temporary.store.write { db in
            // Off, normal, full, extra.
            try db.value(of: Int.self, sql: "PRAGMA synchronous")
        }
        #expect(level == 2)
    }

    @Test func `the log starts again however long writers go on`() async throws {
        let temporary = try TemporaryStore()
        let pool = try DatabasePool(path: temporary.folder.path + "/other.db")
        try await pool.write { db in
            try db.execute(sql: "CREATE TABLE note (id INTEGER PRIMARY KEY, text BLOB NOT NULL)")
        }
        try await pool.writeWithoutTransaction {
            try $0.execute(sql: "PRAGMA wal_autocheckpoint = 0")
        }
        let checkpointer = try Checkpointer(
            path: pool.path, limits: .init(changes: 10, longLog: 100))
        let commits = CommitGroup(
            pool: pool, changes: ChangeSignal(), checkpointer: checkpointer)
        for _ in 0..<2000 {
            try await commits.perform { db in
                try db.execute(sql: "INSERT INTO note (text) VALUES (zeroblob(6000))")
            }
        }
        try checkpointer.close()
        let log = try FileManager.default.attributesOfItem(atPath: pool.path + "-wal")
        // Never started again it would have 6,000 pages and more.
        #expect((log[.size] as? Int ?? 0) < 12 << 20)
        let count = try await pool.read {
            try Transaction($0).value(of: Int.self, sql: "SELECT count(*) FROM note")
        }
        #expect(count == 2000)
        try pool.close()
    }

    @Test func `writers that fail undo only their own work`() async throws {
        let temporary = try await makeTable()
        let store = temporary.store
        let failures = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    do {
                        try await store.write { db in
                            try db.execute(
                                sql: "INSERT INTO note (id, text) VALUES (?, 'x')",
                                arguments: [number])
                            if number.isMultiple(of: 3) { throw Refused() }
                        }
                        return false
                    } catch {
                        return error is Refused
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(failures == 67)
        #expect(try await count(store) == 133)
    }

    @Test func `a write alone that fails leaves nothing behind`() async throws {
        let temporary = try await makeTable()
        await #expect(throws: Refused.self) {
            try await temporary.store.write { db in
                try db.execute(sql: "INSERT INTO note (text) VALUES ('x')")
                throw Refused()
            }
        }
        #expect(try await count(temporary.store) == 0)
        try await temporary.store.write {
            try $0.execute(sql: "INSERT INTO note (text) VALUES ('y')")
        }
        #expect(try await count(temporary.store) == 1)
    }

    @Test func `what was acknowledged is read by another connection at once`() async throws {
        let temporary = try await makeTable()
        try await temporary.store.write {
            try $0.execute(sql: "INSERT INTO note (text) VALUES ('x')")
        }
        let other = try Store(path: temporary.path)
        #expect(try await count(other) == 1)
        try other.close()
    }

    @Test func `a full database refuses the write and goes on when there is room`() async throws {
        let temporary = try await makeTable()
        let store = temporary.store
        try await store.maintain { db in
            let pages = try db.value(of: Int.self, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 2)")
        }
        let large = String(repeating: "x", count: 200_000)
        await #expect(throws: StoreError.diskFull) {
            try await store.write { db in
                try db.execute(sql: "INSERT INTO note (text) VALUES (?)", arguments: [large])
            }
        }
        #expect(try await count(store) == 0)
        try await store.maintain { try $0.execute(sql: "PRAGMA max_page_count = 1000000") }
        try await store.write { db in
            try db.execute(sql: "INSERT INTO note (text) VALUES (?)", arguments: [large])
        }
        #expect(try await count(store) == 1)
    }

    @Test func `a full database fails every writer of the shared commit`() async throws {
        let temporary = try await makeTable()
        let store = temporary.store
        try await store.maintain { db in
            let pages = try db.value(of: Int.self, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(pages + 3)")
        }
        let large = String(repeating: "x", count: 100_000)
        let acknowledged = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do {
                        try await store.write { db in
                            try db.execute(
                                sql: "INSERT INTO note (text) VALUES (?)", arguments: [large])
                        }
                        return true
                    } catch {
                        return false
                    }
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(try await count(store) == acknowledged)
    }

    @Test func `a commit wakes who waits for a change`() async throws {
        let temporary = try await makeTable()
        let store = temporary.store
        let seen = store.changes.count()
        async let waiting: Void = store.changes.wait(
            after: seen, of: .jobs, upTo: .seconds(60))
        try await store.write { try $0.execute(sql: "INSERT INTO note (text) VALUES ('x')") }
        await waiting
        #expect(store.changes.count() > seen)
    }

    @Test func `what runs log wakes only who follows it`() async throws {
        let temporary = try await makeTable()
        let store = temporary.store
        let changes = store.changes
        let seen = changes.count()
        async let following: Void = changes.wait(
            after: seen, of: [.sweeps, .metrics], upTo: .seconds(600))
        async let waiting: Void = changes.wait(after: seen, of: .sweeps, upTo: .seconds(600))
        try await store.write(as: .metrics) {
            try $0.execute(sql: "INSERT INTO note (text) VALUES ('x')")
        }
        await following
        #expect(changes.hasChanged(.metrics, after: seen))
        #expect(!changes.hasChanged(.all.subtracting(.metrics), after: seen))
        try await store.write { try $0.execute(sql: "INSERT INTO note (text) VALUES ('y')") }
        await waiting
        #expect(changes.hasChanged(.sweeps, after: seen))
    }

    @Test func `a write's value may tell what else it changed`() async throws {
        let temporary = try await makeTable()
        let changes = temporary.store.changes
        for hasEvent in [false, true] {
            let seen = changes.count()
            _ = try await temporary.store.write(as: .metrics, and: { $0 ? .events : [] }) { _ in
                hasEvent
            }
            #expect(changes.hasChanged(.events, after: seen) == hasEvent)
        }
    }

    #if DEBUG
        @Test func `a debug build refuses a write that changes more than it says`() async throws {
            let temporary = try TemporaryStore()
            let now = ManualTime().now
            for entities in [ChangeSignal.Entities.jobs, [.jobs, .events]] {
                let isTold = entities.contains(.events)
                do {
                    try await temporary.store.write(as: entities) { db in
                        try EventLog.append(
                            db, at: now, project: .default, entity: "job", entityID: "j",
                            what: "queued", who: .local)
                    }
                    #expect(isTold)
                } catch let error as UndeclaredChange {
                    #expect(!isTold && error.table == "event")
                }
            }
            #expect(
                try await temporary.store.read { try EventLog.list($0, limit: 10).count } == 1)
        }
    #endif

    @Test func `each table is somebody's`() async throws {
        let temporary = try TemporaryStore()
        let tables = try await temporary.store.read { db in
            try db.values(
                of: String.self,
                sql: """
                    SELECT name FROM sqlite_master WHERE type = 'table'
                        AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%' AND name <> 'ledger'
                    """)
        }
        let named = Set(ChangeSignal.Entities.ofTable.keys)
        #expect(named == Set(tables))
    }
}

struct EventLogTests {
    @Test func `events come back in order, of one entity if it is named`() async throws {
        let temporary = try TemporaryStore()
        let now = ManualTime().now
        try await temporary.store.write { db in
            for number in 1...3 {
                try EventLog.append(
                    db, at: now, project: .default, entity: "job", entityID: "j\(number % 2)",
                    what: "queued", who: .local, payload: ["number": .int(Int64(number))])
            }
        }
        let all = try await temporary.store.read { try EventLog.list($0, limit: 10) }
        #expect(all.map { $0.payload["number"]?.doubleValue } == [1, 2, 3])
        let one = try await temporary.store.read {
            try EventLog.list($0, after: 1, entity: "job", entityID: "j1", limit: 10)
        }
        #expect(one.map(\.position) == [3])
    }

    @Test func `a stamp has milliseconds and reads back`() {
        let date = Date(timeIntervalSince1970: 1_700_000_000.123)
        #expect(date.stamp == "2023-11-14T22:13:20.123Z")
        #expect(Date(stamp: date.stamp)?.millisecondsSince1970 == 1_700_000_000_123)
        #expect(Date(stamp: "yesterday") == nil)
    }
}

struct TokenTests {
    @Test func `a revoked token opens nothing and its name is free again`() async throws {
        let temporary = try TemporaryStore()
        let chance = Chance.seeded(1)
        let secret = TokenQueries.makeSecret(using: chance)
        let now = ManualTime().now
        let first: TokenID = chance.identifier()
        try await temporary.store.write { db in
            try TokenQueries.insert(
                db, id: first, name: "ann", kind: .user, secret: secret, project: .default, at: now)
        }
        #expect(
            try await temporary.store.read { try TokenQueries.find($0, secret: secret) }?.name
                == "ann")
        try await temporary.store.write { db in
            _ = try TokenQueries.revoke(db, kind: .user, name: "ann", at: now)
        }
        #expect(try await temporary.store.read { try TokenQueries.find($0, secret: secret) } == nil)
        #expect(try await temporary.store.read { try TokenQueries.listUsers($0) }.isEmpty)
    }
}
