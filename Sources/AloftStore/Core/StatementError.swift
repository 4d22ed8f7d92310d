import GRDB
import GRDBSQLite

/// A statement that the database did not carry out.
package struct StatementError: Error, Equatable, CustomStringConvertible {
    package enum Kind: Sendable, Equatable {
        /// Another row has these values already.
        case notUnique
        /// What it names is not there, or others still name it.
        case foreignKey
        /// A value that the schema does not allow.
        case notAllowed
        case diskFull
        /// The disk or the file gave way, and with it the transaction.
        case broken
        /// The file holds what is no database, or no longer one.
        case damaged
        /// It was stopped from outside.
        case interrupted
        /// Something else; the database's own number.
        case other(code: Int32)
    }

    package var kind: Kind
    /// The database's own words.
    package var message: String
    package var sql: String?

    package var description: String {
        "\(kind): \(message)" + (sql.map { " (\($0))" } ?? "")
    }

    /// Whether the schema forbids it, whichever way.
    package var isConstraint: Bool { [.notUnique, .foreignKey, .notAllowed].contains(kind) }

    /// The transaction is over, whoever shares it.
    var isFatal: Bool { [.diskFull, .broken, .damaged].contains(kind) }

    init(_ error: DatabaseError) {
        self.init(
            code: error.extendedResultCode.rawValue,
            message: error.message ?? error.resultCode.description, sql: error.sql)
    }

    /// - Parameter code: with the details of the database.
    init(code: Int32, message: String, sql: String?) {
        kind = Self.kind(code)
        self.message = message
        self.sql = sql
    }

    private static func kind(_ code: Int32) -> Kind {
        let constraint = SQLITE_CONSTRAINT
        // The details are in the bits above the lowest eight.
        switch (code & 0xff, code >> 8) {
        case (constraint, 6), (constraint, 8), (constraint, 10): return .notUnique
        case (constraint, 3): return .foreignKey
        case (constraint, _): return .notAllowed
        case (SQLITE_FULL, _): return .diskFull
        case (SQLITE_IOERR, _), (SQLITE_NOMEM, _), (SQLITE_READONLY, _): return .broken
        case (SQLITE_CORRUPT, _), (SQLITE_NOTADB, _), (SQLITE_FORMAT, _): return .damaged
        case (SQLITE_INTERRUPT, _): return .interrupted
        default: return .other(code: code)
        }
    }

    /// Runs `body`; what GRDB says went wrong becomes this.
    static func translating<Value>(_ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as DatabaseError { throw StatementError(error) }
    }
}
