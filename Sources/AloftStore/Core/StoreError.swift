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
    /// A search was ended after its time.
    case searchTooLong(seconds: Int)

    package var code: String {
        switch self {
        case .newerSchema: "newer_schema"
        case .folderInUse: "folder_in_use"
        case .unusable: "database_unusable"
        case .diskFull: "disk_full"
        case .searchTooLong: "search_too_long"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .newerSchema, .folderInUse, .unusable: .conflict
        case .diskFull: .diskFull
        // Asked again it would take as long: clients must not.
        case .searchTooLong: .invalid
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
        case .searchTooLong(let seconds):
            "the search took longer than \(seconds) s and was ended. Ask for less: fewer "
                + "experiments, fewer conditions, or one with = on what is rare."
        }
    }
}
