package import AloftDomain

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
        _ db: Transaction, _ search: ExperimentSearch
    ) throws -> SearchPage<ExperimentRecord> {
        var orders = search.orders
        if orders.isEmpty { orders = [(.createdAt, false)] }
        var ordering = SearchOrdering()
        for order in orders {
            ordering.add("e.\(order.column.rawValue)", ascending: order.ascending)
        }
        ordering.add("e.number", ascending: false)
        var text = Statement("SELECT e.*") + ordering.columns
        text += Statement(" FROM experiment e WHERE TRUE")
        if let stage = search.stage {
            text += Statement(" AND e.lifecycleStage = ?", [stage.rawValue.sqlValue])
        }
        if let project = search.project {
            text += Statement(" AND e.project = ?", [project.rawValue.sqlValue])
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
        text += Statement(" LIMIT ?", [(search.limit + 1).sqlValue])
        return try ordering.page(db.rows(text), limit: search.limit) {
            try experimentRecord(db, $0)
        }
    }

    /// Whether the tag `key` in `table` matches; `owner` ties it to what is searched.
    static func tagCondition(
        _ table: String, _ owner: String, _ key: String, _ match: TextMatch
    ) -> Statement {
        let start = Statement(
            "EXISTS (SELECT 1 FROM \(table) t WHERE t.\(owner) AND t.key = ?", [key.sqlValue])
        if match == .isNull { return Statement("NOT ") + start + Statement(")") }
        return start + Statement(" AND ") + match.sql("t.value") + Statement(")")
    }
}
