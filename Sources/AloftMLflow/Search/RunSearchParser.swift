import AloftStore

/// Checks a filter and an ordering of runs.
enum RunSearchParser {
    static func conditions(_ filter: String?) throws -> [RunSearch.Condition] {
        try FilterParser.parse(filter).map(condition)
    }

    private static func condition(_ comparison: Comparison) throws -> RunSearch.Condition {
        let key = comparison.identifier.key
        switch comparison.identifier.entity {
        case "metric", "metrics":
            return .metric(key, try comparison.numberMatch())
        case "parameter", "parameters", "param", "params":
            return .param(key, try comparison.textMatch(also: [.null]))
        case "tag", "tags":
            return .tag(key, try comparison.textMatch(also: [.null]))
        case "dataset", "datasets":
            return try dataset(key, comparison)
        case nil, "attribute", "attributes", "attr", "run":
            return try attribute(key, comparison)
        case .some(let entity): throw invalidEntity(entity)
        }
    }

    private static func attribute(
        _ key: String, _ comparison: Comparison
    ) throws -> RunSearch.Condition {
        switch column(key) {
        case .text(.id):
            return .text(.id, try comparison.textMatch(also: [.lists]))
        case .text(let column):
            return .text(column, try comparison.textMatch(also: []))
        case .number(let column):
            return .number(column, try comparison.numberMatch())
        case .metric, .param, .tag, nil: throw invalidAttribute(key)
        }
    }

    private static func column(_ key: String) -> RunSearch.OrderKey? {
        switch key {
        case "run_id": .text(.id)
        case "run_name", "run name", "Run name", "Run Name": .text(.name)
        case "user_id": .text(.userId)
        case "status": .text(.status)
        case "artifact_uri": .text(.artifactUri)
        case "start_time", "created", "Created": .number(.startTime)
        case "end_time": .number(.endTime)
        default: nil
        }
    }

    private static func dataset(
        _ key: String, _ comparison: Comparison
    ) throws -> RunSearch.Condition {
        let match = try comparison.textMatch(also: [.lists])
        switch key {
        case "name": return .dataset(.name, match)
        case "digest": return .dataset(.digest, match)
        case "context": return .dataset(.context, match)
        default:
            throw ProtocolError.invalid(
                "Invalid dataset key '\(key.prefix(100))' specified. Valid keys are name, digest, "
                    + "context.")
        }
    }

    static func orders(_ clauses: [String]) throws -> [RunSearch.Order] {
        var seen: Set<RunSearch.OrderKey> = []
        return try OrderClause.parse(clauses).map { clause in
            let key = try orderKey(clause.identifier)
            guard seen.insert(key).inserted else {
                throw ProtocolError.invalid("order_by names a key twice.")
            }
            return RunSearch.Order(key, ascending: clause.ascending)
        }
    }

    private static func orderKey(_ identifier: SearchIdentifier) throws -> RunSearch.OrderKey {
        switch identifier.entity {
        case "metric", "metrics": return .metric(identifier.key)
        case "parameter", "parameters", "param", "params": return .param(identifier.key)
        case "tag", "tags": return .tag(identifier.key)
        case nil, "attribute", "attributes", "attr", "run":
            guard let key = column(identifier.key) else { throw invalidAttribute(identifier.key) }
            return key
        case "dataset", "datasets":
            throw ProtocolError.invalid("Invalid identifier type 'dataset'")
        case .some(let entity): throw invalidEntity(entity)
        }
    }

    private static func invalidEntity(_ entity: String) -> ProtocolError {
        .invalid(
            "Invalid entity type '\(entity.prefix(100))'. Valid values are ['metric', 'parameter', "
                + "'tag', 'attribute', 'dataset']")
    }

    private static func invalidAttribute(_ key: String) -> ProtocolError {
        .invalid(
            "Invalid attribute key '\(key.prefix(100))' specified. Valid keys are run_id, run_name, "
                + "user_id, status, artifact_uri, start_time, end_time, created.")
    }
}
