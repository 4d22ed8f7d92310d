package import AloftDomain

/// Which registered models are wanted, in which order.
package struct ModelSearch: Sendable {
    package enum Column: String, Sendable { case name, createdAt, updatedAt }

    package enum Condition: Sendable, Equatable {
        case name(TextMatch)
        /// A tag that is not there is unlike any text here.
        case tag(String, TextMatch)
    }

    /// Only those of this project.
    package var project: ProjectID?
    package var conditions: [Condition]
    package var orders: [(column: Column, ascending: Bool)]
    package var limit: Int
    /// Where the page before ended.
    package var after: SearchPosition?

    package init(
        conditions: [Condition] = [], orders: [(column: Column, ascending: Bool)] = [], limit: Int,
        after: SearchPosition? = nil
    ) {
        self.conditions = conditions
        self.orders = orders
        self.limit = limit
        self.after = after
    }
}

/// Which model versions are wanted, in which order.
package struct VersionSearch: Sendable {
    package enum TextColumn: String, Sendable {
        case name = "m.name"
        case run = "v.runId"
        case source = "v.source"
    }

    package enum Column: String, Sendable {
        case name = "m.name"
        case version = "v.version"
        case createdAt = "v.createdAt"
        case updatedAt = "v.updatedAt"
    }

    package enum Condition: Sendable, Equatable {
        case text(TextColumn, TextMatch)
        case version(NumberMatch)
        /// A tag that is not there is unlike any text here.
        case tag(String, TextMatch)
        /// Whether its model is a prompt.
        case isPrompt(Bool)
    }

    /// Only those of this project.
    package var project: ProjectID?
    package var conditions: [Condition]
    package var orders: [(column: Column, ascending: Bool)]
    package var limit: Int
    /// Where the page before ended.
    package var after: SearchPosition?

    package init(
        conditions: [Condition] = [], orders: [(column: Column, ascending: Bool)] = [], limit: Int,
        after: SearchPosition? = nil
    ) {
        self.conditions = conditions
        self.orders = orders
        self.limit = limit
        self.after = after
    }
}

extension RegistryQueries {
    package static func search(
        _ db: Transaction, _ search: ModelSearch
    ) throws -> SearchPage<RegisteredModelRecord> {
        var ordering = SearchOrdering()
        for order in search.orders {
            ordering.add("m.\(order.column.rawValue)", ascending: order.ascending)
        }
        ordering.add("m.name", ascending: true)
        var text = Statement("SELECT m.*") + ordering.columns
        text += Statement(" FROM registeredModel m WHERE TRUE")
        if let project = search.project {
            text += holder(is: project)
        }
        for condition in search.conditions {
            text += " AND "
            switch condition {
            case .name(let match): text += match.sql("m.name")
            case .tag(let key, let match):
                text += tag("registeredModelTag", "model = m.number", key, match)
            }
        }
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += Statement(" LIMIT ?", [(search.limit + 1).sqlValue])
        return try ordering.page(db.rows(text), limit: search.limit) { try fillModel(db, $0) }
    }

    package static func search(
        _ db: Transaction, _ search: VersionSearch
    ) throws -> SearchPage<ModelVersionRecord> {
        var orders = search.orders
        if orders.isEmpty { orders = [(.updatedAt, false)] }
        var ordering = SearchOrdering()
        for order in orders { ordering.add(order.column.rawValue, ascending: order.ascending) }
        ordering.add("m.name", ascending: true)
        ordering.add("v.version", ascending: false)
        var text = Statement("SELECT v.*, m.name") + ordering.columns
        text += Statement(
            " FROM modelVersion v JOIN registeredModel m ON m.number = v.model WHERE TRUE")
        if let project = search.project {
            text += holder(is: project)
        }
        for condition in search.conditions {
            text += " AND "
            switch condition {
            case .text(let column, let match): text += match.sql(column.rawValue)
            case .version(let match): text += match.sql("v.version")
            case .tag(let key, let match):
                text += tag(
                    "modelVersionTag", "model = v.model AND t.version = v.version", key, match)
            case .isPrompt(let flag):
                text += tag(
                    "registeredModelTag", "model = v.model", "mlflow.prompt.is_prompt",
                    flag ? .equal("true") : .notEqual("true"))
            }
        }
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += Statement(" LIMIT ?", [(search.limit + 1).sqlValue])
        return try ordering.page(db.rows(text), limit: search.limit) { try fillVersion(db, $0) }
    }

    /// As `NameOwnerQueries.holder`, of the model `m`.
    private static func holder(is project: ProjectID) -> Statement {
        Statement(
            """
             AND coalesce((SELECT o.project FROM nameOwner o WHERE o.kind = 'model' AND o.name = m.name),
                m.project) = ?
            """, [project.rawValue.sqlValue])
    }

    private static func tag(
        _ table: String, _ owner: String, _ key: String, _ match: TextMatch
    ) -> Statement {
        guard case .notEqual(let value) = match else {
            return TrackingQueries.tagCondition(table, owner, key, match)
        }
        return Statement("NOT ")
            + TrackingQueries.tagCondition(table, owner, key, .equal(value))
    }
}
