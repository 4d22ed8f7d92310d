import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

/// What a database owes to all that stands on `Core`. Written against the seam alone, so that another
/// database runs it unchanged: `Store`, `Transaction`, `Statement`, `RowReader`, `Dialect`.
struct StoreContractTests {
    struct Refused: Error {}

    let temporary: TemporaryStore

    init() throws { temporary = try TemporaryStore() }

    static let columns = """
        key \(Dialect.text) PRIMARY KEY NOT NULL, whole \(Dialect.integer), number \(Dialect.real),
        words \(Dialect.text) CHECK (words <> 'never'), raw \(Dialect.bytes)
        """

    /// The store with the table `thing`, and `part`, which names rows of it.
    private func makeTables() async throws -> Store {
        try await temporary.store.write { db in
            try db.execute(sql: "CREATE TABLE thing (\(Self.columns))")
            try db.execute(
                sql: """
                    CREATE TABLE part (number \(Dialect.countingKey),
                        thing \(Dialect.text) NOT NULL REFERENCES thing (key))
                    """)
        }
        return temporary.store
    }

    private func count(_ store: Store) async throws -> Int64 {
        try await store.read { try $0.firstValue("SELECT count(*) FROM thing") ?? -1 }
    }

    private static func insert(_ db: Transaction, _ key: String, _ whole: Int64 = 0) throws {
        try db.perform("INSERT INTO thing (key, whole) VALUES (?, ?)", [key, whole])
    }

    // MARK: Transactions

    @Test func `what throws is undone whole and the next write is not`() async throws {
        let store = try await makeTables()
        await #expect(throws: Refused.self) {
            try await store.write { db in
                try Self.insert(db, "a")
                throw Refused()
            }
        }
        #expect(try await count(store) == 0)
        try await store.write { try Self.insert($0, "a") }
        #expect(try await count(store) == 1)
    }

    @Test func `a reader sees one moment`() async throws {
        let store = try await makeTables()
        let (hasRead, hasWritten) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        async let seen = store.read { db -> [Int64?] in
            let before: Int64? = try db.firstValue("SELECT count(*) FROM thing")
            hasRead.signal()
            _ = hasWritten.wait(timeout: .now() + 60)
            return [before, try db.firstValue("SELECT count(*) FROM thing")]
        }
        await Task.detached { _ = hasRead.wait(timeout: .now() + 60) }.value
        try await store.write { try Self.insert($0, "a") }
        hasWritten.signal()
        #expect(try await seen == [0, 0])
        #expect(try await count(store) == 1)
    }

    @Test func `a reader writes nothing`() async throws {
        let store = try await makeTables()
        await #expect(throws: StatementError.self) {
            try await store.read { try Self.insert($0, "a") }
        }
        #expect(try await count(store) == 0)
    }

    @Test func `writers share commits and each finds what it wrote`() async throws {
        let store = try await makeTables()
        let found = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 {
                group.addTask {
                    do {
                        try await store.write { db in
                            try Self.insert(db, "k\(number)", Int64(number))
                            if number % 5 == 0 { throw Refused() }
                        }
                    } catch is Refused {}
                    let whole: Int64? = try await store.read {
                        try $0.firstValue("SELECT whole FROM thing WHERE key = ?", ["k\(number)"])
                    }
                    return whole == (number % 5 == 0 ? nil : Int64(number))
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(found == 100)
        #expect(try await count(store) == 80)
    }

    // MARK: What the schema forbids

    private func refusal(
        _ store: Store, _ sql: String, _ bindings: Bindings
    ) async throws -> StatementError.Kind? {
        do {
            try await store.write { try $0.execute(sql: sql, arguments: bindings) }
            return nil
        } catch let error as StatementError {
            #expect(try await count(store) == 1)
            return error.kind
        }
    }

    @Test func `each rule of the schema has its kind of error`() async throws {
        let store = try await makeTables()
        try await store.write { try Self.insert($0, "a") }
        let insert = "INSERT INTO thing (key, words) VALUES (?, ?)"
        #expect(try await refusal(store, insert, ["a", nil]) == .notUnique)
        #expect(try await refusal(store, insert, [nil, nil]) == .notAllowed)
        #expect(try await refusal(store, insert, ["b", "never"]) == .notAllowed)
        let part = "INSERT INTO part (thing) VALUES (?)"
        #expect(try await refusal(store, part, ["x"]) == .foreignKey)
        #expect(try await refusal(store, part, ["a"]) == nil)
    }

    @Test func `an upsert changes the row that is there or leaves it`() async throws {
        let store = try await makeTables()
        let changes = try await store.write { db -> [Int] in
            let insert = "INSERT INTO thing (key, whole) VALUES (?, ?) ON CONFLICT (key) "
            var changes: [Int] = []
            for (whole, rule) in [
                (1, "DO NOTHING"), (2, "DO NOTHING"), (3, "DO UPDATE SET whole = excluded.whole"),
            ] {
                try db.perform(insert + rule, ["a", whole])
                changes.append(db.changesCount)
            }
            return changes
        }
        #expect(changes == [1, 0, 1])
        let whole: Int64? = try await store.read {
            try $0.firstValue("SELECT whole FROM thing")
        }
        #expect(whole == 3)
    }

    @Test func `numbers of rows rise and none is given twice`() async throws {
        let store = try await makeTables()
        let numbers = try await store.write { db in
            try Self.insert(db, "a")
            let insert = "INSERT INTO part (thing) VALUES (?)"
            var numbers = [try db.insert(insert, ["a"]), try db.insert(insert, ["a"])]
            try db.perform("DELETE FROM part")
            numbers.append(try db.insert(insert, ["a"]))
            try db.raiseNumbers(of: "part", to: 100)
            numbers.append(try db.insert(insert, ["a"]))
            return numbers
        }
        #expect(numbers == [1, 2, 3, 101])
    }
}
