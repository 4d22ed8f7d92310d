import AloftDomain

/// Conditions of a run search as SQL, in the three shapes that plans need.
extension RunSearch.Condition {
    /// True of the run `r`, found by probing its own rows: right for few runs.
    var probe: Statement {
        switch self {
        case .metric(let key, let match):
            Self.exists("latestMetric", key, match.metricSQL("c.value"))
        case .param(let key, let match): Self.text("runParam", key, match)
        case .tag(let key, let match): Self.text("runTag", key, match)
        case .text(let column, let match): match.sql("r.\(column.rawValue)")
        case .number(let column, let match): match.sql("r.\(column.rawValue)")
        case .dataset(.context, let match):
            Statement(
                """
                EXISTS (SELECT 1 FROM runDatasetTag t
                WHERE t.run = r.number AND t.key = 'mlflow.data.context' AND
                """ + " ") + match.sql("t.value") + Statement(")")
        case .dataset(let field, let match):
            Statement(
                """
                EXISTS (SELECT 1 FROM runDataset i JOIN dataset d ON d.number = i.dataset
                WHERE i.run = r.number AND
                """ + " ") + match.sql(field == .name ? "d.name" : "d.digest") + Statement(")")
        }
    }

    /// True of the run numbered `run`, found among all that match, which are read from an index
    /// once: right for many runs, unless nearly all match. Falls back to `probe`.
    func member(_ run: String, of experiments: [Int64]) -> Statement {
        guard maySelect || isNull else { return probe }
        switch self {
        case .metric, .dataset(.name, _), .dataset(.digest, _):
            guard let rows = matching(experiments, stage: nil) else { return probe }
            return Statement("\(Dialect.unindexed(run)) IN (") + rows + Statement(")")
        case .param(_, .isNull), .tag(_, .isNull):
            guard let rows = present(experiments) else { return probe }
            return Statement("\(Dialect.unindexed(run)) NOT IN (") + rows + Statement(")")
        case .tag(TrackingQueries.nameKey, _):
            guard let rows = matching(experiments, stage: nil) else { return probe }
            return Statement("(\(Dialect.unindexed(run)) IN (") + rows + Statement(") AND ") + probe
                + Statement(")")
        case .param, .tag:
            guard let rows = matching(experiments, stage: nil) else { return probe }
            return Statement("\(Dialect.unindexed(run)) IN (") + rows + Statement(")")
        case .text, .number, .dataset(.context, _): return probe
        }
    }

    /// The numbers of the runs that match, read from an index alone; `nil` where there is none. Of
    /// the tag that holds the name, also those that have the name and no longer the tag.
    func matching(_ experiments: [Int64], stage: LifecycleStage?) -> Statement? {
        switch self {
        case .metric(let key, let match):
            return Self.indexed("latestMetric", key, match.metricSQL("value"), experiments)
        case .param(_, .isNull), .tag(_, .isNull): return nil
        case .param(let key, let match):
            return Self.indexed("runParam", key, match.sql("value"), experiments)
        case .tag(TrackingQueries.nameKey, let match), .text(.name, let match):
            return Statement("SELECT number FROM run WHERE experiment IN ") + .list(experiments)
                + Statement(" AND ") + match.sql("name")
        case .tag(let key, let match):
            return Self.indexed("runTag", key, match.sql("value"), experiments)
        case .text(.id, .equal), .text(.id, .oneOf):
            guard case .text(_, let match) = self else { return nil }
            return Statement("SELECT number FROM run WHERE ") + match.sql("id")
        case .text(.status, let match):
            return Self.byStart(match.sql("status"), experiments, stage)
        case .text(.id, _), .text(.userId, _), .text(.artifactUri, _): return nil
        case .number(let column, let match):
            return Self.byStart(match.sql(column.rawValue), experiments, stage)
        case .dataset(.context, _): return nil
        case .dataset(let field, let match):
            return Statement(
                """
                SELECT i.run FROM dataset d \(Dialect.thenJoin) runDataset i ON i.dataset = d.number
                WHERE d.experiment IN
                """ + " ") + .list(experiments) + Statement(" AND ")
                + match.sql(field == .name ? "d.name" : "d.digest")
        }
    }

    /// The numbers of the runs that lack the param or tag; `nil` for other conditions.
    func lacking(_ experiments: [Int64]) -> Statement? {
        guard isNull, let rows = present(experiments) else { return nil }
        return Statement("SELECT number FROM run WHERE experiment IN ") + .list(experiments)
            + Statement(" AND number NOT IN (") + rows + Statement(")")
    }

    private var isNull: Bool {
        switch self {
        case .param(_, let match), .tag(_, let match): match == .isNull
        case .metric, .text, .number, .dataset: false
        }
    }

    /// Whether it may be true of few runs; else counting them is not worth its while.
    var maySelect: Bool {
        switch self {
        case .metric(_, let match), .number(_, let match): match.comparator != .notEqual
        case .param(_, let match), .tag(_, let match), .text(_, let match), .dataset(_, let match):
            switch match {
            case .notEqual, .noneOf, .isNull, .isNotNull: false
            case .equal, .like, .matching, .oneOf: true
            }
        }
    }

    /// The numbers of the runs that have the param or tag at all.
    private func present(_ experiments: [Int64]) -> Statement? {
        switch self {
        case .param(let key, _): Self.indexed("runParam", key, nil, experiments)
        case .tag(TrackingQueries.nameKey, _): nil
        case .tag(let key, _): Self.indexed("runTag", key, nil, experiments)
        case .metric, .text, .number, .dataset: nil
        }
    }

    /// What a statement must say of the rows it wants to be given the index by (experiment, key,
    /// value): that of tags holds no names.
    static func indexTerm(_ table: String, _ alias: String = "") -> String {
        table == "runTag" ? " AND \(alias)key <> '\(TrackingQueries.nameKey)'" : ""
    }

    /// Through the index by (experiment, key, value), which holds the run's number as well.
    static func indexed(
        _ table: String, _ key: String, _ match: Statement?, _ experiments: [Int64]
    ) -> Statement {
        let rows =
            Statement("SELECT run FROM \(table) WHERE experiment IN ") + .list(experiments)
            + Statement(" AND key = ?" + indexTerm(table), [key.sqlValue])
        guard let match else { return rows }
        return rows + Statement(" AND ") + match
    }

    /// Through the index `runByStart`, which holds status and times.
    private static func byStart(
        _ match: Statement, _ experiments: [Int64], _ stage: LifecycleStage?
    ) -> Statement? {
        guard let stage else { return nil }
        return Statement("SELECT number FROM run WHERE experiment IN ") + .list(experiments)
            + Statement(" AND lifecycleStage = ? AND ", [stage.rawValue.sqlValue]) + match
    }

    private static func text(_ table: String, _ key: String, _ match: TextMatch) -> Statement {
        if match == .isNull { return Statement("NOT ") + exists(table, key, Statement("TRUE")) }
        return exists(table, key, match.sql("c.value"))
    }

    private static func exists(_ table: String, _ key: String, _ match: Statement) -> Statement {
        Statement(
            "EXISTS (SELECT 1 FROM \(table) c WHERE c.run = r.number AND c.key = ? AND ",
            [key.sqlValue]) + match + Statement(")")
    }
}
