import AloftDomain
import AloftStore

/// One comparison of a filter, not yet checked against what can be searched.
struct Comparison: Equatable {
    enum Operator: Equatable {
        case compare(NumberMatch.Comparator)
        case like(ignoringCase: Bool)
        /// RLIKE: a regular expression.
        case matching
        case oneOf
        case noneOf
        case isNull
        case isNotNull

        /// As filters write it.
        var text: String {
            switch self {
            case .compare(let comparator):
                comparator == .notEqual ? "!=" : comparator.rawValue
            case .like(let ignoringCase): ignoringCase ? "ILIKE" : "LIKE"
            case .matching: "RLIKE"
            case .oneOf: "IN"
            case .noneOf: "NOT IN"
            case .isNull: "IS NULL"
            case .isNotNull: "IS NOT NULL"
            }
        }
    }

    enum Value: Equatable {
        case none
        case number(Double)
        case text(String)
        case texts([String])
    }

    var identifier: SearchIdentifier
    var comparator: Operator
    var value: Value
}

/// `entity.key`; without an entity the key is an attribute.
struct SearchIdentifier: Equatable {
    var entity: String?
    var key: String
    var isQuoted = false

    init(entity: String?, key: String) {
        self.entity = entity
        self.key = key
    }

    /// Splits at the first dot that is not quoted.
    init(_ parts: [FilterToken.WordPart]) throws {
        var text = ""
        var entity: String?
        for part in parts {
            if entity == nil, !part.isQuoted, let dot = part.text.unicodeScalars.firstIndex(of: ".")
            {
                entity = text + String(part.text.unicodeScalars[..<dot])
                text = String(part.text.unicodeScalars[dot...].dropFirst())
            } else {
                text += part.text
            }
            isQuoted = isQuoted || part.isQuoted
        }
        guard !text.isEmpty, entity != "" else {
            throw ProtocolError.invalid(
                "Invalid identifier '\(parts.map(\.text).joined().prefix(100))' in the filter.")
        }
        self.entity = entity
        key = text
    }

    /// From an order clause or another bare text.
    init(text: String) throws {
        guard case .word(let parts)? = try FilterLexer.tokens(text).first else {
            throw ProtocolError.invalid("Invalid identifier '\(text.prefix(100))'.")
        }
        try self.init(parts)
    }
}

/// Comparisons joined by AND, and nothing else.
struct FilterParser {
    /// More than this is a mistake or an attack.
    private static let maxComparisons = 200
    private static let maxPattern = 10_000

    private var tokens: ArraySlice<FilterToken>
    private let filter: String

    static func parse(_ filter: String?) throws -> [Comparison] {
        guard let filter else { return [] }
        var parser = FilterParser(tokens: try FilterLexer.tokens(filter)[...], filter: filter)
        return try parser.comparisons()
    }

    private mutating func comparisons() throws -> [Comparison] {
        var result: [Comparison] = []
        guard !tokens.isEmpty else { return [] }
        while true {
            result.append(try comparison())
            guard result.count <= Self.maxComparisons else {
                throw ProtocolError.invalid(
                    "The filter has more than \(Self.maxComparisons) clauses.")
            }
            if tokens.isEmpty { return result }
            guard takeKeyword("and") else { throw invalid() }
        }
    }

    private mutating func comparison() throws -> Comparison {
        let identifier: SearchIdentifier
        switch tokens.popFirst() {
        case .word(let parts): identifier = try SearchIdentifier(parts)
        case .text(let text, quote: "\""): identifier = SearchIdentifier(entity: nil, key: text)
        default: throw invalid()
        }
        if case .comparator(let text)? = tokens.first {
            tokens = tokens.dropFirst()
            let name = text == "!=" ? "<>" : text
            guard let comparator = NumberMatch.Comparator(rawValue: name) else { throw invalid() }
            return Comparison(
                identifier: identifier, comparator: .compare(comparator),
                value: try value(of: identifier))
        }
        if takeKeyword("is") {
            let isNegated = takeKeyword("not")
            guard takeKeyword("null") else { throw invalid() }
            return Comparison(
                identifier: identifier, comparator: isNegated ? .isNotNull : .isNull, value: .none)
        }
        if takeKeyword("like") { return try like(identifier, ignoringCase: false) }
        if takeKeyword("ilike") { return try like(identifier, ignoringCase: true) }
        if takeKeyword("rlike") { return try pattern(identifier, .matching) }
        let isNegated = takeKeyword("not")
        guard takeKeyword("in") else { throw invalid() }
        return Comparison(
            identifier: identifier, comparator: isNegated ? .noneOf : .oneOf,
            value: .texts(try texts()))
    }

    private mutating func like(
        _ identifier: SearchIdentifier, ignoringCase: Bool
    ) throws -> Comparison {
        try pattern(identifier, .like(ignoringCase: ignoringCase))
    }

    private mutating func pattern(
        _ identifier: SearchIdentifier, _ comparator: Comparison.Operator
    ) throws -> Comparison {
        let value = try value(of: identifier)
        if case .text(let pattern) = value, pattern.utf8.count > Self.maxPattern {
            throw ProtocolError.invalid("A pattern is longer than \(Self.maxPattern) bytes.")
        }
        return Comparison(identifier: identifier, comparator: comparator, value: value)
    }

    private mutating func value(of identifier: SearchIdentifier) throws -> Comparison.Value {
        switch tokens.popFirst() {
        case .number(let number): return .number(number)
        case .text(let text, _): return .text(text)
        case .word(let parts) where tokens.isEmpty: throw unquoted(parts, identifier)
        case .word, .comparator, .open, .close, .comma, nil: throw invalid()
        }
    }

    /// A bare word where a value should stand, in the words that clients look for.
    private func unquoted(
        _ parts: [FilterToken.WordPart], _ identifier: SearchIdentifier
    ) -> ProtocolError {
        let word = parts.map(\.text).joined().prefix(100)
        if ["true", "false", "null"].contains(word.lowercased()) { return invalid() }
        switch identifier.entity?.lowercased() {
        case "metric", "metrics":
            return .invalid("Expected numeric value type for metric. Found \(word)")
        default:
            return .invalid(
                "Parameter value is either not quoted or unidentified quote types used for string "
                    + "value \(word). Use either single or double quotes.")
        }
    }

    private mutating func texts() throws -> [String] {
        guard tokens.popFirst() == .open, tokens.contains(.close) else { throw invalid() }
        var texts: [String] = []
        while true {
            switch tokens.popFirst() {
            case .text(let text, _): texts.append(text)
            case .close where texts.isEmpty:
                throw badList("a non-empty list of string values, but got empty list")
            case .comma, .close:
                throw badList("a non-empty list of string values, but got ill-formed list")
            default:
                throw badList(
                    "string value, punctuation, or whitespace, but got different type in list")
            }
            var next = tokens.popFirst()
            // Python writes a comma behind the only one.
            if next == .comma, tokens.first == .close { next = tokens.popFirst() }
            switch next {
            case .close:
                guard texts.count <= 10_000 else {
                    throw ProtocolError.invalid("A list in the filter has more than 10000 values.")
                }
                return texts
            case .comma: continue
            default: throw invalid()
            }
        }
    }

    private func badList(_ expected: String) -> ProtocolError {
        .invalid("While parsing a list in the query, expected \(expected).")
    }

    private mutating func takeKeyword(_ keyword: String) -> Bool {
        guard case .word(let parts)? = tokens.first, parts.count == 1, !parts[0].isQuoted,
            parts[0].text.lowercased() == keyword
        else { return false }
        tokens = tokens.dropFirst()
        return true
    }

    private func invalid() -> ProtocolError {
        .invalid(
            "Invalid clause(s) in filter string: '\(filter.prefix(200))'. It takes comparisons such "
                + "as metrics.loss < 0.1 or tags.kind = 'a', joined by AND.")
    }
}

extension Comparison {
    /// The comparison of a text, by any operator.
    private func anyTextMatch() throws -> TextMatch {
        switch (comparator, value) {
        case (.compare(.equal), .text(let text)): return .equal(text)
        case (.compare(.notEqual), .text(let text)): return .notEqual(text)
        case (.like(let ignoringCase), .text(let text)):
            return .like(text, ignoringCase: ignoringCase)
        case (.matching, .text(let text)): return .matching(try regularExpression(text))
        case (.oneOf, .texts(let texts)): return .oneOf(texts)
        case (.noneOf, .texts(let texts)): return .noneOf(texts)
        case (.isNull, _): return .isNull
        case (.isNotNull, _): return .isNotNull
        case (_, .number):
            throw ProtocolError.invalid(
                "Expected a quoted string value for \(textKind). Got value \(valueText)")
        default: throw invalidComparator()
        }
    }

    private func regularExpression(_ text: String) throws -> TextPattern {
        do { return try TextPattern(text) } catch {
            throw ProtocolError.invalid(
                "Invalid regular expression '\(text.prefix(200))' for "
                    + "'\(identifier.key.prefix(100))': \(error.reason).")
        }
    }

    /// The comparison of a number.
    func numberMatch() throws -> NumberMatch {
        if comparator == .isNull || comparator == .isNotNull {
            throw ProtocolError.invalid(
                "IS NULL / IS NOT NULL is only supported for tags and params, not for "
                    + "'\(numberKind == "metric" ? numberKind : "attribute")' "
                    + "'\(identifier.key.prefix(100))'.")
        }
        guard case .number(let number) = value else {
            throw ProtocolError.invalid(
                "Expected numeric value type for \(numberKind). Found \(valueText)")
        }
        guard case .compare(let comparator) = comparator else { throw invalidComparator() }
        return NumberMatch(comparator, number)
    }

    /// - Throws: `ProtocolError` unless the operator is equality, LIKE or ILIKE, or among `also`.
    func textMatch(also: Set<Extra> = []) throws -> TextMatch {
        let match = try anyTextMatch()
        switch match {
        case .equal, .notEqual, .like: return match
        case .oneOf, .noneOf:
            guard also.contains(.lists) else { throw invalidComparator() }
        case .isNull, .isNotNull:
            guard also.contains(.null) else { throw invalidComparator() }
        case .matching:
            guard also.contains(.patterns) else { throw invalidComparator() }
        }
        return match
    }

    enum Extra { case lists, null, patterns }

    func invalidComparator() -> ProtocolError {
        let names = isNumber ? "=, !=, >, >=, <, <=" : "=, !=, LIKE, ILIKE"
        return .invalid(
            "Invalid comparator '\(comparator.text)' not one of those that "
                + "'\(identifier.key.prefix(100))' takes, such as \(names).")
    }

    private var isNumber: Bool { if case .number = value { true } else { false } }

    // In the words that clients look for.

    private var numberKind: String {
        switch identifier.entity?.lowercased() {
        case "metric", "metrics": "metric"
        default: "numeric attribute: \(identifier.key.prefix(100))"
        }
    }

    private var textKind: String {
        switch identifier.entity?.lowercased() {
        case "tag", "tags": "tag (e.g. 'my-value')"
        case "param", "params", "parameter", "parameters": "parameter (e.g. 'my-value')"
        case "dataset", "datasets": "dataset attributes"
        default: "attributes"
        }
    }

    private var valueText: String {
        switch value {
        case .none: "NULL"
        case .number(let number):
            Int64(exactly: number).map { String($0) } ?? String(number)
        case .text(let text): "'\(text.prefix(100))'"
        case .texts(let texts):
            "(\(texts.prefix(3).map { "'\($0.prefix(100))'" }.joined(separator: ", ")))"
        }
    }
}

/// One key of an ordering with its direction.
struct OrderClause: Equatable {
    var identifier: SearchIdentifier
    var ascending: Bool

    /// Each may need a table of its own, and the database joins 64 at most.
    static let most = 30

    /// - Throws: `ProtocolError` where a search names more orders than that.
    static func check(count: Int) throws {
        guard count <= most else {
            throw ProtocolError.invalid(
                "'order_by' has \(count) clauses; \(most) at most can be sorted by.")
        }
    }

    static func parse(_ clauses: [String]) throws -> [OrderClause] {
        try check(count: clauses.count)
        return try clauses.map { clause in
            let tokens = try FilterLexer.tokens(clause)
            guard case .word(let parts)? = tokens.first, tokens.count <= 2 else {
                throw invalid(clause)
            }
            var ascending = true
            if tokens.count == 2 {
                guard case .word(let direction) = tokens[1], direction.count == 1 else {
                    throw invalid(clause)
                }
                switch direction[0].text.lowercased() {
                case "asc": ascending = true
                case "desc": ascending = false
                default:
                    throw ProtocolError.invalid(
                        "Invalid ordering key in order_by clause '\(clause.prefix(200))'.")
                }
            }
            return OrderClause(identifier: try SearchIdentifier(parts), ascending: ascending)
        }
    }

    private static func invalid(_ clause: String) -> ProtocolError {
        .invalid("Invalid order_by clause '\(clause.prefix(200))'.")
    }
}
