/// What only SQLite understands, each thing once and by its meaning. SQL elsewhere is what SQLite and
/// PostgreSQL both read (upserts are `ON CONFLICT (columns) DO …`, which both do); `scripts/check-sql`
/// holds it.
enum Dialect {
    // MARK: Tables

    /// A table that is kept in the order of its key and has no other.
    static let keptByKey = "WITHOUT ROWID"
    /// A number that the database gives to each new row, never one twice.
    static let countingKey = "INTEGER PRIMARY KEY AUTOINCREMENT"

    /// Types of columns: a whole number of 64 bits, a number, a text, bytes.
    static let (integer, real, text, bytes) = ("INTEGER", "REAL", "TEXT", "BLOB")

    // MARK: Events

    /// The column of `event` that readers follow: a position that is given in the order of commits.
    ///
    /// SQLite has one writer at a time and takes a number back with the transaction that it was given in:
    /// numbers are given in the order of commits, and the row's own number is the position. A database
    /// with many writers gives numbers before commits, which may come in another order, and one who
    /// follows the numbers would miss what is committed late. There the position is a column of its own,
    /// filled after the commit and before `ChangeSignal` wakes anybody; see ADR 26.
    static let eventPosition = "sequence"

    // MARK: Comparing

    /// Equal, or both NULL.
    static let isSame = "IS"
    /// As patterns of `LIKE`, whatever the case.
    static let isLike = "LIKE"
    /// As patterns of `casedPattern`, by the case.
    static let isLikeCased = "GLOB"

    /// SQLite's LIKE knows no case; its GLOB does, with other wildcards.
    static func casedPattern(_ pattern: String) -> String {
        // By code points, as SQLite reads it.
        pattern.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "%": result += "*"
            case "_": result += "?"
            case "*", "?", "[": result += "[\(scalar)]"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    /// Whether a text has another within it.
    static func contains(_ text: String, _ part: String) -> String { "instr(\(text), \(part)) > 0" }

    static func greatest(_ one: String, _ other: String) -> String { "max(\(one), \(other))" }

    /// Given to `LIMIT`, all rows.
    static let all = -1

    // MARK: How it goes about it

    /// Joins so that the left table is read first.
    static let thenJoin = "CROSS JOIN"

    /// A column that no index is looked up by.
    static func unindexed(_ column: String) -> String { "+\(column)" }

    // MARK: JSON in texts

    static func isJSON(_ text: String) -> String { "json_valid(\(text))" }

    /// What a path leads to, a text without its quotes.
    static func json(_ text: String, _ path: String) -> String {
        "json_extract(\(text), '\(path)')"
    }

    /// The type of a whole text: `jsonText`, `jsonNumbers`.
    static func jsonType(_ text: String) -> String { "json_type(\(text))" }

    static let jsonText = "'text'"
    static let jsonNumbers = "('integer', 'real')"

    /// The members of an array, as rows with `value`.
    static func jsonMembers(_ text: String, _ path: String = "$") -> String {
        path == "$" ? "json_each(\(text))" : "json_each(\(text), '\(path)')"
    }

    /// Whether a row of `jsonMembers` is an object.
    static func whereObject(_ row: String, _ condition: String) -> String {
        "CASE \(row).type WHEN 'object' THEN \(condition) ELSE 0 END"
    }
}

// What the database says of itself.
extension Transaction {
    /// The names of all tables.
    package func tables() throws -> [String] {
        try values(sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
    }

    func hasTable(_ name: String) throws -> Bool {
        let found: Int? = try value(
            sql: "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
            arguments: [name])
        return found != nil
    }

    /// Every text that a table holds, whatever its columns.
    func forEachText(
        of table: String, where condition: String, _ body: (String) throws -> Void
    ) throws {
        // text: our own table's name
        let quoted = "\"" + table.replacing("\"", with: "\"\"") + "\""
        try forEach("SELECT * FROM \(quoted) WHERE \(condition)") { row in
            for value in row.values { if case .text(let text) = value { try body(text) } }
        }
    }

    /// From now on the numbers of new rows are greater than `number`.
    func raiseNumbers(of table: String, to number: Int64) throws {
        try perform(
            "UPDATE sqlite_sequence SET seq = ? WHERE name = ? AND seq < ?",
            [number, table, number])
    }
}

// The file and its pages; for `Store.maintain`.
extension Transaction {
    struct Pages {
        var bytesOfOne: Int64
        var count: Int64
        /// Of these, those that hold nothing.
        var free: Int64
    }

    func pages() throws -> Pages {
        Pages(
            bytesOfOne: try value(sql: "PRAGMA page_size") ?? 0,
            count: try value(sql: "PRAGMA page_count") ?? 0,
            free: try value(sql: "PRAGMA freelist_count") ?? 0)
    }

    /// Whether empty pages can be given back a few at a time.
    func canShrinkBitByBit() throws -> Bool {
        try value(of: Int.self, sql: "PRAGMA auto_vacuum") == 2
    }

    func shrink(pages: Int) throws { try execute(sql: "PRAGMA incremental_vacuum(\(pages))") }

    /// Writes the file anew, and so that it can be shrunk bit by bit from then on.
    func rewrite() throws {
        try execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try execute(sql: "VACUUM")
    }

    /// Writes the log back into the file. A reader may hold it up; then a later commit does it.
    func writeLogBack() throws { try execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
}
