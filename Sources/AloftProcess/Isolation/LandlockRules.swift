import Foundation

/// Landlock allows whole trees and cannot take a part back: around what is hidden, each neighbour is
/// allowed by itself. What is made beside them later is not allowed.
struct LandlockRules {
    /// More would make each start slow.
    private static let most = 20_000

    private let kinds: [String: IsolationLayer]
    /// Folders with a layer of another kind somewhere below.
    private let mixed: Set<String>

    init(_ layers: LayerMap) {
        kinds = layers.kinds
        var mixed: Set<String> = ["/"]
        for path in layers.kinds.keys {
            var folder = path
            while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
                folder = String(folder[..<slash])
                mixed.insert(folder)
            }
        }
        self.mixed = mixed
    }

    var rules: [(path: String, kind: IsolationLayer)] {
        var found: [(path: String, kind: IsolationLayer)] = []
        add("/", outer: .write, to: &found)
        return found
    }

    private func add(
        _ path: String, outer: IsolationLayer,
        to found: inout [(path: String, kind: IsolationLayer)]
    ) {
        let kind = kinds[path] ?? outer
        guard mixed.contains(path) else {
            guard kind != .hide, kind != .devices, found.count < Self.most else { return }
            found.append((path, kind))
            return
        }
        // A folder that is read-only in parts is readable as a whole.
        if kind == .read, !hidesBelow(path) { found.append((path, .read)) }
        let folder = path == "/" ? "" : path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        for name in names.sorted() {
            let child = "\(folder)/\(name)"
            guard !isLink(child) || kinds[child] != nil else { continue }
            add(child, outer: kind, to: &found)
        }
    }

    private func hidesBelow(_ path: String) -> Bool {
        kinds.contains { layer in
            (layer.value == .hide || layer.value == .devices) && RealPath.holds(path, layer.key)
        }
    }

    /// Rules are about what a link leads to, which has a rule of its own.
    private func isLink(_ path: String) -> Bool {
        var facts = stat()
        return lstat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFLNK
    }
}
