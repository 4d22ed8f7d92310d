import AloftDomain
import Foundation

/// Finds the folders that artifact URIs of a tracker name on this machine.
///
/// What a tracker writes down is foreign: only folders below those that the user pointed at are read.
struct LocalPlaces: Sendable {
    /// What relative paths start from: the folder of the database file.
    let base: String?
    /// Where the user says the artifacts are.
    let artifacts: String?
    /// A folder of runs that is the source itself.
    var own: String?
    /// With `--trust-paths`: every path that the tracker names is read.
    var trustsPaths = false

    /// A folder in which artifacts may be. Its path is the user's own; what comes after it is found
    /// there and may be no link.
    private struct Root {
        var path: String
        var components: [String] = []

        var text: String { ([path] + components).joined(separator: "/") }
    }

    /// The named folder, the source itself, and those that MLflow makes beside its database.
    private var roots: [Root] {
        let beside = ["mlartifacts", "mlruns"].compactMap { name in
            base.map { Root(path: $0, components: [name]) }
        }
        let named = [artifacts, own].compactMap { $0 }.map { Root(path: Self.absolute($0)) }
        return named + beside
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }

    func place(of uri: String) -> ArtifactPlace {
        if let path = ArtifactURI.proxied(uri) {
            guard let root = roots.first else { return .unreachable("no folder holds \(uri)") }
            guard let parts = Self.components(path) else { return .refused(Self.leaves(uri)) }
            return folder(root, parts, of: uri)
        }
        guard let local = ArtifactURI.local(uri) else { return .elsewhere(uri) }
        let absolute = local.begins(with: "/") ? local : (base ?? ".") + "/" + local
        if trustsPaths, exists(absolute) {
            return here(ConfinedFolder(root: absolute, components: [], followsLinks: true))
        }
        guard let parts = Self.components(absolute) else { return .refused(Self.leaves(uri)) }
        let path = "/" + parts.joined(separator: "/")
        let all = Self.isOfOneThing(parts) ? roots + (base.map { [Root(path: $0)] } ?? []) : roots
        if let (root, below) = Self.below(path, all) { return folder(root, below, of: uri) }
        // The tracker ran elsewhere: its folders end alike, …/EXPERIMENT/RUN/artifacts.
        if let artifacts, !exists(path) {
            for count in [3, 4] where parts.count >= count {
                let moved = Array(parts.suffix(count))
                let root = Self.absolute(artifacts)
                if exists("\(root)/" + moved.joined(separator: "/")) {
                    return here(ConfinedFolder(root: root, components: moved))
                }
            }
        }
        guard exists(path) else {
            return .unreachable("\(path) is not on this machine; name its folder with --artifacts")
        }
        let allowed = roots.map(\.text).joined(separator: " or ")
        return .refused(
            "\(path) is outside of \(allowed.isEmpty ? "what was named for import" : allowed); name "
                + "its folder with --artifacts, or take every path with --trust-paths")
    }

    /// Whether it is the folder of one run or logged model, `…/ID/artifacts`: such a one is read
    /// wherever it is beside the database, which may keep its experiments anywhere there.
    private static func isOfOneThing(_ parts: [String]) -> Bool {
        guard parts.count >= 2, parts[parts.count - 1].isSame(as: "artifacts") else { return false }
        let id = parts[parts.count - 2]
        let digits = id.rest(after: "m-") ?? id[...]
        return digits.utf8.count == 32
            && digits.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    private static func leaves(_ uri: String) -> String {
        "\(uri.prefix(300)) leads out of its folder"
    }

    /// The components without empty ones and `.`; `nil` if one is `..`, or none can be a name.
    private static func components(_ path: String) -> [String]? {
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
            .filter { $0 != "." }
        guard parts.allSatisfy({ $0 != ".." && !$0.utf8.contains(0) }) else { return nil }
        return parts
    }

    /// The root that a path is below, as it is written or as it really is, and the rest.
    private static func below(
        _ path: String, _ roots: [Root]
    ) -> (root: Root, components: [String])? {
        for root in roots {
            let real = Self.real(root.path).map { Root(path: $0, components: root.components).text }
            for (start, path) in [(root.text, path), (real, path), (real, Self.real(path))] {
                guard let start, let path, let below = path.rest(after: start),
                    below.isEmpty || below.begins(with: "/"),
                    let rest = components(String(below))
                else { continue }
                return (root, rest)
            }
        }
        return nil
    }

    private static func real(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    /// A run that logged no file has no folder, but some folder above it is there.
    private func folder(_ root: Root, _ parts: [String], of uri: String) -> ArtifactPlace {
        let parts = root.components + parts
        for dropped in 0..<min(4, parts.count + 1) {
            let above = ConfinedFolder(
                root: root.path, components: Array(parts.dropLast(dropped)))
            do {
                guard try above.open() != nil else { continue }
                return here(
                    ConfinedFolder(root: root.path, components: parts, followsLinks: trustsPaths))
            } catch let refused as ConfinedFolder.Refused {
                return .refused(
                    "\(refused.path) is \(refused.isLink ? "a link" : "no folder"); links are not "
                        + "followed")
            } catch {
                return .unreachable((error as? SourceError)?.message ?? "\(root.text): \(error)")
            }
        }
        let path = ([root.path] + parts).joined(separator: "/")
        return .unreachable("\(path) is not on this machine; name its folder with --artifacts")
    }

    private func here(_ folder: ConfinedFolder) -> ArtifactPlace {
        .here(FolderReader(folder: folder))
    }

    private func exists(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
            && isFolder.boolValue
    }
}
