package import AloftDomain
import Crypto
package import Foundation

/// A token as stored: never the secret, only its SHA-256 hash. The secret has 256 bits of chance, so
/// a plain hash cannot be searched.
package struct TokenRecord: Sendable, Equatable {
    package enum Kind: String, Sendable { case user, job, gateway }

    package var id: TokenID
    package var name: String
    package var kind: Kind
    package var project: ProjectID
    package var createdAt: String
}

package enum TokenQueries {
    /// A new secret: `aloft_` and 64 hexadecimal digits. Shown once, never stored.
    package static func makeSecret(using chance: Chance) -> String {
        let first: TokenID = chance.identifier()
        let second: TokenID = chance.identifier()
        return "aloft_\(first)\(second)"
    }

    package static func hash(_ secret: String) -> String {
        ContentDigest(bytes: SHA256.hash(data: Data(secret.utf8))).hex
    }

    /// Stores a token.
    ///
    /// - Throws: `StatementError` of kind `notUnique` if a live token of this kind has the name.
    package static func insert(
        _ db: Transaction, id: TokenID, name: String, kind: TokenRecord.Kind, secret: String,
        project: ProjectID, at: Date
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO token (id, name, kind, hash, project, createdAt)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                id.rawValue, name, kind.rawValue, hash(secret), project.rawValue, at.stamp,
            ])
    }

    /// The live token with this secret, if there is one.
    package static func find(_ db: Transaction, secret: String) throws -> TokenRecord? {
        try db.row(
            sql: "SELECT * FROM token WHERE hash = ? AND revokedAt IS NULL",
            arguments: [hash(secret)]
        ).map(record)
    }

    /// The live token with this secret, or that of the session with this secret.
    package static func bearer(
        _ db: Transaction, secret: String, at now: Date
    ) throws -> TokenRecord? {
        if let token = try find(db, secret: secret) { return token }
        return try db.row(
            sql: """
                SELECT t.* FROM session s JOIN token t ON t.id = s.token
                WHERE s.hash = ? AND s.expiresAt > ? AND t.revokedAt IS NULL
                """, arguments: [hash(secret), now.stamp]
        ).map(record)
    }

    static func countEnd(_ db: Transaction) throws {
        try db.execute(sql: "UPDATE tokenEnds SET count = count + 1 WHERE id = 1")
    }

    /// Grows whenever a token or a session ends.
    package static func ends(_ db: Transaction) throws -> Int {
        try db.value(of: Int.self, sql: "SELECT count FROM tokenEnds WHERE id = 1") ?? 0
    }

    /// Which of these hashes are of live tokens and sessions.
    package static func live(
        _ db: Transaction, hashes: [String], at now: Date
            // text: hexadecimal digits
    ) throws -> Set<String> {
        // text: hexadecimal digits
        var live: Set<String> = []
        for hash in hashes {
            let isLive =
                try db.value(
                    of: Bool.self,
                    sql: """
                        SELECT 1 FROM token WHERE hash = ? AND revokedAt IS NULL
                        UNION ALL
                        SELECT 1 FROM session s JOIN token t ON t.id = s.token
                        WHERE s.hash = ? AND s.expiresAt > ? AND t.revokedAt IS NULL
                        LIMIT 1
                        """, arguments: [hash, hash, now.stamp]) ?? false
            if isLive { live.insert(hash) }
        }
        return live
    }

    /// Live tokens of people, by name.
    package static func listUsers(_ db: Transaction) throws -> [TokenRecord] {
        try db.rows(
            sql: "SELECT * FROM token WHERE kind = 'user' AND revokedAt IS NULL ORDER BY name"
        ).map(record)
    }

    /// Ends a token and its sessions; false if no live token of this kind has the name.
    @discardableResult
    package static func revoke(
        _ db: Transaction, kind: TokenRecord.Kind, name: String, at: Date
    ) throws -> Bool {
        try db.execute(
            sql: "UPDATE token SET revokedAt = ? WHERE kind = ? AND name = ? AND revokedAt IS NULL",
            arguments: [at.stamp, kind.rawValue, name])
        guard db.changesCount > 0 else { return false }
        try db.execute(
            sql: """
                DELETE FROM session
                WHERE token IN (SELECT id FROM token WHERE kind = ? AND name = ? AND revokedAt = ?)
                """, arguments: [kind.rawValue, name, at.stamp])
        try countEnd(db)
        return true
    }

    private static func record(_ row: RowReader) throws -> TokenRecord {
        try TokenRecord(
            id: TokenID(row["id"]), name: row["name"],
            kind: row.word("kind"),
            project: ProjectID(row["project"]),
            createdAt: row["createdAt"])
    }
}
