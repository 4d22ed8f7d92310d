import AloftDomain
import AloftStore

/// Checks a filter and an ordering of traces.
enum TraceSearchParser {
    static func conditions(_ filter: String?) throws -> [TraceSearch.Condition] {
        try FilterParser.parse(filter).map(condition)
    }

    private static func condition(_ comparison: Comparison) throws -> TraceSearch.Condition {
        let key = comparison.identifier.key
        switch comparison.identifier.entity?.lowercased() {
        case "tag", "tags": return .tag(key, try comparison.textMatch(also: [.null, .patterns]))
        case "metadata", "request_metadata":
            return try metadata(key, comparison)
        case "span": return .span(try spanField(key), try spanMatch(key, comparison))
        case "feedback":
            return .assessment(.feedback, name: key, try valueMatch(comparison))
        case "expectation":
            return .assessment(.expectation, name: key, try valueMatch(comparison))
        case "issue":
            guard key == "id", case .equal(let id) = try comparison.textMatch() else {
                throw ProtocolError.invalid(
                    "Invalid issue attribute '\(key.prefix(100))'. It takes issue.id = '…'.")
            }
            return .assessment(.issue, name: id, .text(.isNotNull))
        case nil, "attribute", "attributes", "trace": return try attribute(key, comparison)
        case .some(let entity):
            throw ProtocolError.invalid(
                "Invalid entity type '\(entity.prefix(100))'. Valid values are ['attribute', 'trace', "
                    + "'tag', 'metadata', 'span', 'feedback', 'expectation', 'issue']")
        }
    }

    private static func metadata(
        _ key: String, _ comparison: Comparison
    ) throws -> TraceSearch.Condition {
        let match = try comparison.textMatch(also: [.null, .patterns])
        if key == sourceRun, case .equal(let run) = match { return .run(run) }
        return .metadata(key, match)
    }

    private static func attribute(
        _ key: String, _ comparison: Comparison
    ) throws -> TraceSearch.Condition {
        switch key.lowercased() {
        case "timestamp", "timestamp_ms":
            return .number(.requestTime, try comparison.numberMatch())
        case "execution_time", "execution_time_ms":
            return .number(.duration, try comparison.numberMatch())
        case "end_time", "end_time_ms": return .number(.endTime, try comparison.numberMatch())
        case "request_id", "trace_id":
            return .text(.id, try comparison.textMatch(also: [.lists, .patterns]))
        case "status", "state":
            return .text(.state, try comparison.textMatch(also: [.lists, .patterns]))
        case "client_request_id":
            return .text(.clientRequestID, try comparison.textMatch(also: [.lists, .patterns]))
        case "name":
            return .tag(traceName, try comparison.textMatch(also: [.lists, .null, .patterns]))
        case "run_id":
            let match = try comparison.textMatch(also: [.lists, .patterns])
            if case .equal(let run) = match { return .run(run) }
            return .metadata(sourceRun, match)
        case "prompt": return try prompt(comparison)
        case "text": return .span(.content, try spanMatch("content", comparison))
        default: throw invalidKey(key)
        }
    }

    private static func prompt(_ comparison: Comparison) throws -> TraceSearch.Condition {
        guard comparison.comparator == .compare(.equal) else {
            throw ProtocolError.invalid(
                "Invalid comparator '\(comparison.comparator.text)' for prompts filter. Only '=' is "
                    + "supported with format: prompt = \"name/version\"")
        }
        guard case .equal(let text) = try comparison.textMatch() else {
            throw comparison.invalidComparator()
        }
        let parts = text.pieces(at: "/", keepingEmpty: true).map(String.init)
        guard parts.count == 2 else {
            throw ProtocolError.invalid(
                "Invalid prompts filter value '\(text.prefix(200))'. Expected format: prompt = "
                    + "\"name/version\"")
        }
        return .prompt(name: parts[0], version: parts[1])
    }

    // MARK: Spans and assessments

    private static func spanField(_ key: String) throws -> TraceSearch.SpanField {
        switch key {
        case "name": return .name
        case "type": return .type
        case "status": return .status
        case "content": return .content
        default:
            guard let attribute = key.rest(after: "attributes."), !attribute.isEmpty else {
                throw ProtocolError.invalid(
                    "Invalid span attribute '\(key.prefix(100))'. Supported attributes: name, "
                        + "status, type, attributes.<attribute_name>.")
            }
            return .attribute(String(attribute))
        }
    }

    private static func spanMatch(_ key: String, _ comparison: Comparison) throws -> TextMatch {
        let match = try comparison.textMatch(also: [.lists, .patterns])
        if key == "content" {
            guard case .like = match else {
                throw ProtocolError.invalid(
                    "span.content comparator '\(comparison.comparator.text)' not one of LIKE, ILIKE"
                )
            }
        }
        return match
    }

    private static func valueMatch(_ comparison: Comparison) throws -> TraceSearch.ValueMatch {
        if case .compare(let comparator) = comparison.comparator {
            switch (comparator, comparison.value) {
            case (_, .number): return .number(try comparison.numberMatch())
            case (.equal, .text(let text)): return .text(.equal(text))
            case (.notEqual, .text(let text)): return .text(.notEqual(text))
            case (_, .text(let text)):
                guard let number = Double(text), number.isFinite else {
                    throw ProtocolError.invalid(
                        "Expected a numeric value for '\(comparison.identifier.key.prefix(100))'.")
                }
                return .number(NumberMatch(comparator, number))
            case (_, .none), (_, .texts): throw comparison.invalidComparator()
            }
        }
        return .text(try comparison.textMatch(also: [.null, .patterns]))
    }

    // MARK: Order

    static func orders(
        _ clauses: [String]
    ) throws -> [(key: TraceSearch.OrderKey, ascending: Bool)] {
        var seen: [TraceSearch.OrderKey] = []
        return try OrderClause.parse(clauses).map { clause in
            let key = try orderKey(clause.identifier)
            guard !seen.contains(key) else {
                throw ProtocolError.invalid("`order_by` contains duplicate fields.")
            }
            seen.append(key)
            return (key, clause.ascending)
        }
    }

    private static func orderKey(_ identifier: SearchIdentifier) throws -> TraceSearch.OrderKey {
        switch identifier.entity?.lowercased() {
        case "tag", "tags": return .tag(identifier.key)
        case "metadata", "request_metadata": return .metadata(identifier.key)
        case nil, "attribute", "attributes", "trace": break
        case .some: throw invalidKey(identifier.key)
        }
        switch identifier.key.lowercased() {
        case "timestamp", "timestamp_ms": return .number(.requestTime)
        case "execution_time", "execution_time_ms": return .number(.duration)
        case "end_time", "end_time_ms": return .number(.endTime)
        case "status", "state": return .text(.state)
        case "request_id", "trace_id": return .text(.id)
        case "experiment_id": return .experiment
        case "name": return .tag(traceName)
        case "run_id": return .metadata(sourceRun)
        default: throw invalidKey(identifier.key)
        }
    }

    private static let traceName = "mlflow.traceName"
    private static let sourceRun = "mlflow.sourceRun"

    private static func invalidKey(_ key: String) -> ProtocolError {
        .invalid(
            "Invalid attribute key '\(key.prefix(100))' specified. Valid keys are request_id, "
                + "timestamp_ms, execution_time_ms, end_time_ms, status, client_request_id, name, "
                + "run_id, prompt, text.")
    }
}
