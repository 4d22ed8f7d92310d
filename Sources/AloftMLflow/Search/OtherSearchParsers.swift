import AloftStore

/// Checks filters and orderings of experiments.
enum ExperimentSearchParser {
    static func conditions(_ filter: String?) throws -> [ExperimentSearch.Condition] {
        try FilterParser.parse(filter).map { comparison in
            let key = comparison.identifier.key
            switch comparison.identifier.entity {
            case "tag", "tags": return .tag(key, try comparison.textMatch(also: [.null]))
            case nil, "attribute", "attributes", "attr", "experiment":
                switch key {
                case "name": return .name(try comparison.textMatch(also: []))
                case "experiment_id": return .number(.number, try idMatch(comparison))
                case "creation_time": return .number(.createdAt, try comparison.numberMatch())
                case "last_update_time": return .number(.updatedAt, try comparison.numberMatch())
                default: throw SearchFault.attribute(key, names)
                }
            case .some(let entity): throw SearchFault.entity(entity)
            }
        }
    }

    static func orders(
        _ clauses: [String]
    ) throws -> [(column: ExperimentSearch.Column, ascending: Bool)] {
        try OrderClause.parse(clauses).map { clause in
            let column: ExperimentSearch.Column
            switch clause.identifier.key {
            case "name": column = .name
            case "experiment_id": column = .number
            case "creation_time": column = .createdAt
            case "last_update_time": column = .updatedAt
            default: throw SearchFault.attribute(clause.identifier.key, names)
            }
            return (column, clause.ascending)
        }
    }

    /// An experiment's id is a number in quotes.
    private static func idMatch(_ comparison: Comparison) throws -> NumberMatch {
        if case .text(let text) = comparison.value, let number = Double(text),
            case .compare(let comparator) = comparison.comparator
        {
            return NumberMatch(comparator, number)
        }
        return try comparison.numberMatch()
    }

    private static let names = "name, experiment_id, creation_time, last_update_time"
}

enum SearchFault {
    static func attribute(_ key: String, _ names: String) -> ProtocolError {
        .invalid("Invalid attribute key '\(key.prefix(100))' specified. Valid keys are \(names).")
    }

    static func entity(_ entity: String) -> ProtocolError {
        .invalid(
            "Invalid entity type '\(entity.prefix(100))'. Valid entity types are ('attribute', "
                + "'tag', 'tags')")
    }

    static func loggedEntity(_ entity: String) -> ProtocolError {
        .invalid(
            "Invalid entity type: '\(entity.prefix(100))'. Expected one of ['attributes', "
                + "'metrics', 'params', 'tags'].")
    }
}

/// Checks filters and orderings of registered models and their versions.
enum RegistrySearchParser {
    static let promptTag = "mlflow.prompt.is_prompt"

    static func modelConditions(_ filter: String?) throws -> [ModelSearch.Condition] {
        var conditions: [ModelSearch.Condition] = try FilterParser.parse(filter).map { comparison in
            let key = comparison.identifier.key
            switch comparison.identifier.entity {
            case "tag", "tags": return .tag(key, try comparison.textMatch(also: []))
            case nil, "attribute", "attributes":
                guard key == "name" else { throw SearchFault.attribute(key, "name, tags") }
                return .name(try comparison.textMatch(also: [.lists]))
            case .some(let entity): throw SearchFault.entity(entity)
            }
        }
        // Prompts are hidden unless the filter speaks of them.
        let namesPrompts = conditions.contains {
            if case .tag(promptTag, _) = $0 { true } else { false }
        }
        if !namesPrompts { conditions.append(.tag(promptTag, .notEqual("true"))) }
        return conditions.map {
            $0 == .tag(promptTag, .notEqual("false")) ? .tag(promptTag, .equal("true")) : $0
        }
    }

    static func modelOrders(
        _ clauses: [String]
    ) throws -> [(column: ModelSearch.Column, ascending: Bool)] {
        try OrderClause.parse(clauses).map { clause in
            switch clause.identifier.key {
            case "name": (.name, clause.ascending)
            case "timestamp", "last_updated_timestamp": (.updatedAt, clause.ascending)
            default:
                throw ProtocolError.invalid(
                    "Invalid order by key '\(clause.identifier.key.prefix(100))' specified. Valid "
                        + "keys are name, timestamp, last_updated_timestamp.")
            }
        }
    }

    static func versionConditions(_ filter: String?) throws -> [VersionSearch.Condition] {
        var namesPrompts = false
        var conditions: [VersionSearch.Condition] = []
        for comparison in try FilterParser.parse(filter) {
            let key = comparison.identifier.key
            switch comparison.identifier.entity {
            case "tag", "tags":
                let match: TextMatch = try comparison.textMatch(also: [])
                if key == promptTag {
                    namesPrompts = true
                    let wantsPrompts = match == .equal("true") || match == .notEqual("false")
                    conditions.append(.isPrompt(wantsPrompts))
                } else {
                    conditions.append(.tag(key, match))
                }
            case nil, "attribute", "attributes":
                conditions.append(try versionAttribute(key, comparison))
            case .some(let entity): throw SearchFault.entity(entity)
            }
        }
        if !namesPrompts { conditions.append(.isPrompt(false)) }
        return conditions
    }

    private static func versionAttribute(
        _ key: String, _ comparison: Comparison
    ) throws -> VersionSearch.Condition {
        switch key {
        case "name": return .text(.name, try comparison.textMatch(also: [.lists]))
        case "run_id": return .text(.run, try comparison.textMatch(also: [.lists]))
        case "source_path", "source":
            return .text(.source, try comparison.textMatch(also: []))
        case "version_number", "version":
            guard case .compare(let comparator) = comparison.comparator else {
                throw comparison.invalidComparator()
            }
            if case .text(let text) = comparison.value, let number = Int64(text) {
                return .version(NumberMatch(comparator, Double(number)))
            }
            return .version(try comparison.numberMatch())
        default:
            throw SearchFault.attribute(key, "name, run_id, source_path, version_number")
        }
    }

    static func versionOrders(
        _ clauses: [String]
    ) throws -> [(column: VersionSearch.Column, ascending: Bool)] {
        try OrderClause.parse(clauses).map { clause in
            switch clause.identifier.key {
            case "name": (.name, clause.ascending)
            case "version_number": (.version, clause.ascending)
            case "creation_timestamp": (.createdAt, clause.ascending)
            case "last_updated_timestamp": (.updatedAt, clause.ascending)
            default:
                throw SearchFault.attribute(
                    clause.identifier.key,
                    "name, version_number, creation_timestamp, last_updated_timestamp")
            }
        }
    }
}

/// Checks filters and orderings of logged models.
enum LoggedModelSearchParser {
    static func conditions(_ filter: String?) throws -> [LoggedModelSearch.Condition] {
        try FilterParser.parse(filter).map { comparison in
            let key = comparison.identifier.key
            switch comparison.identifier.entity {
            case "metric", "metrics": return .metric(key, try comparison.numberMatch())
            case "param", "params", "parameter", "parameters":
                return .param(key, try comparison.textMatch(also: []))
            case "tag", "tags": return .tag(key, try comparison.textMatch(also: []))
            case nil, "attribute", "attributes", "attr":
                switch column(key) {
                case .text(let column):
                    return .text(column, try comparison.textMatch(also: [.lists]))
                case .number(let column): return .number(column, try comparison.numberMatch())
                case .metric, nil: throw SearchFault.attribute(key, names)
                }
            case .some(let entity): throw SearchFault.loggedEntity(entity)
            }
        }
    }

    static func order(
        _ fields: Fields
    ) throws -> (key: LoggedModelSearch.OrderKey, ascending: Bool) {
        let name = try fields.string("field_name")
        let ascending = fields.has("ascending") ? try fields.bool("ascending") : true
        let identifier = try SearchIdentifier(text: name)
        switch identifier.entity {
        case "metric", "metrics":
            return (
                .metric(
                    identifier.key, datasetName: try fields.optionalString("dataset_name"),
                    datasetDigest: try fields.optionalString("dataset_digest")), ascending
            )
        case nil, "attribute", "attributes":
            guard let key = column(identifier.key) else {
                throw ProtocolError.invalid(
                    "Invalid order by field name: \(name.prefix(100)). Valid ones are \(names).")
            }
            return (key, ascending)
        case .some:
            throw ProtocolError.invalid(
                "Invalid order by field name: \(name.prefix(100)). Only metrics are supported.")
        }
    }

    private static func column(_ key: String) -> LoggedModelSearch.OrderKey? {
        switch key {
        case "name": .text(.name)
        case "model_id": .text(.id)
        case "model_type": .text(.modelType)
        case "status": .text(.status)
        case "source_run_id": .text(.sourceRun)
        case "creation_timestamp", "creation_time", "creation_timestamp_ms": .number(.createdAt)
        case "last_updated_timestamp", "last_updated_time", "last_updated_timestamp_ms":
            .number(.updatedAt)
        default: nil
        }
    }

    private static let names =
        "name, model_id, model_type, status, source_run_id, creation_timestamp, last_updated_timestamp"
}
