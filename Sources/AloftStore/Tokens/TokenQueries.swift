package import AloftDomain
import Crypto
package import Foundation
package import GRDB

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
    /// - Throws: `DatabaseError` with `SQLITE_CONSTRAINT` if a live token of this kind has the name.
    package static func insert(
        _ db: Database, id: TokenID, name: String, kind: TokenRecord.Kind, secret: String,
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
    package static func find(_ db: Database, secret: String) throws -> TokenRecord? {
        try Row.fetchOne(
            db, sql: "SELECT * FROM token WHERE hash = ? AND revokedAt IS NULL",
            arguments: [hash(secret)]
        ).map(record)
    }

    /// Live tokens of people, by name.
    package static func listUsers(_ db: Database) throws -> [TokenRecord] {
        try Row.fetchAll(
            db, sql: "SELECT * FROM token WHERE kind = 'user' AND revokedAt IS NULL ORDER BY name"
        ).map(record)
    }

    /// Ends a token; false if no live token of this kind has the name.
    @discardableResult
    package static func revoke(
        _ db: Database, kind: TokenRecord.Kind, name: String, at: Date
    ) throws -> Bool {
        try db.execute(
            sql: "UPDATE token SET revokedAt = ? WHERE kind = ? AND name = ? AND revokedAt IS NULL",
            arguments: [at.stamp, kind.rawValue, name])
        return db.changesCount > 0
    }

    private static func record(_ row: Row) -> TokenRecord {
        TokenRecord(
            id: TokenID(row["id"]), name: row["name"],
            kind: TokenRecord.Kind(rawValue: row["kind"]) ?? .user,
            project: ProjectID(row["project"]),
            createdAt: row["createdAt"])
    }
}
