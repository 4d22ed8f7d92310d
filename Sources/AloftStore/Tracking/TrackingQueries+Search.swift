import AloftDomain
package import GRDB

extension TrackingQueries {
    /// The runs wanted, one more than `limit` where there are more; see `RunFinder`.
    package static func search(_ db: Database, _ search: RunSearch) throws -> [RunInfo] {
        let experiments = Set(search.experiments.compactMap { Int64($0.rawValue) }).sorted()
        guard !experiments.isEmpty else { return [] }
        let finder = RunFinder(db: db, search: search, experiments: experiments)
        return try runInfos(db, try finder.find())
    }

    /// The runs with these numbers, in this order.
    private static func runInfos(_ db: Database, _ numbers: [Int64]) throws -> [RunInfo] {
        var infos: [Int64: RunInfo] = [:]
        infos.reserveCapacity(numbers.count)
        for start in stride(from: 0, to: numbers.count, by: Database.mostNumbers) {
            let part = numbers[start..<min(start + Database.mostNumbers, numbers.count)]
            let rows = try db.rows(
                "SELECT \(runColumns) FROM run WHERE number IN (#)", numbers: part)
            while let row = try rows.next() {
                let info = runInfo(row)
                infos[info.number] = info
            }
        }
        return numbers.compactMap { infos[$0] }
    }
}
