import Foundation
import GRDB

/// A copy of a database, as of one moment, while a server may write to it.
package struct StoreSnapshot: Sendable, Equatable {
    /// Absent in databases of earlier versions.
    package var identity: String?
    package var position: Int64
    package var schema: String
    /// Sentences of SQLite on what is damaged in the copy.
    package var faults: [String]

    private static let pagesPerStep: CInt = 4096

    /// Copies the database at `source` to `target`, a file of its own without a log.
    ///
    /// - Parameter progress: pages done, and all.
    /// - Throws: `StoreError.unusable`, or what `progress` throws.
    package static func copy(
        from source: String, to target: String, progress: @escaping (Int, Int) throws -> Void
    ) throws -> StoreSnapshot {
        do {
            return try StatementError.translating { try made(from: source, to: target, progress) }
        } catch let error as StatementError {
            throw StoreError.unusable(path: source, reason: error.message)
        }
    }

    private static func made(
        from source: String, to target: String, _ progress: @escaping (Int, Int) throws -> Void
    ) throws -> StoreSnapshot {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(30)
        configuration.label = "backup"
        let from = try DatabaseQueue(path: source, configuration: configuration)
        defer { try? from.close() }
        let into = try DatabaseQueue(path: target)
        defer { try? into.close() }
        try from.read { db in
            // Holds the moment: what is written from now on is not in the copy.
            _ = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
            try into.writeWithoutTransaction { copy in
                try db.backup(to: copy, pagesPerStep: pagesPerStep) { state in
                    try progress(state.completedPageCount, state.totalPageCount)
                }
            }
        }
        return try into.writeWithoutTransaction { db in
            // The copy of a database with a log asks for one too.
            try db.execute(sql: "PRAGMA journal_mode = DELETE")
            let ledger = try Ledger.read(Transaction(db))
            return StoreSnapshot(
                identity: ledger?.identity, position: ledger?.position ?? 0,
                schema: try Schema.applied(Transaction(db)).last ?? "",
                faults: try String.fetchAll(db, sql: "PRAGMA quick_check(5)").filter {
                    $0 != "ok"
                })
        }
    }
}
