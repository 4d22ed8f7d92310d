package import AloftStore

/// A real store in a folder of its own.
package final class TemporaryStore: Sendable {
    package let folder: TemporaryFolder
    package let store: Store

    package var path: String { folder.path + "/aloft.db" }

    package init() throws {
        folder = try TemporaryFolder()
        // However busy the machine.
        store = try Store(path: folder.path + "/aloft.db", longestSearch: .seconds(600))
    }
}
