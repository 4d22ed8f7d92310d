import AloftDomain
package import GRDB

extension TrackingQueries {
    /// A condition that at most so many rows match leads the search; of others the order does.
    private static let selectiveCount = 2000

    /// The runs wanted, one more than `limit` where there are more.
    ///
    /// Three plans, so that a page costs about what it shows: from the rows of the most selective
    /// condition; along the index of the metric that orders; or along the runs by start.
    package static func search(_ db: Database, _ search: RunSearch) throws -> [RunInfo] {
        let experiments = search.experiments.compactMap { Int64($0.rawValue) }
        guard !experiments.isEmpty else { return [] }
        let driver = try selectiveCondition(db, search.conditions, experiments)
        if driver == nil, experiments.count == 1, case .metric(let key)? = search.orders.first?.key
        {
            let rows = try alongMetric(key, search, experiments[0]).rows(db)
            // Runs without the metric come after the last that has it.
            if rows.count > search.limit { return rows.map(runInfo) }
        }
        return try general(search, experiments, driver: driver).rows(db).map(runInfo)
    }

    private static func selectiveCondition(
        _ db: Database, _ conditions: [RunSearch.Condition], _ experiments: [Int64]
    ) throws -> SQLText? {
        var best: (count: Int, rows: SQLText)?
        for condition in conditions {
            guard let rows = indexRows(condition, experiments) else { continue }
            let limited =
                SQLText("SELECT count(*) FROM (") + rows
                + SQLText(" LIMIT \(selectiveCount + 1))")
            let count = try limited.count(db)
            if count <= selectiveCount, count < best?.count ?? .max { best = (count, rows) }
        }
        return best?.rows
    }

    /// The numbers of the runs that match a condition, through its index.
    private static func indexRows(
        _ condition: RunSearch.Condition, _ experiments: [Int64]
    ) -> SQLText? {
        let table: String
        let key: String
        let match: SQLText
        switch condition {
        case .metric(let name, let number) where number.comparator != .notEqual:
            (table, key, match) = ("latestMetric", name, number.sql("value"))
        case .param(let name, .equal(let text)):
            (table, key, match) = ("runParam", name, TextMatch.equal(text).sql("value"))
        case .tag(let name, .equal(let text)):
            (table, key, match) = ("runTag", name, TextMatch.equal(text).sql("value"))
        case .text(.name, .equal(let text)):
            return SQLText("SELECT number FROM run WHERE experiment IN ") + .list(experiments)
                + SQLText(" AND name = ?", [text.databaseValue])
        case .metric, .param, .tag, .text, .number, .dataset: return nil
        }
        return SQLText("SELECT run FROM \(table) WHERE experiment IN ") + .list(experiments)
            + SQLText(" AND key = ? AND ", [key.databaseValue]) + match
    }

    private static func alongMetric(
        _ key: String, _ search: RunSearch, _ experiment: Int64
    ) -> SQLText {
        var text = SQLText("SELECT r.* FROM latestMetric o CROSS JOIN run r ON r.number = o.run")
        var orders: [String] = []
        for (index, order) in search.orders.enumerated() {
            if index == 0 {
                orders.append("o.value " + direction(order))
            } else {
                text += join(order, index)
                orders += terms(order, index)
            }
        }
        text += SQLText(
            " WHERE o.experiment = ? AND o.key = ? AND o.value IS NOT NULL",
            [experiment.databaseValue, key.databaseValue])
        if let stage = search.stage {
            text += SQLText(" AND r.lifecycleStage = ?", [stage.rawValue.databaseValue])
        }
        for condition in search.conditions {
            if case .metric(key, let match) = condition {
                text += SQLText(" AND ") + match.sql("o.value")
            } else {
                text += SQLText(" AND ") + sql(condition)
            }
        }
        return text + ending(orders, search)
    }

    private static func general(
        _ search: RunSearch, _ experiments: [Int64], driver: SQLText?
    ) -> SQLText {
        var text = SQLText("SELECT r.* FROM run r")
        var orders: [String] = []
        for (index, order) in search.orders.enumerated() {
            text += join(order, index)
            orders += terms(order, index)
        }
        text += " WHERE "
        if let driver {
            text += SQLText("r.number IN (") + driver + SQLText(") AND +r.experiment IN ")
        } else {
            text += "r.experiment IN "
        }
        text += .list(experiments)
        if let stage = search.stage {
            text += SQLText(
                driver == nil ? " AND r.lifecycleStage = ?" : " AND +r.lifecycleStage = ?",
                [stage.rawValue.databaseValue])
        }
        for condition in search.conditions { text += SQLText(" AND ") + sql(condition) }
        return text + ending(orders, search)
    }

    private static func ending(_ orders: [String], _ search: RunSearch) -> SQLText {
        var orders = orders
        if !search.orders.contains(where: { $0.key == .number(.startTime) }) {
            orders.append("r.startTime DESC")
        }
        orders.append("r.id ASC")
        return SQLText(
            " ORDER BY \(orders.joined(separator: ", ")) LIMIT ? OFFSET ?",
            [(search.limit + 1).databaseValue, search.offset.databaseValue])
    }

    /// Brings in the values that an order needs.
    private static func join(_ order: RunSearch.Order, _ index: Int) -> SQLText {
        let (table, key): (String, String)
        switch order.key {
        case .metric(let name): (table, key) = ("latestMetric", name)
        case .param(let name): (table, key) = ("runParam", name)
        case .tag(let name): (table, key) = ("runTag", name)
        case .text, .number: return SQLText()
        }
        return SQLText(
            " LEFT JOIN \(table) o\(index) ON o\(index).run = r.number AND o\(index).key = ?",
            [key.databaseValue])
    }

    /// Missing values last whichever way, NaN before them.
    private static func terms(_ order: RunSearch.Order, _ index: Int) -> [String] {
        switch order.key {
        case .metric:
            [
                "(o\(index).run IS NULL)", "(o\(index).value IS NULL)",
                "o\(index).value " + direction(order),
            ]
        case .param, .tag:
            ["(o\(index).value IS NULL)", "o\(index).value " + direction(order)]
        case .text(let column): ["r.\(column.rawValue) " + direction(order)]
        case .number(.startTime): ["r.startTime " + direction(order)]
        case .number(.endTime): ["(r.endTime IS NULL)", "r.endTime " + direction(order)]
        }
    }

    private static func direction(_ order: RunSearch.Order) -> String {
        order.ascending ? "ASC" : "DESC"
    }

    private static func sql(_ condition: RunSearch.Condition) -> SQLText {
        switch condition {
        case .metric(let key, let match): exists("latestMetric", key, match.sql("c.value"))
        case .param(let key, let match): text("runParam", key, match)
        case .tag(let key, let match): text("runTag", key, match)
        case .text(let column, let match): match.sql("r.\(column.rawValue)")
        case .number(let column, let match): match.sql("r.\(column.rawValue)")
        case .dataset(let field, let match): dataset(field, match)
        }
    }

    private static func text(_ table: String, _ key: String, _ match: TextMatch) -> SQLText {
        if match == .isNull {
            return SQLText("NOT ") + exists(table, key, SQLText("1"))
        }
        return exists(table, key, match.sql("c.value"))
    }

    private static func exists(_ table: String, _ key: String, _ match: SQLText) -> SQLText {
        SQLText(
            "EXISTS (SELECT 1 FROM \(table) c WHERE c.run = r.number AND c.key = ? AND ",
            [key.databaseValue]) + match + SQLText(")")
    }

    private static func dataset(_ field: RunSearch.DatasetField, _ match: TextMatch) -> SQLText {
        switch field {
        case .name, .digest:
            SQLText(
                """
                EXISTS (SELECT 1 FROM runDataset i JOIN dataset d ON d.number = i.dataset
                WHERE i.run = r.number AND
                """ + " ") + match.sql(field == .name ? "d.name" : "d.digest") + SQLText(")")
        case .context:
            SQLText(
                """
                EXISTS (SELECT 1 FROM runDatasetTag t
                WHERE t.run = r.number AND t.key = 'mlflow.data.context' AND
                """ + " ") + match.sql("t.value") + SQLText(")")
        }
    }
}
