import GRDB
import GRDBSQLite

/// A value given to a statement.
enum BoundValue {
    case null
    case int(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    static func optional(_ value: Double?) -> BoundValue { value.map { .real($0) } ?? .null }
}

/// The row that a statement stands on; read at once, it is gone afterwards.
struct BoundRow {
    fileprivate let statement: SQLiteStatement

    func int(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// `nil` for NULL.
    func real(_ column: Int32) -> Double? {
        guard sqlite3_column_type(statement, column) != SQLITE_NULL else { return nil }
        return sqlite3_column_double(statement, column)
    }

    /// Empty for NULL.
    func text(_ column: Int32) -> String {
        guard let text = sqlite3_column_text(statement, column) else { return "" }
        let bytes = UnsafeBufferPointer(
            start: text, count: Int(sqlite3_column_bytes(statement, column)))
        return String(decoding: bytes, as: UTF8.self)
    }
}

// SQLite without what GRDB does for each statement (arguments made into values, rows copied, observers
// asked): for the few statements that run for every run, point, param and tag, where that costs more
// than the statement itself. Nobody observes transactions here.
extension Database {
    /// Runs a statement that is compiled once per connection.
    func perform(_ sql: String, binding values: [BoundValue]) throws {
        _ = try step(sql, values) { _ in }
    }

    /// The first row of a statement that is compiled once per connection.
    func firstRow<Value>(
        _ sql: String, binding values: [BoundValue], read: (BoundRow) -> Value
    ) throws -> Value? {
        try step(sql, values, read)
    }

    /// Runs `body` in a transaction of the writer; undoes it if `body` throws or the commit fails.
    ///
    /// As GRDB's `inTransaction(.immediate)`, which compiles `BEGIN` and `COMMIT` anew each time.
    func immediateTransaction(_ body: () throws -> Void) throws {
        try perform("BEGIN IMMEDIATE TRANSACTION", binding: [])
        do {
            try body()
            try perform("COMMIT TRANSACTION", binding: [])
        } catch {
            // SQLite may have undone it already.
            if isInsideTransaction { try? perform("ROLLBACK TRANSACTION", binding: []) }
            throw error
        }
    }

    private func step<Value>(
        _ sql: String, _ values: [BoundValue], _ read: (BoundRow) -> Value
    ) throws -> Value? {
        let statement = try cachedStatement(sql: sql).sqliteStatement
        // Whoever ran it before may have left it on a row.
        sqlite3_reset(statement)
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        for (index, value) in values.enumerated() {
            try check(Self.bind(value, to: statement, at: Int32(index) + 1), sql)
        }
        switch sqlite3_step(statement) {
        case SQLITE_DONE: return nil
        case SQLITE_ROW: return read(BoundRow(statement: statement))
        case let code: throw failure(code, sql)
        }
    }

    private func check(_ code: Int32, _ sql: String) throws {
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    private func failure(_ code: Int32, _ sql: String) -> DatabaseError {
        DatabaseError(resultCode: ResultCode(rawValue: code), message: lastErrorMessage, sql: sql)
    }

    private static func bind(
        _ value: BoundValue, to statement: SQLiteStatement, at index: Int32
    ) -> Int32 {
        // SQLite takes a copy.
        let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        return switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .int(let number): sqlite3_bind_int64(statement, index, number)
        case .real(let number): sqlite3_bind_double(statement, index, number)
        // By length: a zero byte ends no text.
        case .text(let text): bind(text, to: statement, at: index, copied)
        case .blob(let bytes) where bytes.isEmpty: sqlite3_bind_zeroblob(statement, index, 0)
        case .blob(let bytes):
            sqlite3_bind_blob(statement, index, bytes, Int32(bytes.count), copied)
        }
    }

    /// From where the text lies, without a copy of its own.
    private static func bind(
        _ text: String, to statement: SQLiteStatement, at index: Int32,
        _ copied: sqlite3_destructor_type
    ) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_text(statement, index, "", 0, copied)
            }
            return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
                sqlite3_bind_text(statement, index, $0, Int32(clamping: bytes.count), copied)
            }
        }
    }
}
