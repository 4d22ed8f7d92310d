import Foundation

/// What a snapshot leaves out: lines as in `.gitignore`, the last one that fits decides.
struct IgnoreRules: Sendable {
    private struct Rule: Sendable {
        /// The folder whose file has the rule, without slashes at its ends.
        let base: [String]
        let segments: [String]
        let isNegated: Bool
        let isForFolders: Bool
    }

    /// Left out unless a file says otherwise with `!`.
    static let defaults = [
        ".git/", ".hg/", ".svn/", "__pycache__/", "*.py[cod]", ".venv/", "venv/", ".tox/",
        ".mypy_cache/", ".pytest_cache/", ".ruff_cache/", ".ipynb_checkpoints/", ".DS_Store",
        "mlruns/", "aloft-data/",
    ]

    private var rules: [Rule] = []

    init() { add(Self.defaults, base: []) }

    /// Adds what the ignore files of `base`, a folder below `root`, say.
    mutating func addFiles(of base: [String], in root: String) {
        for file in [".gitignore", ".aloftignore"] {
            let path = ([root] + base + [file]).joined(separator: "/")
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { continue }
            add(text.split(separator: "\n").map(String.init), base: base)
        }
    }

    mutating func add(_ lines: [String], base: [String]) {
        for line in lines {
            if let rule = Self.rule(line, base: base) { rules.append(rule) }
        }
    }

    func excludes(_ path: [String], isFolder: Bool) -> Bool {
        for rule in rules.reversed() where !rule.isForFolders || isFolder {
            guard path.count > rule.base.count, path.starts(with: rule.base) else { continue }
            if Self.fits(rule.segments[...], path[rule.base.count...]) { return !rule.isNegated }
        }
        return false
    }

    private static func rule(_ line: String, base: [String]) -> Rule? {
        var text = Substring(line.hasSuffix("\r") ? String(line.dropLast()) : line)
        while text.hasSuffix(" "), !text.hasSuffix("\\ ") { text = text.dropLast() }
        guard !text.isEmpty, !text.hasPrefix("#") else { return nil }
        let isNegated = text.hasPrefix("!")
        if isNegated { text = text.dropFirst() }
        let isForFolders = text.hasSuffix("/")
        if isForFolders { text = text.dropLast() }
        // A slash before the end ties the pattern to its folder.
        let isTied = text.contains("/")
        let segments = text.split(separator: "/").map(String.init)
        guard !segments.isEmpty else { return nil }
        return Rule(
            base: base, segments: isTied ? segments : ["**"] + segments, isNegated: isNegated,
            isForFolders: isForFolders)
    }

    private static func fits(_ pattern: ArraySlice<String>, _ path: ArraySlice<String>) -> Bool {
        guard let first = pattern.first else { return path.isEmpty }
        if first == "**" {
            let rest = pattern.dropFirst()
            if rest.isEmpty { return !path.isEmpty }
            return path.indices.contains { fits(rest, path[$0...]) }
        }
        guard let name = path.first, fnmatch(first, name, 0) == 0 else { return false }
        return fits(pattern.dropFirst(), path.dropFirst())
    }
}
