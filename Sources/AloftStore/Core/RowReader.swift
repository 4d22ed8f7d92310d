package import AloftDomain
package import Foundation
import GRDBSQLite

/// A row that was read, its values by the names of their columns. What is not what the caller asks for
/// throws `UnreadableValue`; nothing is guessed.
///
/// Not sendable: as the transaction that it is of, it stays where it was read.
package struct RowReader {
    /// Of all rows of one result.
    final class Columns {
        let sql: String
        private var names: [UInt8] = []
        private var ends: [Int] = []
        /// Columns are mostly read in their order.
        private var next = 0

        init(_ statement: OpaquePointer, _ sql: String) {
            self.sql = sql
            let count = sqlite3_column_count(statement)
            names.reserveCapacity(16 * Int(count))
            ends.reserveCapacity(Int(count))
            for index in 0..<count {
                if let name = sqlite3_column_name(statement, index) {
                    names += UnsafeRawBufferPointer(start: name, count: strlen(name))
                }
                ends.append(names.count)
            }
        }

        var count: Int { ends.count }

        var all: [String] {
            ends.indices.map { String(decoding: names[start($0)..<ends[$0]], as: UTF8.self) }
        }

        func index(of name: UnsafeBufferPointer<UInt8>) -> Int? {
            if next < ends.count, isNamed(next, name) {
                next += 1
                return next - 1
            }
            guard let index = ends.indices.first(where: { isNamed($0, name) }) else { return nil }
            next = index + 1
            return index
        }

        private func start(_ index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

        private func isNamed(_ index: Int, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
            let start = start(index)
            guard ends[index] - start == name.count, let wanted = name.baseAddress else {
                return false
            }
            return names.withUnsafeBytes { bytes in
                bytes.baseAddress.map { memcmp($0 + start, wanted, name.count) == 0 } ?? false
            }
        }
    }

    let columns: Columns
    /// In the order of the columns.
    package let values: [SQLValue]

    init(_ statement: OpaquePointer, _ columns: Columns) {
        self.columns = columns
        values = (0..<Int32(columns.count)).map { SQLValue(statement, $0) }
    }

    /// In the order of the values.
    package var names: [String] { columns.all }

    /// - Throws: `UnreadableValue` where the row has no such column or it holds something else.
    package subscript<Value: SQLReadable>(_ column: StaticString) -> Value {
        get throws {
            let value = try value(column)
            guard let read = Value(sql: value) else { throw unreadable(column, value) }
            return read
        }
    }

    /// Of a column whose name is put together.
    package func value<Value: SQLReadable>(named column: String) throws -> Value {
        var column = column
        let index = column.withUTF8 { columns.index(of: $0) }
        guard let index else { throw UnreadableValue(sql: columns.sql, column: column, value: nil) }
        guard let read = Value(sql: values[index]) else {
            throw UnreadableValue(sql: columns.sql, column: column, value: values[index])
        }
        return read
    }

    /// A word that stands for a case.
    package func word<Word: RawRepresentable>(
        _ column: StaticString, as type: Word.Type = Word.self
    ) throws -> Word where Word.RawValue: SQLReadable {
        guard let word = try optionalWord(column, as: type) else {
            throw unreadable(column, .null)
        }
        return word
    }

    /// `nil` for NULL.
    package func optionalWord<Word: RawRepresentable>(
        _ column: StaticString, as type: Word.Type = Word.self
    ) throws -> Word? where Word.RawValue: SQLReadable {
        let value = try value(column)
        if case .null = value { return nil }
        guard let raw = Word.RawValue(sql: value), let word = Word(rawValue: raw) else {
            throw unreadable(column, value)
        }
        return word
    }

    /// A time as `Date.stamp` writes it.
    package func date(_ column: StaticString) throws -> Date {
        guard let date = try optionalDate(column) else { throw unreadable(column, .null) }
        return date
    }

    /// `nil` for NULL.
    package func optionalDate(_ column: StaticString) throws -> Date? {
        let value = try value(column)
        if case .null = value { return nil }
        guard case .text(let stamp) = value, let date = Date(stamp: stamp) else {
            throw unreadable(column, value)
        }
        return date
    }

    /// What `StoredJSON.text` wrote.
    package func json<Value: Decodable>(
        _ column: StaticString, as type: Value.Type = Value.self
    ) throws -> Value {
        guard let value = try optionalJSON(column, as: type) else {
            throw unreadable(column, .null)
        }
        return value
    }

    /// `nil` for NULL.
    package func optionalJSON<Value: Decodable>(
        _ column: StaticString, as type: Value.Type = Value.self
    ) throws -> Value? {
        let value = try value(column)
        if case .null = value { return nil }
        guard case .text(let text) = value else { throw unreadable(column, value) }
        do { return try StoredJSON.value(type, from: text) } catch {
            // Not what it says: a definition may hold what not every reader may see.
            throw UnreadableValue(
                sql: columns.sql, column: "\(column)", text: "\(text.utf8.count) bytes of JSON")
        }
    }

    /// The hexadecimal digits of a digest; `nil` for NULL.
    package func optionalDigest(_ column: StaticString) throws -> ContentDigest? {
        let value = try value(column)
        if case .null = value { return nil }
        guard case .text(let text) = value, let digest = ContentDigest(hex: text) else {
            throw unreadable(column, value)
        }
        return digest
    }

    /// Says that a column holds what nobody writes there, for rules that take several columns.
    package func unreadable(_ column: StaticString) -> UnreadableValue {
        unreadable(column, (try? value(column)) ?? .null)
    }

    private func unreadable(_ column: StaticString, _ value: SQLValue) -> UnreadableValue {
        UnreadableValue(sql: columns.sql, column: "\(column)", value: value)
    }

    private func value(_ column: StaticString) throws -> SQLValue {
        let index = column.withUTF8Buffer { columns.index(of: $0) }
        guard let index else {
            throw UnreadableValue(sql: columns.sql, column: "\(column)", value: nil)
        }
        return values[index]
    }
}
