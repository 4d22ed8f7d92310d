import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

// How statements are given their values, and what `Dialect` means.
extension StoreContractTests {
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await temporary.store.read(body)
    }

    private func isTrue(_ condition: String, _ bindings: Bindings = []) async throws -> Bool {
        try await read { db in
            try db.firstRow("SELECT 1 WHERE \(condition)", bindings) != nil
        }
    }

    @Test func `values go to their marks by place and by name`() async throws {
        let sql = "SELECT :a AS one, :b AS two, :a AS three"
        let (places, names) = try await read { db in
            (
                try #require(try db.firstRow("SELECT ? AS one, ? AS two", [1, "x"])).values,
                try #require(try db.firstRow(sql, ["b": "y", "a": 2, "c": nil])).values
            )
        }
        #expect(places == [.int(1), .text("x")])
        #expect(names == [.int(2), .text("y"), .int(2)])
    }

    @Test(arguments: [[], [1], [1, 2, 3]] as [[Int64]])
    func `marks without a value and values without a mark are faults`(_ values: [Int64])
        async throws
    {
        await #expect(throws: StatementError.self) {
            try await read { db in
                try db.firstRow("SELECT ? AS one, ? AS two", Bindings(values.map(\.sqlValue)))?
                    .values
            }
        }
        await #expect(throws: StatementError.self) {
            try await read { try $0.firstRow("SELECT :a AS one", ["b": 1])?.values }
        }
    }

    @Test func `a kept statement forgets the values of the last time`() async throws {
        let found = try await read { db in
            try (0..<3).map { number -> SQLValue? in
                try db.firstRow("SELECT ? AS one", [number == 1 ? nil : number])?.values.first
            }
        }
        #expect(found == [.int(0), .null, .int(2)])
    }

    @Test(arguments: [1, 2, 16, 17, 256])
    func `a list of numbers stands where its mark does`(_ count: Int64) async throws {
        let found = try await read { db in
            var found: [Int64] = []
            try db.forEach(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400)
                SELECT i FROM n WHERE i IN (#) ORDER BY i
                """, numbers: (1...count).map { $0 }
            ) { found.append(try $0["i"]) }
            return found
        }
        #expect(found == (1...count).map { $0 })
    }

    @Test func `pieces of SQL bring their values along`() async throws {
        let found = try await read { db in
            var text = Statement("SELECT id FROM project WHERE id IN ") + .list(["default", "x"])
            text += Statement(" AND createdAt < ?", [.text("2000")])
            text += " ORDER BY id"
            return try db.values(of: String.self, text)
        }
        #expect(found == ["default"])
        #expect(
            try await read {
                try $0.values(of: Int.self, Statement("SELECT 1 WHERE 1 IN ") + .list([Int]()))
            } == [])
    }

    @Test func `sameness takes nothing for a value`() async throws {
        let same = "? \(Dialect.isSame) ?"
        #expect(try await isTrue(same, [nil, nil]))
        #expect(try await isTrue(same, ["a", "a"]))
        #expect(try await isTrue(same, [nil, "a"]) == false)
    }

    @Test func `patterns know the case or do not`() async throws {
        func like(_ text: String, _ pattern: String) async throws -> Bool {
            try await isTrue("? \(Dialect.isLike) ?", [text, pattern])
        }
        func cased(_ text: String, _ pattern: String) async throws -> Bool {
            try await isTrue(
                "? \(Dialect.isLikeCased) ?", [text, Dialect.casedPattern(pattern)])
        }
        #expect(try await like("Model", "m%L"))
        #expect(try await cased("Model", "M_d%"))
        #expect(try await cased("Model", "m%") == false)
        #expect(try await cased("a*b", "a*b"))
        #expect(try await cased("axb", "a*b") == false)
        #expect(try await cased("a[b]?", "a[b]?"))
    }

    @Test func `the other names of the dialect mean what they say`() async throws {
        #expect(try await isTrue(Dialect.contains("?", "?"), ["a/run/b", "run"]))
        #expect(try await isTrue(Dialect.contains("?", "?"), ["a", "run"]) == false)
        #expect(try await isTrue("\(Dialect.greatest("?", "?")) = 7", [3, 7]))
        let all = try await read { db in
            try db.values(
                of: Int.self,
                Statement(
                    "SELECT 1 FROM project UNION ALL SELECT 2 LIMIT ?", [.int(Int64(Dialect.all))]))
        }
        #expect(all.count == 2)
        let joined = try await read { db in
            try db.rows(
                sql: """
                    SELECT p.id FROM project p \(Dialect.thenJoin) experiment e ON e.project = p.id
                    WHERE \(Dialect.unindexed("p.id")) = 'default'
                    """
            ).count
        }
        #expect(joined == 1)
    }

    @Test func `JSON in texts is looked into`() async throws {
        let text = #"{"a": "x", "n": 2.5, "list": [{"k": 1}, "no"]}"#
        #expect(try await isTrue(Dialect.isJSON("?"), [text]))
        #expect(try await isTrue(Dialect.isJSON("?"), ["{"]) == false)
        #expect(try await isTrue("\(Dialect.json("?", "$.a")) = 'x'", [text]))
        #expect(try await isTrue("\(Dialect.jsonType("?")) = \(Dialect.jsonText)", [#""x""#]))
        #expect(try await isTrue("\(Dialect.jsonType("?")) IN \(Dialect.jsonNumbers)", ["2.5"]))
        #expect(
            try await isTrue("\(Dialect.jsonType("?")) IN \(Dialect.jsonNumbers)", ["true"])
                == false)
        let objects = try await read { db in
            try db.values(
                of: Int64.self,
                sql: """
                    SELECT \(Dialect.json("m.value", "$.k")) FROM \(Dialect.jsonMembers("?", "$.list")) m
                    WHERE \(Dialect.whereObject("m", "TRUE"))
                    """, arguments: [text])
        }
        #expect(objects == [1])
    }

    @Test func `the database knows its tables`() async throws {
        #expect(try await read { try $0.hasTable("event") })
        #expect(try await read { try $0.hasTable("nothing") } == false)
        #expect(Set(try await read { try $0.tables() }).isSuperset(of: ["run", "event", "ledger"]))
        let texts = try await read { db in
            var texts: [String] = []
            try db.forEachText(of: "project", where: "id = 'default'") { texts.append($0) }
            return texts
        }
        #expect(texts == ["default", "1970-01-01T00:00:00.000Z"])
    }
}
