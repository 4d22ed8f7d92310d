package import AloftDomain

/// Which traces are wanted, in which order.
package struct TraceSearch: Sendable {
    package enum TextColumn: String, Sendable {
        case id = "x.id"
        case state = "x.state"
        case clientRequestID = "x.clientRequestId"
    }

    package enum NumberColumn: String, Sendable {
        case requestTime = "x.requestTime"
        case duration = "x.duration"
        case endTime = "(x.requestTime + coalesce(x.duration, 0))"
    }

    package enum SpanField: Sendable, Equatable {
        case name, type, status
        /// Anywhere in the span's JSON.
        case content
        case attribute(String)
    }

    package enum Condition: Sendable, Equatable {
        case text(TextColumn, TextMatch)
        case number(NumberColumn, NumberMatch)
        case tag(String, TextMatch)
        case metadata(String, TextMatch)
        /// Logged in this run, or linked to it.
        case run(String)
        /// Linked to this version of a prompt.
        case prompt(name: String, version: String)
        /// All such conditions are on one and the same span.
        case span(SpanField, TextMatch)
        case assessment(AssessmentRecord.Kind, name: String, ValueMatch)
    }

    /// How an assessment's value is compared.
    package enum ValueMatch: Sendable, Equatable {
        case text(TextMatch)
        case number(NumberMatch)
    }

    package enum OrderKey: Sendable, Equatable {
        case text(TextColumn)
        case number(NumberColumn)
        case experiment
        case tag(String)
        case metadata(String)
    }

    var patterns: [TextPattern] {
        conditions.compactMap { condition in
            switch condition {
            case .text(_, .matching(let pattern)), .tag(_, .matching(let pattern)),
                .metadata(_, .matching(let pattern)), .span(_, .matching(let pattern)),
                .assessment(_, name: _, .text(.matching(let pattern))):
                pattern
            case .text, .tag, .metadata, .span, .number, .run, .prompt, .assessment: nil
            }
        }
    }

    package var experiments: [ExperimentID]
    package var conditions: [Condition] = []
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

extension TraceQueries {
    /// Newest first where no order says otherwise.
    package static func search(
        _ db: Transaction, _ search: TraceSearch
    ) throws -> SearchPage<TraceRecord> {
        let numbers = search.experiments.compactMap { Int64($0.rawValue) }
        var ordering = SearchOrdering()
        for order in search.orders {
            ordering.addOptional(value(of: order.key), ascending: order.ascending)
        }
        ordering.add("x.requestTime", ascending: false)
        ordering.add("x.id", ascending: true)
        var text = Statement("SELECT x.*") + ordering.columns
        text += Statement(" FROM trace x WHERE x.experiment IN ") + .list(numbers)
        for condition in search.conditions {
            guard let sql = sql(condition) else { continue }
            text += Statement(" AND ") + sql
        }
        if let spans = spans(search.conditions) { text += Statement(" AND ") + spans }
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += Statement(" LIMIT ?", [(search.limit + 1).sqlValue])
        let rows = try PatternFunction.with(search.patterns, in: db) { try db.rows(text) }
        return try ordering.page(rows, limit: search.limit) { try record(db, $0) }
    }

    /// `nil` for conditions on spans, which are put together.
    private static func sql(_ condition: TraceSearch.Condition) -> Statement? {
        switch condition {
        case .text(let column, let match): return match.sql(column.rawValue)
        case .number(let column, let match): return match.sql(column.rawValue)
        case .tag(let key, let match):
            return TrackingQueries.tagCondition("traceTag", "trace = x.number", key, match)
        case .metadata(let key, let match):
            return TrackingQueries.tagCondition("traceMetadata", "trace = x.number", key, match)
        case .run(let run):
            return Statement(
                """
                (EXISTS (SELECT 1 FROM traceRun r WHERE r.runId = ? AND r.trace = x.number)
                OR EXISTS (SELECT 1 FROM traceMetadata d WHERE d.trace = x.number
                    AND d.key = 'mlflow.sourceRun' AND d.value = ?))
                """, [run.sqlValue, run.sqlValue])
        case .prompt(let name, let version):
            let prompts = "CASE WHEN \(Dialect.isJSON("g.value")) THEN g.value ELSE '[]' END"
            let named =
                "\(Dialect.json("p.value", "$.name")) = ? "
                + "AND \(Dialect.json("p.value", "$.version")) = ?"
            return Statement(
                """
                EXISTS (SELECT 1 FROM traceTag g,
                    \(Dialect.jsonMembers(prompts)) p
                WHERE g.trace = x.number AND g.key = 'mlflow.linkedPrompts'
                    AND \(Dialect.whereObject("p", named)))
                """, [name.sqlValue, version.sqlValue])
        case .assessment(let kind, let name, let match):
            return assessment(kind, name, match)
        case .span: return nil
        }
    }

    /// On the trace itself or, where it is one of a whole session, on another trace of that. The sessions
    /// that have one are found once, not for each trace: a session may have thousands.
    private static func assessment(
        _ kind: AssessmentRecord.Kind, _ name: String, _ match: TraceSearch.ValueMatch
    ) -> Statement {
        let value = Dialect.json("a.value", "$")
        let type = Dialect.jsonType("a.value")
        var found = Statement(
            "a.isValid AND a.kind = ? AND a.name = ?", [kind.rawValue.sqlValue, name.sqlValue])
        switch match {
        case .text(.isNull), .text(.isNotNull): break
        case .text(.equal(let text)): found += Statement(" AND ") + equal(text)
        case .text(.notEqual(let text)): found += Statement(" AND NOT ") + equal(text)
        case .text(let match):
            // The text that it is, or its JSON.
            found += Statement(" AND ")
            found += match.sql(
                "CASE \(type) WHEN \(Dialect.jsonText) THEN \(value) ELSE a.value END")
        case .number(let match):
            found += Statement(" AND \(type) IN \(Dialect.jsonNumbers) AND ") + match.sql(value)
        }
        let session = Dialect.json("a.body", "$.metadata.\"mlflow.trace.session\"")
        let ofSession = Statement(
            """
            ) OR EXISTS (SELECT 1 FROM traceMetadata own
            WHERE own.trace = x.number AND own.key = 'mlflow.trace.session'
                AND (x.experiment, own.value) IN (SELECT y.experiment, other.value
                    FROM traceAssessment a
                    JOIN trace y ON y.number = a.trace
                    JOIN traceMetadata other ON other.trace = a.trace
                        AND other.key = 'mlflow.trace.session'
                WHERE \(session) IS NOT NULL AND
            """ + " ")
        return Statement(match == .text(.isNull) ? "NOT (" : "(")
            + Statement("EXISTS (SELECT 1 FROM traceAssessment a WHERE a.trace = x.number AND ")
            + found + ofSession + found + Statement(")))")
    }

    /// A value's JSON itself (`true`, `0.5`), or the text that it is.
    private static func equal(_ text: String) -> Statement {
        Statement(
            """
            (a.value = ? OR (\(Dialect.jsonType("a.value")) = \(Dialect.jsonText)
                AND \(Dialect.json("a.value", "$")) = ?))
            """, [text.sqlValue, text.sqlValue])
    }

    private static func spans(_ conditions: [TraceSearch.Condition]) -> Statement? {
        var text = Statement("EXISTS (SELECT 1 FROM traceSpan s WHERE s.trace = x.number")
        var count = 0
        for case .span(let field, let match) in conditions {
            count += 1
            text += " AND "
            switch field {
            case .name: text += match.sql("s.name")
            case .type: text += match.sql("s.type")
            case .status: text += match.sql("s.status")
            case .content:
                // As it is stored, or as it was before it was written as JSON.
                text += Statement("(") + match.sql(plainContent)
                text += Statement(
                    " OR EXISTS (SELECT 1 FROM \(attributes) a WHERE ")
                text += match.sql(Dialect.json("a.value", "$.value.stringValue")) + Statement("))")
            case .attribute(let key):
                text +=
                    Statement(
                        """
                        EXISTS (SELECT 1 FROM \(attributes) a
                        WHERE \(Dialect.json("a.value", "$.key")) = ? AND
                        """ + " ", [key.sqlValue])
                    + match.sql(attributeValue) + Statement(")")
            }
        }
        return count == 0 ? nil : text + Statement(")")
    }

    /// A span without the names of the format's own members, which stand in every span. A quote in a
    /// text is escaped: no text holds one of them.
    private static let plainContent = [
        "key", "value", "values", "stringValue", "intValue", "doubleValue", "boolValue",
        "arrayValue", "kvlistValue",
    ].reduce("s.content") { "replace(\($0), '\"\($1)\":', '')" }

    private static let attributes = Dialect.jsonMembers("s.content", "$.attributes")

    /// An attribute's value as text, whatever its type; clients write a text in quotes, as JSON.
    private static let attributeValue = {
        let text = Dialect.json("a.value", "$.value.stringValue")
        return """
            coalesce(CASE WHEN \(Dialect.isJSON(text)) AND \(Dialect.jsonType(text)) = \(Dialect.jsonText)
                THEN \(Dialect.json(text, "$")) END,
                \(text), CAST(\(Dialect.json("a.value", "$.value.intValue")) AS TEXT),
                CAST(\(Dialect.json("a.value", "$.value.doubleValue")) AS TEXT),
                CASE \(Dialect.json("a.value", "$.value.boolValue"))
                    WHEN 1 THEN 'true' WHEN 0 THEN 'false' END,
                \(Dialect.json("a.value", "$.value")))
            """
    }()

    private static func value(of key: TraceSearch.OrderKey) -> Statement {
        switch key {
        case .text(let column): Statement(column.rawValue)
        case .number(let column): Statement(column.rawValue)
        case .experiment: Statement("x.experiment")
        case .tag(let key):
            Statement(
                "(SELECT value FROM traceTag WHERE trace = x.number AND key = ?)",
                [key.sqlValue])
        case .metadata(let key):
            Statement(
                "(SELECT value FROM traceMetadata WHERE trace = x.number AND key = ?)",
                [key.sqlValue])
        }
    }
}

extension TraceSearch.OrderKey {
    /// Keys that only look alike order by different tags.
    package static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.text(let one), .text(let other)): one == other
        case (.number(let one), .number(let other)): one == other
        case (.experiment, .experiment): true
        case (.tag(let one), .tag(let other)), (.metadata(let one), .metadata(let other)):
            one.isSame(as: other)
        case (.text, _), (.number, _), (.experiment, _), (.tag, _), (.metadata, _): false
        }
    }
}
