/// SQL with its values, put together piece by piece. Texts from outside are only ever values.
package struct Statement: Sendable {
    package private(set) var sql: String
    package private(set) var values: [SQLValue]

    package init(_ sql: String = "", _ values: [SQLValue] = []) {
        self.sql = sql
        self.values = values
    }

    package static func + (left: Statement, right: Statement) -> Statement {
        Statement(left.sql + right.sql, left.values + right.values)
    }

    package static func += (left: inout Statement, right: Statement) { left = left + right }

    package static func += (left: inout Statement, right: String) { left.sql += right }

    /// `(?, ?, …)`; never empty.
    package static func list(_ values: [some SQLWritable]) -> Statement {
        guard !values.isEmpty else { return Statement("(NULL)") }
        let marks = Array(repeating: "?", count: values.count).joined(separator: ", ")
        return Statement("(\(marks))", values.map(\.sqlValue))
    }
}

/// What stands for the marks of a statement: for each `?` in turn, or for each `:name`.
package struct Bindings: Sendable, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    var values: [SQLValue]
    /// Of as many as `values`; empty where they go by their place.
    var names: [String] = []

    package init(_ values: [SQLValue]) { self.values = values }

    package init(arrayLiteral elements: (any SQLWritable)?...) {
        values = elements.map { $0?.sqlValue ?? .null }
    }

    package init(dictionaryLiteral elements: (String, (any SQLWritable)?)...) {
        values = elements.map { $0.1?.sqlValue ?? .null }
        names = elements.map { ":" + $0.0 }
    }
}
