package import AloftDomain

/// What backing up and restoring refuse, as facts.
package enum BackupError: Refusal, Equatable {
    case notABackup(path: String)
    case noGeneration(path: String, name: String?)
    case inUse(path: String)
    case insideData(path: String)
    case noData(path: String)
    case manifestDamaged(path: String)
    case databaseDamaged(path: String, faults: [String])
    case targetNotEmpty(path: String)
    case targetUnusable(path: String, reason: String)
    case incomplete(generation: String, faults: [BackupManifest.Fault])

    package var code: String {
        switch self {
        case .notABackup: "not_a_backup"
        case .noGeneration: "backup_not_found"
        case .inUse: "backup_in_use"
        case .insideData: "backup_inside_data"
        case .noData: "no_data_folder"
        case .manifestDamaged: "backup_manifest_damaged"
        case .databaseDamaged: "database_damaged"
        case .targetNotEmpty: "restore_target_not_empty"
        case .targetUnusable: "restore_target_unusable"
        case .incomplete: "backup_incomplete"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notABackup, .insideData, .noData, .targetNotEmpty, .targetUnusable: .invalid
        case .noGeneration: .notFound
        case .inUse: .conflict
        case .manifestDamaged, .databaseDamaged, .incomplete: .damaged
        }
    }

    package var message: String {
        switch self {
        case .notABackup(let path):
            "\(path) holds other things than a backup; name an empty folder, a new one, or one that "
                + "`aloft backup` has made"
        case .noGeneration(let path, nil): "\(path) holds no whole backup yet"
        case .noGeneration(let path, let name?):
            "there is no backup \(name.prefix(100)) in \(path); `aloft backup --list` shows them"
        case .inUse(let path):
            "\(path) is held by another backup, or by `aloft gc`; wait for that to end"
        case .insideData(let path):
            "\(path) is inside the data folder; a backup belongs on another disk"
        case .noData(let path): "\(path) is no data folder: there is no aloft.db in it"
        case .manifestDamaged(let path):
            "\(path) is cut or damaged, so nobody can say what that backup holds; take another "
                + "generation"
        case .databaseDamaged(let path, let faults):
            "\(path) is damaged, so no backup was made of it; earlier ones are untouched: "
                + faults.joined(separator: "; ")
        case .targetNotEmpty(let path):
            "\(path) is not empty; restore into a new folder, and start the server with it"
        case .targetUnusable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .incomplete(let generation, let faults):
            "\(faults.count) files of the backup \(generation) are missing or damaged:\n"
                + faults.prefix(50).map { "  \($0.path) \($0.reason)" }.joined(separator: "\n")
                + (faults.count > 50 ? "\n  and \(faults.count - 50) more" : "")
        }
    }
}
