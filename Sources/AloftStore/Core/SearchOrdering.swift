package import AloftDomain
import GRDB

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
        var sql: SQLText
        var ascending: Bool
    }

    private(set) var terms: [Term] = []

    mutating func add(_ sql: SQLText, ascending: Bool) {
        terms.append(Term(sql: sql, ascending: ascending))
    }

    mutating func add(_ column: String, ascending: Bool) {
        add(SQLText(column), ascending: ascending)
    }

    /// Of values that may be missing; those come last whichever way.
    mutating func addOptional(_ sql: SQLText, ascending: Bool) {
        // In parentheses: a comparison binds closer than IS.
        add(SQLText("(") + sql + SQLText(" IS NULL)"), ascending: true)
        add(sql, ascending: ascending)
    }

    /// `, TERM AS order0, …`: for `page(_:_:limit:)`.
    var columns: SQLText {
        terms.enumerated().reduce(into: SQLText()) { text, term in
            text += SQLText(", ") + term.element.sql + SQLText(" AS order\(term.offset)")
        }
    }

    /// By those columns.
    var orderByColumns: SQLText {
        orderBy(terms.enumerated().map { (SQLText("order\($0.offset)"), $0.element.ascending) })
    }

    /// By the terms themselves.
    var orderByTerms: SQLText { orderBy(terms.map { ($0.sql, $0.ascending) }) }

    private func orderBy(_ terms: [(sql: SQLText, ascending: Bool)]) -> SQLText {
        terms.enumerated().reduce(into: SQLText()) { text, term in
            text += SQLText(term.offset == 0 ? " ORDER BY " : ", ") + term.element.sql
            text += term.element.ascending ? " ASC" : " DESC"
        }
    }

    /// ` AND …`: true of the rows after a position.
    ///
    /// - Throws: `ForeignPosition`.
    func after(_ position: SearchPosition?) throws -> SQLText {
        guard let position else { return SQLText() }
        return try after(position.values[...])
    }

    func after(_ values: ArraySlice<SearchPosition.Value>) throws -> SQLText {
        guard values.count == terms.count else { throw ForeignPosition() }
        var text = SQLText("0")
        for (term, value) in zip(terms, values).reversed() {
            let same = term.sql + SQLText(" IS ?", [value.databaseValue])
            text = SQLText("(") + same + SQLText(" AND ") + text + SQLText(")")
            // Of missing values, which a term before tells apart, none comes before another.
            if value != .null {
                text =
                    SQLText("(") + beyond(term, value, "") + SQLText(" OR ") + text + SQLText(")")
            }
        }
        // What an index can begin at.
        guard let first = terms.first, let value = values.first, value != .null else {
            return SQLText(" AND ") + text
        }
        return SQLText(" AND ") + beyond(first, value, "=") + SQLText(" AND ") + text
    }

    private func beyond(_ term: Term, _ value: SearchPosition.Value, _ equal: String) -> SQLText {
        term.sql + SQLText(" \(term.ascending ? ">" : "<")\(equal) ?", [value.databaseValue])
    }

    /// A page of at most `limit` of these rows, which are one more where there are more and have
    /// `columns`.
    func page<Item>(
        _ rows: [Row], limit: Int, _ item: (Row) throws -> Item
    ) throws -> SearchPage<Item> {
        SearchPage(
            items: try rows.prefix(limit).map(item),
            next: rows.count > limit && limit > 0 ? position(of: rows[limit - 1]) : nil)
    }

    private func position(of row: Row) -> SearchPosition {
        SearchPosition(
            terms.indices.map { SearchPosition.Value(row["order\($0)"] as DatabaseValue) })
    }
}

extension SearchPosition.Value {
    init(_ value: DatabaseValue) {
        switch value.storage {
        case .int64(let number): self = .int(number)
        case .double(let number): self = .real(number)
        case .string(let text): self = .text(text)
        case .null, .blob: self = .null
        }
    }

    var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .int(let number): number.databaseValue
        case .real(let number): number.databaseValue
        case .text(let text): text.databaseValue
        }
    }
}
