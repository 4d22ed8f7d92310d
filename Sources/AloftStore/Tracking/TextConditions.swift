import AloftDomain

extension TextMatch {
    /// `column` compared; NULL never matches but for `isNull`.
    func sql(_ column: String) -> Statement {
        switch self {
        case .equal(let text): Statement("\(column) = ?", [text.sqlValue])
        case .notEqual(let text): Statement("\(column) <> ?", [text.sqlValue])
        case .like(let pattern, ignoringCase: true):
            Statement("\(column) \(Dialect.isLike) ?", [pattern.sqlValue])
        case .like(let pattern, ignoringCase: false):
            Statement(
                "\(column) \(Dialect.isLikeCased) ?", [Dialect.casedPattern(pattern).sqlValue])
        case .matching(let pattern):
            Statement(
                "\(PatternFunction.name)(?, \(column))", [pattern.text.sqlValue])
        case .oneOf(let texts): Statement("\(column) IN ") + .list(texts)
        case .noneOf(let texts): Statement("\(column) NOT IN ") + .list(texts)
        case .isNull: Statement("\(column) IS NULL")
        case .isNotNull: Statement("\(column) IS NOT NULL")
        }
    }
}

extension NumberMatch {
    func sql(_ column: String) -> Statement {
        Statement("\(column) \(comparator.rawValue) ?", [value.sqlValue])
    }

    /// The same of a metric's value, where NULL stands for NaN: that is unlike every number.
    func metricSQL(_ column: String) -> Statement {
        guard comparator == .notEqual else { return sql(column) }
        return Statement("(\(column) IS NULL OR ") + sql(column) + Statement(")")
    }
}
