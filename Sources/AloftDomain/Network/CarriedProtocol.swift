/// What the front of the control plane must know of the paths of a protocol that it carries but does not
/// speak. The layer that speaks it hands this in, and is the only one that knows the paths.
package struct CarriedProtocol: Sendable {
    /// The beginnings of its paths. Errors there are told as its clients read them.
    package var paths: [String] = []
    /// The first parts of its addresses, where no page stands.
    package var roots: [String] = []
    /// Below these, bodies that are PUT are files, which no route keeps in memory.
    package var files: [String] = []
    /// Calls that take a moment: one of `shortCalls` right below one of `shortFolders`, by POST.
    package var shortFolders: [String] = []
    package var shortCalls: [String] = []
    /// Most calls begin so; each takes JSON.
    package var jsonCalls: String?
    /// The types of bodies of those that take others.
    package var types: [AcceptedTypes.Rule] = []

    package init() {}

    package static let none = CarriedProtocol()

    package func has(_ path: String) -> Bool { paths.contains { path.begins(with: $0) } }

    package func isFile(_ path: String) -> Bool { files.contains { path.begins(with: $0) } }

    package func isShortCall(_ path: String) -> Bool {
        guard let folder = shortFolders.first(where: { path.begins(with: $0) }) else {
            return false
        }
        let call = path.utf8.dropFirst(folder.utf8.count)
        return shortCalls.contains { Substring(call).isSame(as: $0) }
    }
}
