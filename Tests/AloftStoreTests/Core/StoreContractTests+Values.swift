import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

// What goes in comes out, and nothing else is made of it.
extension StoreContractTests {
    /// Rows of these values, read back with copies and without.
    private func rows(_ all: [Bindings]) async throws -> [[SQLValue]] {
        try await temporary.store.write { db in
            try db.execute(sql: "CREATE TABLE thing (\(Self.columns))")
            return try all.map { bindings in
                try db.perform("DELETE FROM thing")
                try db.perform(
                    "INSERT INTO thing (key, whole, number, words, raw) VALUES ('k', ?, ?, ?, ?)",
                    bindings)
                let sql = "SELECT whole, number, words, raw FROM thing"
                let kept = try #require(try db.firstRow(sql)).values
                var standing: [SQLValue] = []
                try db.forEach(sql) { row in
                    let whole: SQLValue = try row["whole"]
                    let number: SQLValue = try row["number"]
                    let words: SQLValue = try row["words"]
                    let raw: SQLValue = try row["raw"]
                    standing = [whole, number, words, raw]
                }
                #expect(standing == kept)
                return kept
            }
        }
    }

    @Test func `whole numbers and numbers keep every bit`() async throws {
        let wholes: [Int64] = [0, 1, -1, 1 << 53 + 1, .max, .min]
        let numbers = [
            0.1, -.greatestFiniteMagnitude, .leastNonzeroMagnitude, 1e300, .infinity, -0.0,
        ]
        let found = try await rows(
            zip(wholes, numbers).map { [$0, $1, nil, nil] } + [[nil, Double.nan, nil, nil]])
        for (row, (whole, number)) in zip(found, zip(wholes, numbers)) {
            #expect(row == [.int(whole), .real(number), .null, .null])
        }
        // No database orders it; it is kept as nothing.
        #expect(found.last == [.null, .null, .null, .null])
    }

    @Test func `texts keep every byte`() async throws {
        let long = String(repeating: "täxt\u{0}", count: 200_000)
        let texts = ["", "a\u{0}b", "\u{0}", "e\u{301}", "😀 'quoted' \"and\" \\", long]
        let found = try await rows(texts.map { [nil, nil, $0, nil] })
        for (row, words) in zip(found, texts) {
            guard case .text(let text) = row[2] else {
                Issue.record("no text")
                continue
            }
            #expect(Array(text.utf8) == Array(words.utf8))
        }
    }

    @Test func `bytes keep every byte and none of them is not nothing`() async throws {
        let all: [[UInt8]] = [[], [0], [0, 255, 0, 128], [UInt8](repeating: 7, count: 1 << 20)]
        let found = try await rows(all.map { [nil, nil, "", $0] })
        #expect(found.map { $0[3] } == all.map { .blob($0) })
        #expect(found.allSatisfy { $0[2] == .text("") })
    }

    /// Reads one row of `columns`.
    private func read<Value: Sendable>(
        _ columns: String, _ body: @escaping @Sendable (RowReader) throws -> Value
    ) async throws -> Value {
        try await temporary.store.read { db in
            try body(try #require(try db.row(sql: "SELECT \(columns) FROM project")))
        }
    }

    private func fault<Value: Sendable>(
        _ columns: String, _ body: @escaping @Sendable (RowReader) throws -> Value
    ) async throws -> UnreadableValue? {
        do {
            _ = try await read(columns, body)
            return nil
        } catch let error as UnreadableValue { return error }
    }

    private enum Word: String { case one, two }

    @Test func `a column is read as what it is or not at all`() async throws {
        #expect(
            try await read("7 AS a, 'x' AS b") { (try $0["b"] as String, try $0["a"] as Int) } == (
                "x", 7
            ))
        #expect(try await read("7 AS a") { try $0["a"] as Double } == 7)
        #expect(try await read("1 AS a") { try $0["a"] as Bool })
        #expect(try await read("NULL AS a") { try $0["a"] as Int64? } == nil)
        #expect(
            try await fault("'7' AS a") { try $0["a"] as Int64 }
                == UnreadableValue(table: "project", column: "a", value: .text("7")))
        #expect(try await fault("7 AS a") { try $0["a"] as String } != nil)
        #expect(try await fault("2 AS a") { try $0["a"] as Bool } != nil)
        #expect(try await fault("-1 AS a") { try $0["a"] as UInt64 } != nil)
        #expect(try await fault("NULL AS a") { try $0["a"] as Int64 }?.value == "NULL")
        #expect(try await fault("7 AS a") { try $0["c"] as Int64 }?.column == "c")
        #expect(try await fault("7 AS a") { try $0["A"] as Int64 }?.column == "A")
    }

    @Test func `a word that is unknown stands for nothing`() async throws {
        #expect(try await read("'two' AS a") { try $0.word("a", as: Word.self).rawValue } == "two")
        #expect(try await read("NULL AS a") { try $0.optionalWord("a", as: Word.self) == nil })
        let fault = try await fault("'three' AS kind") {
            try $0.word("kind", as: Word.self).rawValue
        }
        #expect(fault == UnreadableValue(table: "project", column: "kind", text: "'three'"))
        #expect(fault?.code == "unreadable_value" && fault?.kind == .damaged)
        for part in ["project", "kind", "'three'"] {
            #expect(fault?.message.contains(part) == true)
        }
        #expect(
            try await self.fault("NULL AS a") { try $0.word("a", as: Word.self).rawValue } != nil)
        #expect(
            try await self.fault("'x' AS a") { try $0.optionalWord("a", as: Word.self)?.rawValue }
                != nil)
    }

    @Test func `times keep their milliseconds and order as texts do`() async throws {
        let times = [0, 0.001, 1_764_460_000.123, 4_102_444_799.999].map(
            Date.init(timeIntervalSince1970:))
        #expect(times.map(\.stamp) == times.map(\.stamp).sorted())
        for time in times {
            let stamp = time.stamp
            let found = try await read("'\(stamp)' AS at") { try $0.date("at") }
            #expect(abs(found.timeIntervalSince(time)) < 0.0005)
            #expect(found.stamp == stamp)
        }
        #expect(try await read("NULL AS at") { try $0.optionalDate("at") } == nil)
        #expect(try await fault("'yesterday' AS at") { try $0.date("at") }?.value == "'yesterday'")
        #expect(try await fault("NULL AS at") { try $0.date("at") } != nil)
        #expect(try await fault("7 AS at") { try $0.optionalDate("at") } != nil)
    }

    private struct Stored: Codable, Equatable {
        var text: String
        var numbers: [Double]
        var place: String?
    }

    @Test func `JSON comes back equal and equal values are equal texts`() async throws {
        let value = Stored(
            text: "a/b \"c\" \u{0} é", numbers: [0.1, .infinity, -.infinity, 1e-300])
        let text = try StoredJSON.text(value)
        #expect(try StoredJSON.text(value) == text)
        let found = try await temporary.store.read { db in
            let row = try #require(try db.firstRow("SELECT ? AS json, NULL AS none", [text]))
            #expect(try row.optionalJSON("none", as: Stored.self) == nil)
            return try row.json("json", as: Stored.self)
        }
        #expect(found == value)
        #expect(
            try await fault("'{' AS json") { try $0.json("json", as: [String: Int].self) }?.column
                == "json")
        #expect(try await fault("NULL AS json") { try $0.json("json", as: [Int].self) } != nil)
    }
}
