package import AloftDomain
package import Foundation

/// Sessions of browsers. As of tokens, only the hash of a session's secret is stored.
package enum SessionQueries {
    package static func begin(
        _ db: Transaction, secret: String, of token: TokenID, at now: Date, until end: Date
    ) throws {
        try db.execute(sql: "DELETE FROM session WHERE expiresAt <= ?", arguments: [now.stamp])
        try db.execute(
            sql: "INSERT INTO session (hash, token, createdAt, expiresAt) VALUES (?, ?, ?, ?)",
            arguments: [TokenQueries.hash(secret), token.rawValue, now.stamp, end.stamp])
    }

    /// Ends a session. Doing it again changes nothing.
    package static func end(_ db: Transaction, secret: String) throws {
        try db.execute(
            sql: "DELETE FROM session WHERE hash = ?", arguments: [TokenQueries.hash(secret)])
        if db.changesCount > 0 { try TokenQueries.countEnd(db) }
    }
}
