import GRDB
import GRDBSQLite

/// A transaction that is under way: what reads and writes tables, and all that does.
///
/// It is no value to keep. `Store.write`, `read` and `search` hand it to a closure, which runs on the
/// connection's own thread and is over when the transaction is; as it is not sendable, the compiler lets
/// it neither out of the closure nor into a task. Statements of `read` and `search` may only read; the
/// database refuses the others.
///
/// `perform`, `firstRow`, `allRows`, `firstValue`, `allValues` and `forEach` compile a statement once per
/// connection: for those that stand in the sources. `execute`, `row`, `rows`, `value` and `values` compile
/// it each time: for those that are put together, which come in any number of shapes, and for those that
/// run once a minute.
package struct Transaction {
    let database: Database

    init(_ database: Database) { self.database = database }

    /// How many rows the last statement changed.
    package var changesCount: Int { database.changesCount }

    /// How many rows the connection ever changed.
    var totalChangesCount: Int { database.totalChangesCount }

    var isInsideTransaction: Bool { database.isInsideTransaction }
}

// Compiled once per connection.
extension Transaction {
    package func perform(_ sql: String, _ bindings: Bindings = []) throws {
        try step(sql, bindings, isKept: true) { _ in true }
    }

    /// Inserts a row into a table whose key counts by itself.
    ///
    /// - Returns: the row's number.
    package func insert(_ sql: String, _ bindings: Bindings = []) throws -> Int64 {
        try perform(sql, bindings)
        return database.lastInsertedRowID
    }

    package func firstRow(_ sql: String, _ bindings: Bindings = []) throws -> RowReader? {
        try collect(sql, bindings, isKept: true, most: 1).first
    }

    package func allRows(_ sql: String, _ bindings: Bindings = []) throws -> [RowReader] {
        try collect(sql, bindings, isKept: true)
    }

    /// The only column of the first row; `nil` where there is none, or NULL.
    package func firstValue<Value: SQLReadable>(
        _ sql: String, _ bindings: Bindings = [], of type: Value.Type = Value.self
    ) throws -> Value? {
        try only(sql, bindings, isKept: true)
    }

    /// The only column of each row.
    package func allValues<Value: SQLReadable>(
        _ sql: String, _ bindings: Bindings = [], of type: Value.Type = Value.self
    ) throws -> [Value] {
        try column(sql, bindings, isKept: true)
    }

    /// Reads row after row without copies. `body` must not run the same statement.
    package func forEach(
        _ sql: String, _ bindings: Bindings = [], _ body: (inout StandingRow) throws -> Void
    ) throws {
        try step(sql, bindings, isKept: true) { statement in
            var row = StandingRow(statement, sql)
            try body(&row)
            return true
        }
    }

    /// The most numbers that `forEach(_:numbers:)` takes.
    static let mostNumbers = 256

    /// The rows of a statement in which `#` stands for a list of numbers. There are few sizes of
    /// lists, so that each statement is compiled once per connection.
    func forEach(
        _ sql: String, numbers: some Collection<Int64>,
        _ body: (inout StandingRow) throws -> Void
    ) throws {
        let size = [1, 16].first { numbers.count <= $0 } ?? Self.mostNumbers
        precondition(numbers.count <= size, "more numbers than a statement takes")
        var values = numbers.map(\.sqlValue)
        while values.count < size { values.append(values.first ?? .null) }
        let marks = Array(repeating: "?", count: size).joined(separator: ",")
        // text: our own statement
        try forEach(sql.replacing("#", with: marks), Bindings(values), body)
    }
}

// Compiled each time.
extension Transaction {
    /// One statement, or several without values.
    package func execute(sql: String, arguments: Bindings = []) throws {
        guard !arguments.values.isEmpty else {
            return try StatementError.translating { try database.execute(sql: sql) }
        }
        try step(sql, arguments, isKept: false) { _ in true }
    }

    package func row(sql: String, arguments: Bindings = []) throws -> RowReader? {
        try collect(sql, arguments, isKept: false, most: 1).first
    }

    package func rows(sql: String, arguments: Bindings = []) throws -> [RowReader] {
        try collect(sql, arguments, isKept: false)
    }

    package func rows(_ statement: Statement) throws -> [RowReader] {
        try collect(statement.sql, Bindings(statement.values), isKept: false)
    }

    /// The only column of the first row; `nil` where there is none, or NULL.
    package func value<Value: SQLReadable>(
        of type: Value.Type = Value.self, sql: String, arguments: Bindings = []
    ) throws -> Value? {
        try only(sql, arguments, isKept: false)
    }

    package func value<Value: SQLReadable>(
        of type: Value.Type = Value.self, _ statement: Statement
    ) throws -> Value? {
        try only(statement.sql, Bindings(statement.values), isKept: false)
    }

    /// The only column of each row.
    package func values<Value: SQLReadable>(
        of type: Value.Type = Value.self, sql: String, arguments: Bindings = []
    ) throws -> [Value] {
        try column(sql, arguments, isKept: false)
    }

    package func values<Value: SQLReadable>(
        of type: Value.Type = Value.self, _ statement: Statement
    ) throws -> [Value] {
        try column(statement.sql, Bindings(statement.values), isKept: false)
    }
}

// How statements run.
extension Transaction {
    /// Steps through a statement's rows as GRDB does, which heeds cancelled tasks.
    private final class Steps: DatabaseCursor {
        typealias Element = Void

        var _isDone = false
        let _statement: GRDB.Statement

        init(_ statement: GRDB.Statement) { _statement = statement }

        func _element(sqliteStatement: SQLiteStatement) throws {}
    }

    private func collect(
        _ sql: String, _ bindings: Bindings, isKept: Bool, most: Int = .max
    ) throws -> [RowReader] {
        var columns: RowReader.Columns?
        var rows: [RowReader] = []
        try step(sql, bindings, isKept: isKept) { statement in
            let shared = columns ?? RowReader.Columns(statement, sql)
            columns = shared
            rows.append(RowReader(statement, shared))
            return rows.count < most
        }
        return rows
    }

    private func only<Value: SQLReadable>(
        _ sql: String, _ bindings: Bindings, isKept: Bool
    ) throws -> Value? {
        var found: Value?
        try step(sql, bindings, isKept: isKept) { statement in
            let value = SQLValue(statement, 0)
            if case .null = value { return false }
            found = try Self.read(value, statement, sql)
            return false
        }
        return found
    }

    private func column<Value: SQLReadable>(
        _ sql: String, _ bindings: Bindings, isKept: Bool
    ) throws -> [Value] {
        var found: [Value] = []
        try step(sql, bindings, isKept: isKept) { statement in
            found.append(try Self.read(SQLValue(statement, 0), statement, sql))
            return true
        }
        return found
    }

    private static func read<Value: SQLReadable>(
        _ value: SQLValue, _ statement: SQLiteStatement, _ sql: String
    ) throws -> Value {
        if let read = Value(sql: value) { return read }
        let name = sqlite3_column_name(statement, 0).map { String(cString: $0) }
        throw UnreadableValue(sql: sql, column: name ?? "", value: value)
    }

    /// - Parameter body: of each row; ends the statement by `false`.
    private func step(
        _ sql: String, _ bindings: Bindings, isKept: Bool,
        _ body: (SQLiteStatement) throws -> Bool
    ) throws {
        try StatementError.translating {
            let compiled =
                isKept
                ? try database.cachedStatement(sql: sql) : try database.makeStatement(sql: sql)
            let statement = compiled.sqliteStatement
            // Whoever ran it before may have left it on a row.
            sqlite3_reset(statement)
            defer {
                sqlite3_reset(statement)
                sqlite3_clear_bindings(statement)
            }
            try bind(bindings, to: statement, sql)
            let steps = Steps(compiled)
            while try steps.next() != nil, try body(statement) {}
        }
    }
}
