package import AloftDomain

/// Where a page of a search ended: the values that its last row is in order by. What is added, changed
/// or deleted meanwhile moves none of the rows that come after.
package struct SearchPosition: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case null
        case int(Int64)
        case real(Double)
        case text(String)
    }

    package var values: [Value]

    package init(_ values: [Value]) { self.values = values }
}

/// A page and where it ends.
package struct SearchPage<Item: Sendable>: Sendable {
    package var items: [Item]
    /// `nil` on the last page.
    package var next: SearchPosition?
}

/// A position that no page of this search ends at.
package struct ForeignPosition: Refusal, Equatable {
    package var code: String { "page_token_of_another_search" }
    package var kind: RefusalKind { .invalid }
    package var message: String {
        "Invalid page token: it belongs to a search with another order_by. Begin with the first page."
    }
}

/// What rows are in order by, term by term; all together decide between any two of them.
struct SearchOrdering {
    struct Term {
        var sql: Statement
        var ascending: Bool
    }

    private(set) var terms: [Term] = []

    mutating func add(_ sql: Statement, ascending: Bool) {
        terms.append(Term(sql: sql, ascending: ascending))
    }

    mutating func add(_ column: String, ascending: Bool) {
        add(Statement(column), ascending: ascending)
    }

    /// Of values that may be missing; those come last whichever way.
    mutating func addOptional(_ sql: Statement, ascending: Bool) {
        // In parentheses: a comparison binds closer than IS.
        add(Statement("(") + sql + Statement(" IS NULL)"), ascending: true)
        add(sql, ascending: ascending)
    }

    /// `, TERM AS order0, …`: for `page(_:_:limit:)`.
    var columns: Statement {
        terms.enumerated().reduce(into: Statement()) { text, term in
            text += Statement(", ") + term.element.sql + Statement(" AS order\(term.offset)")
        }
    }

    /// By those columns.
    var orderByColumns: Statement {
        orderBy(terms.enumerated().map { (Statement("order\($0.offset)"), $0.element.ascending) })
    }

    /// By the terms themselves.
    var orderByTerms: Statement { orderBy(terms.map { ($0.sql, $0.ascending) }) }

    private func orderBy(_ terms: [(sql: Statement, ascending: Bool)]) -> Statement {
        terms.enumerated().reduce(into: Statement()) { text, term in
            text += Statement(term.offset == 0 ? " ORDER BY " : ", ") + term.element.sql
            text += term.element.ascending ? " ASC" : " DESC"
        }
    }

    /// ` AND …`: true of the rows after a position.
    ///
    /// - Throws: `ForeignPosition`.
    func after(_ position: SearchPosition?) throws -> Statement {
        guard let position else { return Statement() }
        return try after(position.values[...])
    }

    func after(_ values: ArraySlice<SearchPosition.Value>) throws -> Statement {
        guard values.count == terms.count else { throw ForeignPosition() }
        var text = Statement("FALSE")
        for (term, value) in zip(terms, values).reversed() {
            let same = term.sql + Statement(" \(Dialect.isSame) ?", [value.sqlValue])
            text = Statement("(") + same + Statement(" AND ") + text + Statement(")")
            // Of missing values, which a term before tells apart, none comes before another.
            if value != .null {
                text =
                    Statement("(") + beyond(term, value, "") + Statement(" OR ") + text
                    + Statement(")")
            }
        }
        // What an index can begin at.
        guard let first = terms.first, let value = values.first, value != .null else {
            return Statement(" AND ") + text
        }
        return Statement(" AND ") + beyond(first, value, "=") + Statement(" AND ") + text
    }

    private func beyond(_ term: Term, _ value: SearchPosition.Value, _ equal: String) -> Statement {
        term.sql + Statement(" \(term.ascending ? ">" : "<")\(equal) ?", [value.sqlValue])
    }

    /// A page of at most `limit` of these rows, which are one more where there are more and have
    /// `columns`.
    func page<Item>(
        _ rows: [RowReader], limit: Int, _ item: (RowReader) throws -> Item
    ) throws -> SearchPage<Item> {
        SearchPage(
            items: try rows.prefix(limit).map(item),
            next: rows.count > limit && limit > 0 ? try position(of: rows[limit - 1]) : nil)
    }

    private func position(of row: RowReader) throws -> SearchPosition {
        SearchPosition(
            try terms.indices.map { SearchPosition.Value(try row.value(named: "order\($0)")) })
    }
}

extension SearchPosition.Value {
    init(_ value: SQLValue) {
        switch value {
        case .int(let number): self = .int(number)
        case .real(let number): self = .real(number)
        case .text(let text): self = .text(text)
        case .null, .blob: self = .null
        }
    }

    var sqlValue: SQLValue {
        switch self {
        case .null: .null
        case .int(let number): .int(number)
        case .real(let number): .real(number)
        case .text(let text): .text(text)
        }
    }
}
