import AloftDomain
import AloftStore
import Logging

/// Opens a data folder's database, once it is known to be the one that was served here last.
struct StoreOpening {
    let folder: DataFolder
    let acceptsLoss: Bool
    let time: TimeSource
    let logger: Logger

    /// - Throws: `StoreDamage` where something is missing and nobody accepted that.
    func open() throws -> Store {
        let report = try StoreInspection(folder: folder.path).run()
        if let tables = report.checkedTables {
            logger.info(
                "checked the database after a server that did not end in order",
                metadata: ["tables": "\(tables.checked) of \(tables.all)"])
        }
        var loss: AcceptedLoss?
        if let damage = report.damage {
            guard acceptsLoss else { throw damage }
            let accepted = AcceptedLoss(damage, at: time.now())
            logger.warning("going on with a loss", metadata: ["what": "\(damage.fact)"])
            if let place = try accepted.setAside(in: folder) {
                logger.warning("put the damaged database aside", metadata: ["place": "\(place)"])
            }
            loss = accepted
        }
        return try Store(
            path: folder.databasePath, statePath: folder.statePath, accepting: loss)
    }
}
