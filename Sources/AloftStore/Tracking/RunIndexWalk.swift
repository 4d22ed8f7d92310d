import AloftDomain

/// The runs of an experiment in the parts that follow one another in the order asked for.
enum RunIndexPart {
    /// All of them, along the runs themselves.
    case all
    /// Those with a value of the first order's key, along the index of values.
    case valued
    /// Those whose metric is NaN.
    case notANumber
    /// Those without the first order's key.
    case missing

    static func parts(of search: RunSearch) -> [RunIndexPart] {
        switch search.orders.first?.key {
        case .metric: [.valued, .notANumber, .missing]
        case .tag(TrackingQueries.nameKey): [.all]
        case .param, .tag: [.valued, .missing]
        case .text, .number, nil: [.all]
        }
    }
}

/// Where a page begins in one part of the runs.
enum RunIndexStart: Equatable {
    case beginning
    /// After the run with these values of the part's own order.
    case after(ArraySlice<SearchPosition.Value>)
    /// The page begins behind all of the part.
    case gone

    var values: ArraySlice<SearchPosition.Value>? {
        if case .after(let values) = self { values } else { nil }
    }
}

extension RunIndexPart {
    /// The first values of a position say whether its run has the first order's key: a metric's two
    /// (no such metric, NaN) and its value, a param's or tag's one and its value.
    func start(of search: RunSearch) -> RunIndexStart {
        guard let values = search.after?.values else { return .beginning }
        let isMetric = if case .metric? = search.orders.first?.key { true } else { false }
        let width = isMetric ? 3 : 2
        guard self != .all, values.count >= width else { return .after(values[...]) }
        let (lacks, isNaN) = (values[0] == .int(1), isMetric && values[1] == .int(1))
        switch self {
        case .all: return .after(values[...])
        case .valued: return lacks || isNaN ? .gone : .after(values.dropFirst(width - 1))
        case .notANumber:
            return lacks ? .gone : isNaN ? .after(values.dropFirst(width)) : .beginning
        case .missing: return lacks ? .after(values.dropFirst(width)) : .beginning
        }
    }
}

/// One part of a search in one experiment as SQL, in the order of an index where there is one.
struct RunIndexWalk {
    enum Style {
        /// Looks at the rows of each run on the way.
        case probing
        /// Reads all runs that match each condition before.
        case members
    }

    let search: RunSearch
    let experiment: Int64
    let part: RunIndexPart
    var start = RunIndexStart.beginning
    var style: Style = .members
    /// Goes only so far along what orders. Equal values are all taken or none, since what else is
    /// ordered by decides between them.
    var bound: Bound?

    struct Bound: Equatable {
        var value: SQLValue
        /// Whether rows with this value are taken.
        var isTaken: Bool
    }

    func rows(limit: Int, offset: Int) throws -> Statement {
        try Statement("SELECT r.number") + source(ordering.joins) + ordering.after(start.values)
            + ordering.ending(limit: limit, offset: offset)
    }

    /// How many runs there are.
    var count: Statement { Statement("SELECT count(*)") + source(Statement()) }

    /// The value that orders of the row after `count` rows of the index; `nil` if the part is in the
    /// order of no index.
    func bound(after count: Int) -> Statement? {
        let ending = Statement(" LIMIT 1 OFFSET ?", [count.sqlValue])
        switch part {
        case .valued:
            guard let order = search.orders.first, let (table, key) = order.key.indexed else {
                return nil
            }
            return Statement(
                """
                SELECT value FROM \(table)
                WHERE experiment = ? AND key = ?\(RunSearch.Condition.indexTerm(table))
                    AND value IS NOT NULL
                """, [experiment.sqlValue, key.sqlValue])
                + fromStart("value", ascending: order.ascending)
                + Statement(" ORDER BY value \(order.ascending ? "ASC" : "DESC")") + ending
        case .all:
            guard let (column, ascending) = leading, let stage = search.stage else { return nil }
            let isName = column == "name"
            return Statement(
                "SELECT \(column) FROM run WHERE experiment = ?", [experiment.sqlValue])
                + (isName
                    ? Statement()
                    : Statement(" AND lifecycleStage = ?", [stage.rawValue.sqlValue]))
                + fromStart(column, ascending: ascending)
                + Statement(" ORDER BY \(column) \(ascending ? "ASC" : "DESC")") + ending
        case .notANumber, .missing: return nil
        }
    }

    private func fromStart(_ column: String, ascending: Bool) -> Statement {
        guard let value = start.values?.first else { return Statement() }
        return Statement(" AND \(column) \(ascending ? ">=" : "<=") ?", [value.sqlValue])
    }

    /// The column of the run itself that an index is in the order of.
    private var leading: (column: String, ascending: Bool)? {
        guard let order = search.orders.first else { return ("startTime", false) }
        switch order.key {
        case .number(.startTime): return ("startTime", order.ascending)
        case .text(.name): return ("name", order.ascending)
        case .number(.endTime), .text, .metric, .param, .tag: return nil
        }
    }

    private var ordering: RunOrdering {
        switch part {
        case .all: RunOrdering(search.orders)
        case .valued: RunOrdering(search.orders, leading: "o.value")
        case .notANumber, .missing: RunOrdering(search.orders, skippingFirst: true)
        }
    }

    private func source(_ joins: Statement) -> Statement {
        var text = Statement(" FROM ")
        let order = search.orders.first
        if part == .valued || part == .notANumber, let (table, key) = order?.key.indexed {
            text += Statement("\(table) o \(Dialect.thenJoin) run r ON r.number = o.run") + joins
            text += Statement(
                " WHERE o.experiment = ? AND o.key = ?"
                    + RunSearch.Condition.indexTerm(table, "o.") + " AND o.value "
                    + (part == .valued ? "IS NOT NULL" : "IS NULL"),
                [experiment.sqlValue, key.sqlValue])
        } else {
            text += Statement("run r") + joins
            text += Statement(" WHERE r.experiment = ?", [experiment.sqlValue])
        }
        if part == .missing, let (table, key) = order?.key.indexed {
            text += Statement(" AND \(Dialect.unindexed("r.number")) NOT IN (")
            text += RunSearch.Condition.indexed(table, key, nil, [experiment]) + Statement(")")
        }
        if let stage = search.stage {
            text += Statement(" AND r.lifecycleStage = ?", [stage.rawValue.sqlValue])
        }
        return text + untilBound + conditions
    }

    private var untilBound: Statement {
        guard let bound else { return Statement() }
        let equal = bound.isTaken ? "=" : ""
        if part == .valued {
            let ascending = search.orders.first?.ascending ?? true
            return Statement(" AND o.value \(ascending ? "<" : ">")\(equal) ?", [bound.value])
        }
        guard let (column, ascending) = leading else { return Statement() }
        return Statement(" AND r.\(column) \(ascending ? "<" : ">")\(equal) ?", [bound.value])
    }

    private var conditions: Statement {
        let isValued = part == .valued || part == .notANumber
        return search.conditions.reduce(Statement()) { text, condition in
            text + Statement(" AND ") + sql(condition, isValued: isValued)
        }
    }

    private func sql(_ condition: RunSearch.Condition, isValued: Bool) -> Statement {
        if isValued, case .metric(let key, let match) = condition,
            search.orders.first?.key == .metric(key)
        {
            return match.metricSQL("o.value")
        }
        switch style {
        case .probing: return condition.probe
        case .members: return condition.member(isValued ? "o.run" : "r.number", of: [experiment])
        }
    }
}
