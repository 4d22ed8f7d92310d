import AloftDomain

/// An order of runs as SQL: the tables it needs beside the run `r`, and its terms.
///
/// Missing values come last whichever way, NaN before them; then the newest run first.
struct RunOrdering {
    private(set) var joins = Statement()
    private var ordering = SearchOrdering()

    /// - Parameter leading: the column that already stands for the first order, if any.
    init(_ orders: [RunSearch.Order], leading: String? = nil, skippingFirst: Bool = false) {
        for (index, order) in orders.enumerated() {
            if index == 0, skippingFirst { continue }
            if index == 0, let leading {
                ordering.add(leading, ascending: order.ascending)
            } else {
                add(order, index)
            }
        }
        let left = skippingFirst ? orders.dropFirst() : orders[...]
        if !left.contains(where: { $0.key == .number(.startTime) }) {
            ordering.add("r.startTime", ascending: false)
        }
        ordering.add("r.id", ascending: true)
    }

    /// `ORDER BY … LIMIT … OFFSET …`
    func ending(limit: Int, offset: Int) -> Statement {
        ordering.orderByTerms
            + Statement(" LIMIT ? OFFSET ?", [limit.sqlValue, offset.sqlValue])
    }

    /// ` AND …`: true of the runs after these values of its terms.
    func after(_ values: ArraySlice<SearchPosition.Value>?) throws -> Statement {
        try values.map(ordering.after) ?? Statement()
    }

    private mutating func add(_ order: RunSearch.Order, _ index: Int) {
        let ascending = order.ascending
        if let (table, key) = order.key.table {
            joins += Statement(
                " LEFT JOIN \(table) o\(index) ON o\(index).run = r.number AND o\(index).key = ?",
                [key.sqlValue])
        }
        switch order.key {
        case .metric:
            ordering.add("(o\(index).run IS NULL)", ascending: true)
            ordering.add("(o\(index).value IS NULL)", ascending: true)
            ordering.add("o\(index).value", ascending: ascending)
        case .param, .tag:
            ordering.add("(o\(index).value IS NULL)", ascending: true)
            ordering.add("o\(index).value", ascending: ascending)
        case .text(let column): ordering.add("r.\(column.rawValue)", ascending: ascending)
        case .number(.startTime): ordering.add("r.startTime", ascending: ascending)
        case .number(.endTime):
            ordering.add("(r.endTime IS NULL)", ascending: true)
            ordering.add("r.endTime", ascending: ascending)
        }
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
        if case .tag(let key) = self, key.isSame(as: TrackingQueries.nameKey) { return nil }
        return table
    }
}

extension RunSearch {
    /// Where a page ends whose last run this is: the values of `RunOrdering`'s terms.
    package func position(of run: RunRecord) -> SearchPosition {
        var values = orders.flatMap { Self.values(of: run, $0.key) }
        if !orders.contains(where: { $0.key == .number(.startTime) }) {
            values.append(.int(run.info.startTime))
        }
        return SearchPosition(values + [.text(run.info.id.rawValue)])
    }

    private static func values(of run: RunRecord, _ key: OrderKey) -> [SearchPosition.Value] {
        switch key {
        case .metric(let key):
            guard let metric = run.metrics.first(where: { $0.key.isSame(as: key) }) else {
                return [.int(1), .int(1), .null]
            }
            let value = metric.point.value
            return value.isNaN ? [.int(0), .int(1), .null] : [.int(0), .int(0), .real(value)]
        case .param(let key): return optional(run.params.first { $0.key.isSame(as: key) }?.value)
        case .tag(let key): return optional(run.tags.first { $0.key.isSame(as: key) }?.value)
        case .text(.id): return [.text(run.info.id.rawValue)]
        case .text(.name): return [.text(run.info.name)]
        case .text(.userId): return [.text(run.info.user)]
        case .text(.status): return [.text(run.info.status.rawValue)]
        case .text(.artifactUri): return [.text(run.info.artifactURI)]
        case .number(.startTime): return [.int(run.info.startTime)]
        case .number(.endTime):
            return run.info.endTime.map { [.int(0), .int($0)] } ?? [.int(1), .null]
        }
    }

    private static func optional(_ text: String?) -> [SearchPosition.Value] {
        text.map { [.int(0), .text($0)] } ?? [.int(1), .null]
    }
}
