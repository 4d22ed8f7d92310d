import AloftDomain

/// What runs are put into groups by.
package enum RunGrouping: Sendable, Equatable {
    case status
    case param(String)
    case tag(String)

    /// What holds of the runs of the group with this value; `nil` is the group of those without one.
    package func condition(_ value: String?) -> RunSearch.Condition {
        let match = value.map { TextMatch.equal($0) } ?? .isNull
        switch self {
        case .status: return .text(.status, match)
        case .param(let key): return .param(key, match)
        case .tag(let key): return .tag(key, match)
        }
    }

    fileprivate var column: String { self == .status ? "r.status" : "g.value" }

    fileprivate var join: Statement {
        switch self {
        case .status: Statement()
        case .param(let key): Self.join("runParam", key)
        case .tag(let key): Self.join("runTag", key)
        }
    }

    private static func join(_ table: String, _ key: String) -> Statement {
        Statement(
            " LEFT JOIN \(table) g ON g.run = r.number AND g.key = ?", [key.sqlValue])
    }
}

/// The runs of a search that share a value.
package struct RunGroup: Sendable, Equatable {
    /// `nil` for the runs that have none.
    package var value: String?
    package var count: Int64
    /// Of the latest values of each metric asked for, in that order; `nil` where no run has one.
    package var means: [Double?]
}

extension TrackingQueries {
    /// How many runs a search would find without its limit.
    package static func count(_ db: Transaction, _ search: RunSearch) throws -> Int64 {
        guard let selection = RunSelection(search) else { return 0 }
        let text = Statement("SELECT count(*) FROM run r") + selection.condition
        return try db.value(text) ?? 0
    }

    /// The groups of all runs that a search would find without its limit, the largest first; at most
    /// `search.limit` and one more where there are more.
    ///
    /// Costs one pass over the runs that match, and one look-up a run for each of `metrics`.
    package static func groups(
        _ db: Transaction, _ search: RunSearch, by grouping: RunGrouping, metrics: [String] = []
    ) throws -> [RunGroup] {
        guard let selection = RunSelection(search) else { return [] }
        var columns = ""
        var joins = grouping.join
        for (index, key) in metrics.enumerated() {
            columns += ", avg(m\(index).value) AS mean\(index)"
            joins += Statement(
                " LEFT JOIN latestMetric m\(index) ON m\(index).run = r.number"
                    + " AND m\(index).key = ?", [key.sqlValue])
        }
        let text =
            Statement("SELECT \(grouping.column) AS shared, count(*) AS runs\(columns) FROM run r")
            + joins
            + selection.condition
            + Statement(
                " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT ? OFFSET ?",
                [(search.limit + 1).sqlValue, search.offset.sqlValue])
        return try db.rows(text).map { row in
            try RunGroup(
                value: row["shared"], count: row["runs"],
                means: metrics.indices.map { try row.value(named: "mean\($0)") })
        }
    }
}

/// `WHERE …`: the runs `r` that a search finds, each condition read from an index once.
private struct RunSelection {
    let condition: Statement

    /// `nil` if the search names no experiment that there could be.
    init?(_ search: RunSearch) {
        let experiments = Set(search.experiments.compactMap { Int64($0.rawValue) }).sorted()
        guard !experiments.isEmpty else { return nil }
        var text = Statement(" WHERE r.experiment IN ") + .list(experiments)
        if let stage = search.stage {
            text += Statement(" AND r.lifecycleStage = ?", [stage.rawValue.sqlValue])
        }
        for condition in search.conditions {
            text += Statement(" AND ") + condition.member("r.number", of: experiments)
        }
        self.condition = text
    }
}
