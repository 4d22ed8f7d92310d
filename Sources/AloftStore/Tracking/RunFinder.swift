import AloftDomain
import GRDB

/// Finds the runs of one page of a search, so that a page costs about what it shows:
///
/// - from the runs of the most selective condition, if that has few, sorting those;
/// - else along the index that has the order asked for, from its start, looking at each run's rows
///   until the page is full;
/// - or, where that takes long because few of the first runs match, along the whole index, with the
///   runs that match each condition read from their indexes before.
///
/// The last costs one pass over an index a condition, whatever the conditions are.
struct RunFinder {
    /// Which plan is taken when.
    struct Limits {
        /// A condition that at most so many runs match leads the search.
        var fewRuns = 4000
        /// How far along an index runs are looked at one by one.
        var firstStretch = 2000
        /// So many runs of several experiments are put in order together.
        var merged = 20_000
    }

    let db: Database
    let search: RunSearch
    /// Not empty, each once.
    let experiments: [Int64]
    var limits = Limits()

    /// The numbers of the runs, in order; one more than `search.limit` if there are more.
    func find() throws -> [Int64] {
        if let driver = try mostSelective() { return try sorted(driver) }
        if experiments.count == 1 { return try walk(limit: search.limit + 1, search.offset) }
        let enough = search.offset + search.limit + 1
        guard experiments.count * enough <= limits.merged else { return try sorted(nil) }
        let candidates = try experiments.flatMap { experiment in
            try RunFinder(db: db, search: search, experiments: [experiment], limits: limits)
                .walk(limit: enough, 0)
        }
        return try sorted(candidates)
    }

    private func mostSelective() throws -> SQLText? {
        var best: (count: Int, rows: SQLText)?
        for condition in search.conditions where condition.maySelect {
            guard let rows = condition.matching(experiments, stage: search.stage) else { continue }
            let count = try number(
                SQLText("SELECT count(*) FROM (") + rows + SQLText(" LIMIT \(limits.fewRuns + 1))"))
            if count <= limits.fewRuns, count < best?.count ?? .max { best = (Int(count), rows) }
        }
        return best?.rows
    }

    // MARK: Sorting

    private func sorted(_ candidates: [Int64]) throws -> [Int64] {
        guard !candidates.isEmpty else { return [] }
        // Numbers of our own; as arguments they would be more than a statement may have.
        let list = candidates.map(String.init).joined(separator: ",")
        let ordering = RunOrdering(search.orders)
        return try numbers(
            SQLText("SELECT r.number FROM run r") + ordering.joins
                + SQLText(" WHERE r.number IN (\(list))")
                + ordering.ending(limit: search.limit + 1, offset: search.offset))
    }

    /// All runs that match, of those that `driver` gives or of the experiments, put in order.
    private func sorted(_ driver: SQLText?) throws -> [Int64] {
        let ordering = RunOrdering(search.orders)
        var text = SQLText("SELECT r.number FROM run r") + ordering.joins
        if let driver {
            text += SQLText(" WHERE r.number IN (") + driver + SQLText(") AND +r.experiment IN ")
        } else {
            text += " WHERE r.experiment IN "
        }
        text += .list(experiments)
        if let stage = search.stage {
            text += SQLText(
                driver == nil ? " AND r.lifecycleStage = ?" : " AND +r.lifecycleStage = ?",
                [stage.rawValue.databaseValue])
        }
        for condition in search.conditions {
            text += SQLText(" AND ")
            text += driver == nil ? condition.member("r.number", of: experiments) : condition.probe
        }
        return try numbers(
            text + ordering.ending(limit: search.limit + 1, offset: search.offset))
    }

    // MARK: Along an index

    /// One experiment's runs along the index of the first order.
    func walk(limit: Int, _ offset: Int) throws -> [Int64] {
        var found: [Int64] = []
        var offset = offset
        for part in RunIndexPart.parts(of: search) {
            let rows = try along(part, limit: limit - found.count, offset: offset)
            found += rows
            if found.count >= limit { return found }
            if rows.isEmpty, offset > 0 {
                let walk = RunIndexWalk(search: search, experiment: experiments[0], part: part)
                offset -= min(offset, Int(try number(walk.count)))
            } else {
                offset = 0
            }
        }
        return found
    }

    private func along(_ part: RunIndexPart, limit: Int, offset: Int) throws -> [Int64] {
        var walk = RunIndexWalk(search: search, experiment: experiments[0], part: part)
        guard !search.conditions.isEmpty,
            let bound = walk.bound(after: limits.firstStretch + offset)
        else { return try numbers(walk.rows(limit: limit, offset: offset)) }
        walk.style = .probing
        let last = try bound.rows(db).first
        if let last { walk.before = last[0] }
        let rows = try numbers(walk.rows(limit: limit, offset: offset))
        if last == nil || rows.count >= limit { return rows }
        walk.before = nil
        walk.style = .members
        return try numbers(walk.rows(limit: limit, offset: offset))
    }

    // MARK: Statements

    /// Not cached: filters come in any number of shapes.
    private func numbers(_ text: SQLText) throws -> [Int64] {
        try Int64.fetchAll(
            db.makeStatement(sql: text.sql), arguments: StatementArguments(text.arguments))
    }

    private func number(_ text: SQLText) throws -> Int64 {
        try Int64.fetchOne(
            db.makeStatement(sql: text.sql), arguments: StatementArguments(text.arguments)) ?? 0
    }
}
