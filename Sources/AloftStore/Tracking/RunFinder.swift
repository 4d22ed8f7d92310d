import AloftDomain

/// Finds the runs of one page of a search, so that a page costs about what it shows:
///
/// - from the runs of the most selective condition, if that has few, sorting those;
/// - else along the index that has the order asked for, from its start, looking at each run's rows
///   until the page is full;
/// - or, where that takes long because few of the first runs match, from the most selective
///   condition after all, if that has not too many;
/// - or else along the whole index, with the runs that match each condition read from their indexes
///   before: one pass over an index a condition, whatever the conditions are.
struct RunFinder {
    /// Which plan is taken when.
    struct Limits {
        /// A condition that at most so many runs match leads the search.
        var fewRuns = 4000
        /// It does also with so many, if the index of the order does not soon fill the page.
        var someRuns = 24_000
        /// How far along an index runs are looked at one by one.
        var firstStretch = 6000
        /// So many runs of several experiments are put in order together.
        var merged = 20_000
    }

    let db: Transaction
    let search: RunSearch
    /// Not empty, each once.
    let experiments: [Int64]
    var limits = Limits()

    /// The numbers of the runs, in order; one more than `search.limit` if there are more.
    func find() throws -> [Int64] {
        let best = try mostSelective()
        if let best, best.count <= limits.fewRuns || experiments.count > 1 {
            return try sorted(best.rows)
        }
        if experiments.count == 1 {
            return try walk(limit: search.limit + 1, search.offset, orElse: best?.rows)
        }
        let enough = search.offset + search.limit + 1
        guard experiments.count * enough <= limits.merged else { return try sorted(nil) }
        let candidates = try experiments.flatMap { experiment in
            try RunFinder(db: db, search: search, experiments: [experiment], limits: limits)
                .walk(limit: enough, 0, orElse: nil)
        }
        return try sorted(candidates)
    }

    private struct Driver {
        var count: Int
        var rows: Statement
    }

    private func mostSelective() throws -> Driver? {
        let most = max(limits.fewRuns, limits.someRuns)
        var best: Driver?
        for condition in search.conditions where condition.maySelect {
            guard let rows = condition.matching(experiments, stage: search.stage) else { continue }
            let count = try number(
                Statement("SELECT count(*) FROM (") + rows
                    + Statement(" LIMIT \(max(most, 0) + 1))"))
            if count <= most, count < best?.count ?? .max {
                best = Driver(count: Int(count), rows: rows)
            }
        }
        if best.map({ $0.count > limits.fewRuns }) ?? true {
            try lacking(most, better: &best)
        }
        return best
    }

    /// The runs that lack a param or tag are found only by looking at all; so only once.
    private func lacking(_ most: Int, better best: inout Driver?) throws {
        for condition in search.conditions {
            guard let rows = condition.lacking(experiments) else { continue }
            let found = try numbers(rows + Statement(" LIMIT \(max(most, 0) + 1)"))
            guard found.count <= most, found.count < best?.count ?? .max else { continue }
            // Numbers of our own; as arguments they would be more than a statement may have.
            let list = found.isEmpty ? "NULL" : found.map(String.init).joined(separator: ",")
            best = Driver(count: found.count, rows: Statement(list))
        }
    }

    // MARK: Sorting

    private func sorted(_ candidates: [Int64]) throws -> [Int64] {
        guard !candidates.isEmpty else { return [] }
        // Numbers of our own; as arguments they would be more than a statement may have.
        let list = candidates.map(String.init).joined(separator: ",")
        let ordering = RunOrdering(search.orders)
        return try numbers(
            Statement("SELECT r.number FROM run r") + ordering.joins
                + Statement(" WHERE r.number IN (\(list))")
                + ordering.after(search.after?.values[...])
                + ordering.ending(limit: search.limit + 1, offset: search.offset))
    }

    /// All runs that match, of those that `driver` gives or of the experiments, put in order.
    private func sorted(_ driver: Statement?) throws -> [Int64] {
        let ordering = RunOrdering(search.orders)
        var text = Statement("SELECT r.number FROM run r") + ordering.joins
        if let driver {
            text += Statement(" WHERE r.number IN (") + driver
            text += ") AND \(Dialect.unindexed("r.experiment")) IN "
        } else {
            text += " WHERE r.experiment IN "
        }
        text += .list(experiments)
        if let stage = search.stage {
            text += Statement(
                driver == nil
                    ? " AND r.lifecycleStage = ?"
                    : " AND \(Dialect.unindexed("r.lifecycleStage")) = ?",
                [stage.rawValue.sqlValue])
        }
        for condition in search.conditions {
            text += Statement(" AND ")
            text += driver == nil ? condition.member("r.number", of: experiments) : condition.probe
        }
        return try numbers(
            text + ordering.after(search.after?.values[...])
                + ordering.ending(limit: search.limit + 1, offset: search.offset))
    }

    // MARK: Along an index

    /// One experiment's runs along the index of the first order; if that takes long, the runs that
    /// `driver` gives, sorted.
    private func walk(limit: Int, _ offset: Int, orElse driver: Statement?) throws -> [Int64] {
        var found: [Int64] = []
        var offset = offset
        for part in RunIndexPart.parts(of: search) {
            let start = part.start(of: search)
            if start == .gone { continue }
            let walk = RunIndexWalk(
                search: search, experiment: experiments[0], part: part, start: start)
            var rows = try firstStretch(walk, limit: limit - found.count, offset: offset)
            if rows == nil {
                if let driver { return try sorted(driver) }
                rows = try numbers(try walk.rows(limit: limit - found.count, offset: offset))
            }
            found += rows ?? []
            if found.count >= limit { return found }
            if rows?.isEmpty ?? true, offset > 0 {
                offset -= min(offset, Int(try number(walk.count)))
            } else {
                offset = 0
            }
        }
        return found
    }

    /// A part's rows, if looking at its first runs one by one gives them; else `nil`.
    private func firstStretch(
        _ walk: RunIndexWalk, limit: Int, offset: Int
    ) throws -> [Int64]? {
        guard !search.conditions.isEmpty else {
            return try numbers(try walk.rows(limit: limit, offset: offset))
        }
        let length = limits.firstStretch + offset
        guard let last = walk.bound(after: length), let later = walk.bound(after: 3 * length)
        else { return nil }
        var walk = walk
        walk.style = .probing
        let value = try db.values(of: SQLValue.self, last).first
        if let value {
            let end = try db.values(of: SQLValue.self, later).first
            walk.bound = .init(value: value, isTaken: end != value)
        }
        let rows = try numbers(try walk.rows(limit: limit, offset: offset))
        return walk.bound == nil || rows.count >= limit ? rows : nil
    }

    // MARK: Statements

    /// Not cached: filters come in any number of shapes.
    private func numbers(_ text: Statement) throws -> [Int64] {
        try db.values(text)
    }

    private func number(_ text: Statement) throws -> Int64 {
        try db.value(text) ?? 0
    }
}
