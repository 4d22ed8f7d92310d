import Foundation
import GRDBSQLite

/// The row that a statement stands on, read without a copy; it is gone afterwards.
///
/// For what is read by the thousand, and for the few statements that run for each run and point.
package struct StandingRow {
    let statement: OpaquePointer
    private let sql: String
    /// Columns are mostly read in their order.
    private var next: Int32 = 0

    init(_ statement: OpaquePointer, _ sql: String) {
        self.statement = statement
        self.sql = sql
    }

    /// - Throws: `UnreadableValue` where the row has no such column or it holds something else.
    package subscript<Value: SQLReadable>(_ column: StaticString) -> Value {
        mutating get throws {
            let index = try index(of: column)
            let value = SQLValue(statement, index)
            guard let read = Value(sql: value) else { throw unreadable(column, value) }
            return read
        }
    }

    /// In the order of the columns.
    var values: [SQLValue] {
        (0..<sqlite3_column_count(statement)).map { SQLValue(statement, $0) }
    }

    mutating func int(_ column: StaticString) throws -> Int64 {
        let index = try index(of: column)
        guard sqlite3_column_type(statement, index) == SQLITE_INTEGER else {
            throw unreadable(column, SQLValue(statement, index))
        }
        return sqlite3_column_int64(statement, index)
    }

    /// Gives a blob out where the database has it.
    mutating func withBytes<Value>(
        _ column: StaticString, _ body: (UnsafeRawBufferPointer) throws -> Value
    ) throws -> Value {
        let index = try index(of: column)
        guard sqlite3_column_type(statement, index) == SQLITE_BLOB else {
            throw unreadable(column, SQLValue(statement, index))
        }
        let start = sqlite3_column_blob(statement, index)
        let count = Int(sqlite3_column_bytes(statement, index))
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
    }

    /// A word that stands for a case.
    mutating func word<Word: RawRepresentable>(
        _ column: StaticString, as type: Word.Type = Word.self
    ) throws -> Word where Word.RawValue == String {
        let text: String = try self[column]
        guard let word = Word(rawValue: text) else { throw unreadable(column, .text(text)) }
        return word
    }

    private func unreadable(_ column: StaticString, _ value: SQLValue) -> UnreadableValue {
        UnreadableValue(sql: sql, column: "\(column)", value: value)
    }

    private mutating func index(of column: StaticString) throws -> Int32 {
        if isNamed(next, column) {
            next += 1
            return next - 1
        }
        for index in 0..<sqlite3_column_count(statement) where isNamed(index, column) {
            next = index + 1
            return index
        }
        throw UnreadableValue(sql: sql, column: "\(column)", value: nil)
    }

    private func isNamed(_ index: Int32, _ column: StaticString) -> Bool {
        guard let name = sqlite3_column_name(statement, index) else { return false }
        return column.withUTF8Buffer { wanted in
            guard let start = wanted.baseAddress else { return false }
            return strncmp(name, start, wanted.count) == 0 && name[wanted.count] == 0
        }
    }
}

extension SQLValue {
    /// What stands in a column. Texts by length: a zero byte ends none.
    init(_ statement: OpaquePointer, _ index: Int32) {
        switch sqlite3_column_type(statement, index) {
        case SQLITE_INTEGER: self = .int(sqlite3_column_int64(statement, index))
        case SQLITE_FLOAT: self = .real(sqlite3_column_double(statement, index))
        case SQLITE_TEXT:
            let start = sqlite3_column_text(statement, index)
            let count = Int(sqlite3_column_bytes(statement, index))
            let bytes = UnsafeBufferPointer(start: start, count: start == nil ? 0 : count)
            self = .text(String(decoding: bytes, as: UTF8.self))
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(statement, index)
            let count = Int(sqlite3_column_bytes(statement, index))
            let bytes = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
            self = .blob([UInt8](bytes))
        default: self = .null
        }
    }
}
