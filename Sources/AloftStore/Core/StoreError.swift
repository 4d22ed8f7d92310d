package import AloftDomain

/// What the store refuses, as facts.
package enum StoreError: Refusal, Equatable {
    /// The file was written by a newer version of the program.
    case newerSchema(path: String, unknown: [String])
    /// The data folder belongs to another running server.
    case folderInUse(path: String, processID: Int32?)
    /// The file is no database, is damaged, or may not be read and written.
    case unusable(path: String, reason: String)
    /// The disk is full; nothing was written.
    case diskFull

    package var code: String {
        switch self {
        case .newerSchema: "newer_schema"
        case .folderInUse: "folder_in_use"
        case .unusable: "database_unusable"
        case .diskFull: "disk_full"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .newerSchema, .folderInUse, .unusable: .conflict
        case .diskFull: .diskFull
        }
    }

    package var message: String {
        switch self {
        case .newerSchema(let path, let unknown):
            "\(path) was written by a newer version of aloft (unknown migrations: "
                + unknown.joined(separator: ", ") + "). Start that version, or another data folder."
        case .folderInUse(let path, let processID):
            "the data folder \(path) is in use by another server"
                + (processID.map { " (process \($0))" } ?? "")
                + ". Stop that one, or give this one another --data."
        case .unusable(let path, let reason):
            "\(path) cannot be used as the database: \(reason). It was left as it is."
        case .diskFull:
            "the disk is full; nothing was written. Free space and try again."
        }
    }
}
