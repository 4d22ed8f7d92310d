import AloftDomain

extension TrackingQueries {
    /// The runs wanted, one more than `limit` where there are more; see `RunFinder`.
    package static func search(_ db: Transaction, _ search: RunSearch) throws -> [RunInfo] {
        let experiments = Set(search.experiments.compactMap { Int64($0.rawValue) }).sorted()
        guard !experiments.isEmpty else { return [] }
        let finder = RunFinder(db: db, search: search, experiments: experiments)
        return try runInfos(db, try finder.find())
    }

    /// The runs with these numbers, in this order.
    private static func runInfos(_ db: Transaction, _ numbers: [Int64]) throws -> [RunInfo] {
        var infos: [Int64: RunInfo] = [:]
        infos.reserveCapacity(numbers.count)
        for start in stride(from: 0, to: numbers.count, by: Transaction.mostNumbers) {
            let part = numbers[start..<min(start + Transaction.mostNumbers, numbers.count)]
            let sql = "SELECT \(runColumns) FROM run WHERE number IN (#)"
            try db.forEach(sql, numbers: part) { row in
                let info = try runInfo(&row)
                infos[info.number] = info
            }
        }
        return numbers.compactMap { infos[$0] }
    }
}
