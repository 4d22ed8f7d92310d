package import Foundation

/// A value as a database holds it: given to a statement, or read from a row.
package enum SQLValue: Sendable, Equatable {
    case null
    case int(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    static func optional(_ value: Double?) -> SQLValue { value.map { .real($0) } ?? .null }

    package var isNull: Bool { self == .null }
}

/// What can be given to a statement.
package protocol SQLWritable {
    var sqlValue: SQLValue { get }
}

/// What a column can be read as.
package protocol SQLReadable {
    /// `nil` where the value is something else: no number is made of a text, nor the other way.
    init?(sql value: SQLValue)
}

extension SQLValue: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { self }
    package init?(sql value: SQLValue) { self = value }
}

extension String: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .text(self) }
    package init?(sql value: SQLValue) {
        guard case .text(let text) = value else { return nil }
        self = text
    }
}

extension Int64: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .int(self) }
    package init?(sql value: SQLValue) {
        guard case .int(let number) = value else { return nil }
        self = number
    }
}

extension Int: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .int(Int64(self)) }
    package init?(sql value: SQLValue) {
        guard case .int(let number) = value, let whole = Int(exactly: number) else { return nil }
        self = whole
    }
}

/// Kept as the signed number of the same value; none of ours is ever beyond that.
extension UInt64: SQLReadable {
    package init?(sql value: SQLValue) {
        guard case .int(let number) = value, let count = UInt64(exactly: number) else { return nil }
        self = count
    }
}

extension Double: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .real(self) }
    package init?(sql value: SQLValue) {
        switch value {
        case .real(let number): self = number
        case .int(let number): self = Double(number)
        case .null, .text, .blob: return nil
        }
    }
}

/// 0 and 1.
extension Bool: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .int(self ? 1 : 0) }
    package init?(sql value: SQLValue) {
        guard case .int(let number) = value, number == 0 || number == 1 else { return nil }
        self = number == 1
    }
}

extension [UInt8]: SQLWritable, SQLReadable {
    package var sqlValue: SQLValue { .blob(self) }
    package init?(sql value: SQLValue) {
        guard case .blob(let bytes) = value else { return nil }
        self = bytes
    }
}

extension Data: SQLWritable {
    package var sqlValue: SQLValue { .blob([UInt8](self)) }
}

extension Optional: SQLWritable where Wrapped: SQLWritable {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
    package init?(sql value: SQLValue) {
        if case .null = value {
            self = .none
        } else {
            guard let wrapped = Wrapped(sql: value) else { return nil }
            self = .some(wrapped)
        }
    }
}
