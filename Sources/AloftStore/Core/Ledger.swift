package import Foundation

/// The database's own count of its commits; see `StateFile`.
package struct Ledger: Sendable, Equatable {
    /// Random, made with the database; a copy has the same.
    package var identity: String
    /// How many commits changed something.
    package var position: Int64
    /// When somebody went on with this database although others had been acknowledged more: files that
    /// are older may belong to what was lost.
    package var lossAcceptedAt: Date?

    package static func read(_ db: Transaction) throws -> Ledger? {
        guard try db.hasTable("ledger") else { return nil }
        return try db.row(sql: "SELECT * FROM ledger").map { row in
            try Ledger(
                identity: row["identity"], position: row["position"],
                lossAcceptedAt: row.optionalDate("lossAcceptedAt"))
        }
    }

    /// Counts the transaction that is under way.
    ///
    /// - Returns: its number.
    static func advance(_ db: Transaction) throws -> Int64? {
        try db.firstRow(
            "UPDATE ledger SET position = position + 1 WHERE one = 1 RETURNING position",
            binding: []
        ) { try $0.int("position") }
    }
}
