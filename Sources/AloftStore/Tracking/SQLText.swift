import AloftDomain
package import GRDB

/// SQL with its arguments, put together piece by piece. Texts from outside are only ever arguments.
package struct SQLText: Sendable {
    package private(set) var sql: String
    package private(set) var arguments: [DatabaseValue]

    package init(_ sql: String = "", _ arguments: [DatabaseValue] = []) {
        self.sql = sql
        self.arguments = arguments
    }

    package static func + (left: SQLText, right: SQLText) -> SQLText {
        SQLText(left.sql + right.sql, left.arguments + right.arguments)
    }

    package static func += (left: inout SQLText, right: SQLText) { left = left + right }

    package static func += (left: inout SQLText, right: String) { left.sql += right }

    /// `(?, ?, …)`; never empty.
    package static func list(_ values: [some DatabaseValueConvertible]) -> SQLText {
        guard !values.isEmpty else { return SQLText("(NULL)") }
        let marks = Array(repeating: "?", count: values.count).joined(separator: ", ")
        return SQLText("(\(marks))", values.map(\.databaseValue))
    }

    /// Not cached: searches come in any number of shapes.
    func rows(_ db: Database) throws -> [Row] {
        try Row.fetchAll(db.makeStatement(sql: sql), arguments: StatementArguments(arguments))
    }
}

extension TextMatch {
    /// `column` compared; NULL never matches but for `isNull`.
    func sql(_ column: String) -> SQLText {
        switch self {
        case .equal(let text): SQLText("\(column) = ?", [text.databaseValue])
        case .notEqual(let text): SQLText("\(column) <> ?", [text.databaseValue])
        case .like(let pattern, ignoringCase: true):
            SQLText("\(column) LIKE ?", [pattern.databaseValue])
        case .like(let pattern, ignoringCase: false):
            SQLText("\(column) GLOB ?", [Self.glob(pattern).databaseValue])
        case .matching(let pattern):
            SQLText(
                "\(PatternFunction.name)(?, \(column))", [pattern.text.databaseValue])
        case .oneOf(let texts): SQLText("\(column) IN ") + .list(texts)
        case .noneOf(let texts): SQLText("\(column) NOT IN ") + .list(texts)
        case .isNull: SQLText("\(column) IS NULL")
        case .isNotNull: SQLText("\(column) IS NOT NULL")
        }
    }

    /// SQLite's LIKE knows no case; its GLOB does, with other wildcards.
    static func glob(_ pattern: String) -> String {
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
}

extension NumberMatch {
    func sql(_ column: String) -> SQLText {
        SQLText("\(column) \(comparator.rawValue) ?", [value.databaseValue])
    }

    /// The same of a metric's value, where NULL stands for NaN: that is unlike every number.
    func metricSQL(_ column: String) -> SQLText {
        guard comparator == .notEqual else { return sql(column) }
        return SQLText("(\(column) IS NULL OR ") + sql(column) + SQLText(")")
    }
}
