import AloftDomain
package import Foundation

/// Somebody goes on with a database that is not whole, by `--accept-loss`.
package struct AcceptedLoss: Sendable {
    private let damage: StoreDamage
    private let at: Date

    package init(_ damage: StoreDamage, at now: Date) {
        self.damage = damage
        at = now
    }

    /// Puts aside what cannot be opened at all, so that a new database takes its place.
    ///
    /// - Returns: where it is now; `nil` if it stays.
    package func setAside(in folder: DataFolder) throws -> String? {
        let path: String
        switch damage {
        case .unreadable(let place, _, _), .gone(let place, _, _): path = place
        case .another, .older, .unsound, .stateUnreadable: return nil
        }
        let name = at.stamp.replacing(scalar: ":", with: "-")
        let place = "\(path).damaged-\(name)"
        var isMoved = false
        for suffix in ["-wal", "-shm", ""] where access(path + suffix, F_OK) == 0 {
            isMoved = true
            guard rename(path + suffix, place + suffix) == 0 else {
                throw StoreError.unusable(path: path, reason: String(cString: strerror(errno)))
            }
        }
        return isMoved ? place : nil
    }

    func record(_ db: Transaction) throws {
        try db.execute(
            sql: "UPDATE ledger SET lossAcceptedAt = ?, position = position + 1",
            arguments: [at.stamp])
        try EventLog.append(
            db, at: at, project: .default, entity: "server", entityID: "database",
            what: "loss-accepted", who: .local, why: damage.fact,
            payload: ["code": .string(damage.code)])
    }
}
