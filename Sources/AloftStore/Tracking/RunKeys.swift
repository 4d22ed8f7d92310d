package import AloftDomain

/// The names of what the runs of some experiments logged.
package struct RunKeys: Sendable, Equatable {
    package var metrics: [String] = []
    package var params: [String] = []
    package var tags: [String] = []
    /// Whether there are more of a kind than were asked for.
    package var hasMore = false
}

extension TrackingQueries {
    /// Each name once, in order; at most `limit` of a kind.
    ///
    /// Costs one look-up a name, whatever the number of runs: it goes from name to name along the index.
    package static func runKeys(
        _ db: Transaction, experiments: [ExperimentID], limit: Int
    ) throws -> RunKeys {
        let numbers = Set(experiments.compactMap { Int64($0.rawValue) }).sorted()
        var keys = RunKeys()
        for (table, list) in [
            ("latestMetric", \RunKeys.metrics), ("runParam", \RunKeys.params),
            ("runTag", \RunKeys.tags),
        ] as [(String, WritableKeyPath<RunKeys, [String]>)] {
            var found: Set<ExactText> = []
            for number in numbers {
                found.formUnion(
                    try names(db, table, experiment: number, limit: limit + 1).map(ExactText.init))
            }
            let sorted = found.map(\.text).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            keys.hasMore = keys.hasMore || sorted.count > limit
            keys[keyPath: list] = Array(sorted.prefix(limit))
        }
        return keys
    }

    private static func names(
        _ db: Transaction, _ table: String, experiment: Int64, limit: Int
    ) throws -> [String] {
        let term = RunSearch.Condition.indexTerm(table)
        return try db.allValues(
            """
            WITH RECURSIVE found(key) AS (
                SELECT min(key) FROM \(table) WHERE experiment = ?\(term)
                UNION ALL
                SELECT (SELECT min(key) FROM \(table)
                    WHERE experiment = ? AND key > found.key\(term))
                FROM found WHERE found.key IS NOT NULL
            )
            SELECT key FROM found WHERE key IS NOT NULL LIMIT ?
            """, [experiment, experiment, limit]
        )
    }
}
