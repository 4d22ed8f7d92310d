package import AloftDomain
package import GRDB

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
                .metadata(_, .matching(let pattern)), .span(_, .matching(let pattern)):
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
        _ db: Database, _ search: TraceSearch
    ) throws -> SearchPage<TraceRecord> {
        let numbers = search.experiments.compactMap { Int64($0.rawValue) }
        var ordering = SearchOrdering()
        for order in search.orders {
            ordering.addOptional(value(of: order.key), ascending: order.ascending)
        }
        ordering.add("x.requestTime", ascending: false)
        ordering.add("x.id", ascending: true)
        var text = SQLText("SELECT x.*") + ordering.columns
        text += SQLText(" FROM trace x WHERE x.experiment IN ") + .list(numbers)
        for condition in search.conditions {
            guard let sql = sql(condition) else { continue }
            text += SQLText(" AND ") + sql
        }
        if let spans = spans(search.conditions) { text += SQLText(" AND ") + spans }
        text += try ordering.after(search.after) + ordering.orderByColumns
        text += SQLText(" LIMIT ?", [(search.limit + 1).databaseValue])
        let rows = try PatternFunction.with(search.patterns, in: db) { try text.rows(db) }
        return try ordering.page(rows, limit: search.limit) { try record(db, $0) }
    }

    /// `nil` for conditions on spans, which are put together.
    private static func sql(_ condition: TraceSearch.Condition) -> SQLText? {
        switch condition {
        case .text(let column, let match): return match.sql(column.rawValue)
        case .number(let column, let match): return match.sql(column.rawValue)
        case .tag(let key, let match):
            return TrackingQueries.tagCondition("traceTag", "trace = x.number", key, match)
        case .metadata(let key, let match):
            return TrackingQueries.tagCondition("traceMetadata", "trace = x.number", key, match)
        case .run(let run):
            return SQLText(
                """
                (EXISTS (SELECT 1 FROM traceRun r WHERE r.runId = ? AND r.trace = x.number)
                OR EXISTS (SELECT 1 FROM traceMetadata d WHERE d.trace = x.number
                    AND d.key = 'mlflow.sourceRun' AND d.value = ?))
                """, [run.databaseValue, run.databaseValue])
        case .prompt(let name, let version):
            return SQLText(
                """
                EXISTS (SELECT 1 FROM traceTag g,
                    json_each(CASE WHEN json_valid(g.value) THEN g.value ELSE '[]' END) p
                WHERE g.trace = x.number AND g.key = 'mlflow.linkedPrompts'
                    AND CASE p.type WHEN 'object' THEN json_extract(p.value, '$.name') = ?
                        AND json_extract(p.value, '$.version') = ? ELSE 0 END)
                """, [name.databaseValue, version.databaseValue])
        case .assessment(let kind, let name, let match):
            return assessment(kind, name, match)
        case .span: return nil
        }
    }

    private static func assessment(
        _ kind: AssessmentRecord.Kind, _ name: String, _ match: TraceSearch.ValueMatch
    ) -> SQLText {
        let start = SQLText(
            """
            EXISTS (SELECT 1 FROM traceAssessment a WHERE a.trace = x.number AND a.isValid
                AND a.kind = ? AND a.name = ?
            """, [kind.rawValue.databaseValue, name.databaseValue])
        switch match {
        case .text(.isNull): return SQLText("NOT ") + start + SQLText(")")
        case .text(.isNotNull): return start + SQLText(")")
        case .text(.equal(let text)): return start + SQLText(" AND ") + equal(text) + SQLText(")")
        case .text(.notEqual(let text)):
            return start + SQLText(" AND NOT ") + equal(text) + SQLText(")")
        case .text(let match):
            return start + SQLText(" AND ") + match.sql("json_extract(a.value, '$')") + SQLText(")")
        case .number(let match):
            return start
                + SQLText(" AND json_type(a.value) IN ('integer', 'real') AND ")
                + match.sql("json_extract(a.value, '$')") + SQLText(")")
        }
    }

    /// A value's JSON itself (`true`, `0.5`), or the text that it is.
    private static func equal(_ text: String) -> SQLText {
        SQLText(
            """
            (a.value = ? OR (json_type(a.value) = 'text' AND json_extract(a.value, '$') = ?))
            """, [text.databaseValue, text.databaseValue])
    }

    private static func spans(_ conditions: [TraceSearch.Condition]) -> SQLText? {
        var text = SQLText("EXISTS (SELECT 1 FROM traceSpan s WHERE s.trace = x.number")
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
                text += SQLText("(") + match.sql(plainContent)
                text += SQLText(
                    " OR EXISTS (SELECT 1 FROM json_each(s.content, '$.attributes') a WHERE ")
                text += match.sql("json_extract(a.value, '$.value.stringValue')") + SQLText("))")
            case .attribute(let key):
                text +=
                    SQLText(
                        """
                        EXISTS (SELECT 1 FROM json_each(s.content, '$.attributes') a
                        WHERE json_extract(a.value, '$.key') = ? AND
                        """ + " ", [key.databaseValue])
                    + match.sql(attributeValue) + SQLText(")")
            }
        }
        return count == 0 ? nil : text + SQLText(")")
    }

    /// A span without the names of the format's own members, which stand in every span. A quote in a
    /// text is escaped: no text holds one of them.
    private static let plainContent = [
        "key", "value", "values", "stringValue", "intValue", "doubleValue", "boolValue",
        "arrayValue", "kvlistValue",
    ].reduce("s.content") { "replace(\($0), '\"\($1)\":', '')" }

    /// An attribute's value as text, whatever its type; clients write a text in quotes, as JSON.
    private static let attributeValue = """
        coalesce(CASE WHEN json_valid(json_extract(a.value, '$.value.stringValue'))
                AND json_type(json_extract(a.value, '$.value.stringValue')) = 'text'
            THEN json_extract(json_extract(a.value, '$.value.stringValue'), '$') END,
            json_extract(a.value, '$.value.stringValue'),
            CAST(json_extract(a.value, '$.value.intValue') AS TEXT),
            CAST(json_extract(a.value, '$.value.doubleValue') AS TEXT),
            CASE json_extract(a.value, '$.value.boolValue')
                WHEN 1 THEN 'true' WHEN 0 THEN 'false' END,
            json_extract(a.value, '$.value'))
        """

    private static func value(of key: TraceSearch.OrderKey) -> SQLText {
        switch key {
        case .text(let column): SQLText(column.rawValue)
        case .number(let column): SQLText(column.rawValue)
        case .experiment: SQLText("x.experiment")
        case .tag(let key):
            SQLText(
                "(SELECT value FROM traceTag WHERE trace = x.number AND key = ?)",
                [key.databaseValue])
        case .metadata(let key):
            SQLText(
                "(SELECT value FROM traceMetadata WHERE trace = x.number AND key = ?)",
                [key.databaseValue])
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
