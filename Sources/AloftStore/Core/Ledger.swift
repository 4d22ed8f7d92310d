package import Foundation
package import GRDB

/// The database's own count of its commits; see `StateFile`.
package struct Ledger: Sendable, Equatable {
    /// Random, made with the database; a copy has the same.
    package var identity: String
    /// How many commits changed something.
    package var position: Int64
    /// When somebody went on with this database although others had been acknowledged more: files that
    /// are older may belong to what was lost.
    package var lossAcceptedAt: Date?

    package static func read(_ db: Database) throws -> Ledger? {
        guard try db.tableExists("ledger") else { return nil }
        return try Row.fetchOne(db, sql: "SELECT * FROM ledger").map { row in
            Ledger(
                identity: row["identity"], position: row["position"],
                lossAcceptedAt: (row["lossAcceptedAt"] as String?).flatMap { Date(stamp: $0) })
        }
    }

    /// Counts the transaction that is under way.
    ///
    /// - Returns: its number.
    static func advance(_ db: Database) throws -> Int64? {
        try db.firstRow(
            "UPDATE ledger SET position = position + 1 WHERE one = 1 RETURNING position",
            binding: []
        ) { $0.int(0) }
    }
}
