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
    /// Only those of this project.
    package var project: ProjectID?
    package var conditions: [Condition]
    package var orders: [(column: Column, ascending: Bool)]
    package var limit: Int
    /// Where the page before ended.
    package var after: SearchPosition?

    package init(
        stage: LifecycleStage? = .active, conditions: [Condition] = [],
        orders: [(column: Column, ascending: Bool)] = [], limit: Int,
        after: SearchPosition? = nil
    ) {
        self.stage = stage
        self.conditions = conditions
        self.orders = orders
        self.limit = limit
        self.after = after
    }
}

extension TrackingQueries {
    package static func search(
        _ db: Database, _ search: ExperimentSearch
    ) throws -> SearchPage<ExperimentRecord> {
        var orders = search.orders
        if orders.isEmpty { orders = [(.createdAt, false)] }
        var ordering = SearchOrdering()
        for order in orders {
            ordering.add("e.\(order.column.rawValue)", ascending: order.ascending)
        }
        ordering.add("e.number", ascending: false)
        var text = SQLText("SELECT e.*") + ordering.columns
        text += SQLText(" FROM experiment e WHERE 1")
        if let stage = search.stage {
            text += SQLText(" AND e.lifecycleStage = ?", [stage.rawValue.databaseValue])
        }
        if let project = search.project {
            text += SQLText(" AND e.project = ?", [project.rawValue.databaseValue])
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
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += SQLText(" LIMIT ?", [(search.limit + 1).databaseValue])
        return try ordering.page(text.rows(db), limit: search.limit) {
            try experimentRecord(db, $0)
        }
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
