package import AloftDomain

/// A column holds what this program never writes there. Nothing is made up in its place: a token of an
/// unknown kind is nobody's, a state that is unknown is not the first one.
package struct UnreadableValue: Refusal, Equatable {
    package var table: String
    package var column: String
    /// As somebody would look for it in the database; long ones are cut.
    package var value: String

    static let longest = 80

    package init(table: String, column: String, value: SQLValue) {
        self.init(table: table, column: column, text: Self.text(value))
    }

    package init(table: String, column: String, text: String) {
        self.table = table
        self.column = column
        value = String(String.UnicodeScalarView(text.unicodeScalars.prefix(Self.longest)))
    }

    init(sql: String, column: String, text: String) {
        self.init(table: Self.table(of: sql), column: column, text: text)
    }

    /// - Parameter sql: the statement that the row is of.
    init(sql: String, column: String, value: SQLValue?) {
        self.init(
            table: Self.table(of: sql), column: column,
            text: value.map(Self.text) ?? "no column of this name")
    }

    package var code: String { "unreadable_value" }
    package var kind: RefusalKind { .damaged }
    package var message: String {
        "the database holds what this version cannot read: table \(table), column \(column), "
            + "value \(value). A newer version, or somebody by hand, wrote it."
    }

    private static func text(_ value: SQLValue) -> String {
        switch value {
        case .null: "NULL"
        case .int(let number): String(number)
        case .real(let number): String(number)
        case .text(let text): "'\(text)'"
        case .blob(let bytes): "\(bytes.count) bytes"
        }
    }

    /// The first table that a statement names.
    static func table(of sql: String) -> String {
        let words = sql.split { $0.isWhitespace || $0 == "(" || $0 == ")" || $0 == "," }
        for (word, next) in zip(words, words.dropFirst())
        where ["FROM", "UPDATE", "INTO"].contains(word.uppercased()) && next != "SELECT" {
            return String(next)
        }
        return "of a statement"
    }
}
