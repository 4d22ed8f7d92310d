import Synchronization

/// What was carried so far, and what was not.
package struct TransferReport: Sendable, Equatable, Codable {
    package var experiments = 0
    package var runs = 0
    /// Runs that were there already, and whole.
    package var runsUnchanged = 0
    package var points = 0
    package var files = 0
    package var fileBytes: Int64 = 0
    package var loggedModels = 0
    package var models = 0
    package var versions = 0
    /// What could not be taken, and why.
    package var leftOut: [LeftOut] = []
    /// What failed: another try may carry it.
    package var failures: [LeftOut] = []

    package init() {}
}

/// Counts for tasks that work side by side, and tells of it.
final class TransferProgress: Sendable {
    private let report = Mutex(TransferReport())
    private let tell: @Sendable (TransferReport) -> Void

    init(tell: @escaping @Sendable (TransferReport) -> Void) { self.tell = tell }

    var current: TransferReport { report.withLock { $0 } }

    func note(_ change: (inout TransferReport) -> Void) {
        let now = report.withLock { report in
            change(&report)
            return report
        }
        tell(now)
    }

    func leave(_ what: String, _ why: String) { note { $0.leftOut.append(LeftOut(what, why)) } }

    func fail(_ what: String, _ why: String) { note { $0.failures.append(LeftOut(what, why)) } }
}

/// Runs a job for each item, so many at a time; the first error stops the rest.
func eachOf<Item: Sendable>(
    _ items: [Item], parallel: Int, _ body: @escaping @Sendable (Item) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        var rest = items.makeIterator()
        for _ in 0..<parallel {
            guard let item = rest.next() else { break }
            group.addTask { try await body(item) }
        }
        while try await group.next() != nil {
            if let item = rest.next() { group.addTask { try await body(item) } }
        }
    }
}
