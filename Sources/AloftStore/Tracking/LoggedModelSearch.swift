package import AloftDomain

/// Which logged models are wanted, in which order.
package struct LoggedModelSearch: Sendable {
    package enum TextColumn: String, Sendable { case id, name, modelType, status, sourceRun }
    package enum NumberColumn: String, Sendable { case createdAt, updatedAt }

    package enum Condition: Sendable, Equatable {
        case text(TextColumn, TextMatch)
        case number(NumberColumn, NumberMatch)
        case metric(String, NumberMatch)
        case param(String, TextMatch)
        case tag(String, TextMatch)
    }

    package enum OrderKey: Sendable, Equatable {
        case text(TextColumn)
        case number(NumberColumn)
        case metric(String, datasetName: String?, datasetDigest: String?)
    }

    package struct Dataset: Sendable, Equatable {
        package var name: String
        package var digest: String?

        package init(name: String, digest: String?) {
            self.name = name
            self.digest = digest
        }
    }

    package var experiments: [ExperimentID]
    package var conditions: [Condition] = []
    /// Only metrics measured on one of these count; all if empty.
    package var datasets: [Dataset] = []
    package var orders: [(key: OrderKey, ascending: Bool)] = []
    package var limit: Int
    /// Where the page before ended.
    package var after: SearchPosition?

    package init(experiments: [ExperimentID], limit: Int, after: SearchPosition? = nil) {
        self.experiments = experiments
        self.limit = limit
        self.after = after
    }
}

extension LoggedModelQueries {
    package static func search(
        _ db: Transaction, _ search: LoggedModelSearch
    ) throws -> SearchPage<LoggedModelRecord> {
        let experiments = search.experiments.compactMap { Int64($0.rawValue) }
        let ordering = ordering(search.orders)
        var text = Statement("SELECT m.*") + ordering.columns
        text += Statement(" FROM loggedModel m WHERE m.lifecycleStage = 'active'")
        text += Statement(" AND m.experiment IN ") + .list(experiments)
        for condition in search.conditions { text += Statement(" AND ") + sql(condition, search) }
        let hasMetric = search.conditions.contains { if case .metric = $0 { true } else { false } }
        if !search.datasets.isEmpty, !hasMetric {
            text +=
                Statement(
                    """
                     AND EXISTS (SELECT 1 FROM loggedModelMetric x
                    JOIN metricContext c ON c.number = x.context WHERE x.model = m.number AND (
                    """) + datasets(search.datasets) + Statement("))")
        }
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += Statement(" LIMIT ?", [(search.limit + 1).sqlValue])
        return try ordering.page(db.rows(text), limit: search.limit) { try fill(db, $0) }
    }

    private static func ordering(
        _ orders: [(key: LoggedModelSearch.OrderKey, ascending: Bool)]
    ) -> SearchOrdering {
        var ordering = SearchOrdering()
        for order in orders {
            switch order.key {
            case .text(let column):
                ordering.addOptional(Statement("m.\(column.rawValue)"), ascending: order.ascending)
            case .number(let column):
                ordering.add("m.\(column.rawValue)", ascending: order.ascending)
            case .metric(let key, let name, let digest):
                ordering.addOptional(
                    latest(key, name: name, digest: digest), ascending: order.ascending)
            }
        }
        ordering.add("m.createdAt", ascending: false)
        ordering.add("m.number", ascending: false)
        return ordering
    }

    private static func sql(
        _ condition: LoggedModelSearch.Condition, _ search: LoggedModelSearch
    ) -> Statement {
        switch condition {
        case .text(let column, let match): return match.sql("m.\(column.rawValue)")
        case .number(let column, let match): return match.sql("m.\(column.rawValue)")
        case .param(let key, let match):
            return TrackingQueries.tagCondition("loggedModelParam", "model = m.number", key, match)
        case .tag(let key, let match):
            return TrackingQueries.tagCondition("loggedModelTag", "model = m.number", key, match)
        case .metric(let key, let match):
            var text =
                Statement(
                    """
                    EXISTS (SELECT 1 FROM loggedModelMetric x
                    JOIN metricContext c ON c.number = x.context
                    WHERE x.model = m.number AND x.key = ? AND
                    """ + " ", [key.sqlValue]) + match.metricSQL("x.value")
            if !search.datasets.isEmpty {
                text += Statement(" AND (") + datasets(search.datasets) + Statement(")")
            }
            return text + Statement(")")
        }
    }

    private static func datasets(_ datasets: [LoggedModelSearch.Dataset]) -> Statement {
        var text = Statement("FALSE")
        for dataset in datasets {
            text += Statement(" OR (c.datasetName = ?", [dataset.name.sqlValue])
            if let digest = dataset.digest {
                text += Statement(" AND c.datasetDigest = ?", [digest.sqlValue])
            }
            text += ")"
        }
        return text
    }

    private static func latest(_ key: String, name: String?, digest: String?) -> Statement {
        Statement(
            """
            (SELECT x.value FROM loggedModelMetric x JOIN metricContext c ON c.number = x.context
            WHERE x.model = m.number AND x.key = ? AND (? IS NULL OR c.datasetName = ?)
                AND (? IS NULL OR c.datasetDigest = ?)
            ORDER BY x.timestamp DESC, x.step DESC LIMIT 1)
            """,
            [
                key.sqlValue, name.sqlValue, name.sqlValue, digest.sqlValue,
                digest.sqlValue,
            ])
    }
}
