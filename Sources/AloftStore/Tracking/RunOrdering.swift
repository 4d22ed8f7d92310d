import GRDB

/// An order of runs as SQL: the tables it needs beside the run `r`, and its terms.
///
/// Missing values come last whichever way, NaN before them; then the newest run first.
struct RunOrdering {
    private(set) var joins = SQLText()
    private(set) var terms: [String] = []

    /// - Parameter leading: the column that already stands for the first order, if any.
    init(_ orders: [RunSearch.Order], leading: String? = nil, skippingFirst: Bool = false) {
        for (index, order) in orders.enumerated() {
            if index == 0, skippingFirst { continue }
            if index == 0, let leading {
                terms.append("\(leading) " + Self.direction(order))
            } else {
                add(order, index)
            }
        }
        let left = skippingFirst ? orders.dropFirst() : orders[...]
        if !left.contains(where: { $0.key == .number(.startTime) }) {
            terms.append("r.startTime DESC")
        }
        terms.append("r.id ASC")
    }

    /// `ORDER BY … LIMIT … OFFSET …`
    func ending(limit: Int, offset: Int) -> SQLText {
        SQLText(
            " ORDER BY \(terms.joined(separator: ", ")) LIMIT ? OFFSET ?",
            [limit.databaseValue, offset.databaseValue])
    }

    private mutating func add(_ order: RunSearch.Order, _ index: Int) {
        let direction = Self.direction(order)
        if let (table, key) = order.key.table {
            joins += SQLText(
                " LEFT JOIN \(table) o\(index) ON o\(index).run = r.number AND o\(index).key = ?",
                [key.databaseValue])
        }
        switch order.key {
        case .metric:
            terms += [
                "(o\(index).run IS NULL)", "(o\(index).value IS NULL)",
                "o\(index).value " + direction,
            ]
        case .param, .tag:
            terms += ["(o\(index).value IS NULL)", "o\(index).value " + direction]
        case .text(let column): terms.append("r.\(column.rawValue) " + direction)
        case .number(.startTime): terms.append("r.startTime " + direction)
        case .number(.endTime): terms += ["(r.endTime IS NULL)", "r.endTime " + direction]
        }
    }

    private static func direction(_ order: RunSearch.Order) -> String {
        order.ascending ? "ASC" : "DESC"
    }
}

extension RunSearch.OrderKey {
    /// The table with this key's values.
    var table: (name: String, key: String)? {
        switch self {
        case .metric(let key): ("latestMetric", key)
        case .param(let key): ("runParam", key)
        case .tag(let key): ("runTag", key)
        case .text, .number: nil
        }
    }

    /// The same, if it has an index by (experiment, key, value) that holds this key.
    var indexed: (name: String, key: String)? {
        self == .tag(TrackingQueries.nameKey) ? nil : table
    }
}
