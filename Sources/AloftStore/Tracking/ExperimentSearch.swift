package import AloftDomain
package import GRDB

/// Which experiments are wanted, in which order.
package struct ExperimentSearch: Sendable {
    package enum Column: String, Sendable {
        case number, name, createdAt, updatedAt
    }

    package enum Condition: Sendable, Equatable {
        case name(TextMatch)
        case number(Column, NumberMatch)
        case tag(String, TextMatch)
    }

    package var stage: LifecycleStage?
    package var conditions: [Condition]
    package var orders: [(column: Column, ascending: Bool)]
    package var limit: Int
    package var offset: Int

    package init(
        stage: LifecycleStage? = .active, conditions: [Condition] = [],
        orders: [(column: Column, ascending: Bool)] = [], limit: Int, offset: Int = 0
    ) {
        self.stage = stage
        self.conditions = conditions
        self.orders = orders
        self.limit = limit
        self.offset = offset
    }
}

extension TrackingQueries {
    /// The experiments wanted, one more than `limit` where there are more.
    package static func search(
        _ db: Database, _ search: ExperimentSearch
    ) throws -> [ExperimentRecord] {
        var text = SQLText("SELECT e.* FROM experiment e WHERE 1")
        if let stage = search.stage {
            text += SQLText(" AND e.lifecycleStage = ?", [stage.rawValue.databaseValue])
        }
        for condition in search.conditions {
            text += " AND "
            switch condition {
            case .name(let match): text += match.sql("e.name")
            case .number(let column, let match): text += match.sql("e.\(column.rawValue)")
            case .tag(let key, let match):
                text += tagCondition("experimentTag", "experiment = e.number", key, match)
            }
        }
        var orders = search.orders
        if orders.isEmpty { orders = [(.createdAt, false), (.number, false)] }
        let terms = orders.map { "e.\($0.column.rawValue) " + ($0.ascending ? "ASC" : "DESC") }
        text += SQLText(
            " ORDER BY \(terms.joined(separator: ", ")), e.number DESC LIMIT ? OFFSET ?",
            [(search.limit + 1).databaseValue, search.offset.databaseValue])
        return try text.rows(db).map { try experimentRecord(db, $0) }
    }

    /// Whether the tag `key` in `table` matches; `owner` ties it to what is searched.
    static func tagCondition(
        _ table: String, _ owner: String, _ key: String, _ match: TextMatch
    ) -> SQLText {
        let start = SQLText(
            "EXISTS (SELECT 1 FROM \(table) t WHERE t.\(owner) AND t.key = ?", [key.databaseValue])
        if match == .isNull { return SQLText("NOT ") + start + SQLText(")") }
        return start + SQLText(" AND ") + match.sql("t.value") + SQLText(")")
    }
}
