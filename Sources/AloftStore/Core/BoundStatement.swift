import GRDB
import GRDBSQLite

// SQLite without what GRDB does for each statement (tasks that may be cancelled, observers asked): for the
// few statements that run for every run, point, param and tag, where that costs more than the statement
// itself. Nobody observes transactions here.
extension Transaction {
    /// Runs a statement that is compiled once per connection.
    func perform(_ sql: String, binding values: [SQLValue]) throws {
        _ = try stepOnce(sql, values) { _ in }
    }

    /// Inserts a row into a table whose key counts by itself.
    ///
    /// - Returns: the row's number.
    func insert(_ sql: String, binding values: [SQLValue]) throws -> Int64 {
        try perform(sql, binding: values)
        return database.lastInsertedRowID
    }

    /// The first row of a statement that is compiled once per connection.
    func firstRow<Value>(
        _ sql: String, binding values: [SQLValue], read: (inout StandingRow) throws -> Value
    ) throws -> Value? {
        try stepOnce(sql, values, read)
    }

    /// Runs `body` in a transaction of the writer; undoes it if `body` throws or the commit fails.
    ///
    /// As GRDB's `inTransaction(.immediate)`, which compiles `BEGIN` and `COMMIT` anew each time.
    func immediately(_ body: () throws -> Void) throws {
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

    private func stepOnce<Value>(
        _ sql: String, _ values: [SQLValue], _ read: (inout StandingRow) throws -> Value
    ) throws -> Value? {
        let statement = try StatementError.translating {
            try database.cachedStatement(sql: sql).sqliteStatement
        }
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
        case SQLITE_ROW:
            var row = StandingRow(statement, sql)
            return try read(&row)
        case let code: throw failure(code, sql)
        }
    }

    /// Gives each mark of a statement its value.
    func bind(_ bindings: Bindings, to statement: SQLiteStatement, _ sql: String) throws {
        let marks = Int(sqlite3_bind_parameter_count(statement))
        var bound = 0
        for (place, value) in bindings.values.enumerated() {
            let index =
                bindings.names.isEmpty
                ? Int32(place) + 1 : sqlite3_bind_parameter_index(statement, bindings.names[place])
            // A name may have no mark in this form of the statement.
            guard index > 0 else { continue }
            try check(Self.bind(value, to: statement, at: index), sql)
            bound += 1
        }
        guard bound == marks else {
            throw StatementError(
                code: SQLITE_MISUSE, message: "\(bound) values for \(marks) marks", sql: sql)
        }
    }

    private func check(_ code: Int32, _ sql: String) throws {
        guard code == SQLITE_OK else { throw failure(code, sql) }
    }

    private func failure(_ code: Int32, _ sql: String) -> StatementError {
        let extended = database.sqliteConnection.map { sqlite3_extended_errcode($0) } ?? code
        return StatementError(
            code: extended & 0xff == code & 0xff ? extended : code,
            message: database.lastErrorMessage ?? "error \(code)", sql: sql)
    }

    private static func bind(
        _ value: SQLValue, to statement: SQLiteStatement, at index: Int32
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
            sqlite3_bind_blob64(statement, index, bytes, UInt64(bytes.count), copied)
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
                sqlite3_bind_text64(
                    statement, index, $0, UInt64(bytes.count), copied, UInt8(SQLITE_UTF8))
            }
        }
    }
}
