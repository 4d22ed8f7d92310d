import Foundation

/// Landlock allows whole trees and cannot take a part back: around what is hidden, each neighbour is
/// allowed by itself. What is made beside them later is not allowed.
struct LandlockRules {
    typealias Rule = (path: String, kind: IsolationLayer)

    /// Each takes some microseconds at each start; more would make that slow.
    static let most = 100_000

    private let most: Int
    private let kinds: [String: IsolationLayer]
    /// Folders with a layer of another kind somewhere below.
    private let mixed: Set<String>

    init(_ layers: LayerMap, most: Int = Self.most) {
        self.most = most
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

    private struct Found {
        var rules: [Rule] = []
        /// The folder with the most in it that is allowed one by one.
        var crowd = (path: "", count: 0)
    }

    /// All of them or none: with a part of them a program would lack what it needs.
    var isolation: Isolation {
        var found = Found()
        add("/", outer: .write, to: &found)
        guard found.rules.count <= most else {
            let hidden = kinds.filter {
                $0.value == .hide && RealPath.holds(found.crowd.path, $0.key)
            }
            let named = hidden.keys.min().map { "\($0), which is hidden," } ?? "what is hidden"
            return Isolation(
                kind: .landlock, layers: [],
                refusal:
                    "\(found.crowd.path) holds \(found.crowd.count) entries beside \(named) and "
                    + "Landlock must allow each by itself, at most \(most); move it into a folder of its "
                    + "own, or remove what nobody needs there")
        }
        return Isolation(kind: .landlock, layers: found.rules)
    }

    private func add(_ path: String, outer: IsolationLayer, to found: inout Found) {
        // One too many says enough.
        guard found.rules.count <= most else { return }
        let kind = kinds[path] ?? outer
        guard mixed.contains(path) else {
            guard kind != .hide, kind != .devices else { return }
            found.rules.append((path, kind))
            return
        }
        // A folder that is read-only in parts is readable as a whole.
        if kind == .read, !hidesBelow(path) { found.rules.append((path, .read)) }
        let folder = path == "/" ? "" : path
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        if names.count > found.crowd.count { found.crowd = (path, names.count) }
        for name in names {
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
