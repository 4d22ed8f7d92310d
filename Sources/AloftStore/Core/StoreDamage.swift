package import AloftDomain

/// Why a database is not taken for the one that was served last. Nothing was changed.
package enum StoreDamage: Refusal, Equatable {
    /// There is none, or it is empty, though one was served here (`lastPosition`), or files are here
    /// that only a database can name.
    case gone(path: String, lastPosition: Int64?, files: Int)
    /// SQLite does not read it.
    case unreadable(path: String, reason: String, lastPosition: Int64?)
    /// It is a database, of another server.
    case another(path: String, identity: String, position: Int64, expected: StateRecord)
    /// Commits are missing that were acknowledged.
    case older(path: String, position: Int64, lastPosition: Int64)
    /// Tables are damaged.
    case unsound(path: String, faults: [String])
    /// The file that knows the last commit is damaged itself.
    case stateUnreadable(path: String)

    package var code: String {
        switch self {
        case .gone: "database_gone"
        case .unreadable: "database_unreadable"
        case .another: "database_of_another_server"
        case .older: "database_older"
        case .unsound: "database_damaged"
        case .stateUnreadable: "state_file_damaged"
        }
    }

    package var kind: RefusalKind { .conflict }

    package var message: String { fact + ". " + Self.advice }

    /// What was found, without what to do.
    package var fact: String {
        switch self {
        case .gone(let path, let last?, _):
            "\(path) is gone or empty, at commit 0, but commit \(last) was acknowledged here"
        case .gone(let path, nil, let files):
            "\(path) is gone or empty, at commit 0, but \(files)\(files >= Self.mostCounted ? "+" : "") "
                + "files are in this data folder that only a database can name"
        case .unreadable(let path, let reason, let last):
            "\(path) cannot be read as a database (\(reason))"
                + (last.map { ", and commit \($0) was acknowledged here; of it 0 can be read" }
                    ?? "")
        case .another(let path, let identity, let position, let expected):
            "\(path) is another server's database (\(identity.prefix(8)) at commit \(position)); "
                + "here \(expected.database.prefix(8)) was served, up to commit \(expected.position)"
        case .older(let path, let position, let last):
            "\(path) stands at commit \(position), but commit \(last) was acknowledged: "
                + "\(last - position) are missing (its -wal file was lost, or an older copy was "
                + "put in its place)"
        case .unsound(let path, let faults):
            "\(path) is damaged: \(faults.joined(separator: "; "))"
        case .stateUnreadable(let path):
            "\(path) is damaged, so nobody can say whether the database beside it is whole"
        }
    }

    package static let mostCounted = 1000
    private static let advice =
        "Nothing was changed. Put back what is missing, or restore a backup into a new folder "
        + "(aloft restore); or start with --accept-loss to go on with what is here."
}
