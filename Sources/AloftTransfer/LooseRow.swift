import GRDB

/// SQLite keeps any value in any column, and a file of years has some of each. These take a value as
/// what it is wanted for, where it can be that, and end nothing where it cannot.
extension Row {
    func text(_ column: String) -> String? { Self.asText(value(column)) }

    func text(at index: Int) -> String? {
        index < count ? Self.asText(self[index] as DatabaseValue) : nil
    }

    func number(_ column: String) -> Int64? {
        switch value(column).storage {
        case .int64(let number): number
        case .double(let number): Int64(exactly: number.rounded())
        case .string(let text): Int64(text)
        case .null, .blob: nil
        }
    }

    func real(_ column: String) -> Double? {
        switch value(column).storage {
        case .int64(let number): Double(number)
        case .double(let number): number
        case .string(let text): Double(text)
        case .null, .blob: nil
        }
    }

    /// - Throws: `SourceError` where the column has no text.
    func requiredText(_ column: String) throws -> String {
        guard let text = text(column) else { throw Self.missing(column) }
        return text
    }

    /// - Throws: `SourceError` where the column has no whole number.
    func requiredNumber(_ column: String) throws -> Int64 {
        guard let number = number(column) else { throw Self.missing(column) }
        return number
    }

    private static func missing(_ column: String) -> SourceError {
        SourceError("its column '\(column)' is empty or of another kind", isRefusal: true)
    }

    private func value(_ column: String) -> DatabaseValue {
        hasColumn(column) ? self[column] as DatabaseValue : .null
    }

    private static func asText(_ value: DatabaseValue) -> String? {
        switch value.storage {
        case .string(let text): text
        case .int64(let number): String(number)
        case .double(let number): String(number)
        case .null, .blob: nil
        }
    }
}
