import AloftDomain
import Yams

/// A mapping with its keys as text.
struct Section {
    struct Entry {
        let name: String
        let key: Cursor
        let value: Cursor
    }

    let cursor: Cursor
    /// In the file's order.
    let entries: [Entry]
    /// The keys that may stand here; empty where the file gives the names.
    var keys: [String] = []

    /// The value of a key, unless it is absent or nothing stands there.
    subscript(_ key: String) -> Cursor? {
        entries.first { $0.name == key }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    /// The same; a fault if it is absent.
    func required(_ key: String, example: String) -> Cursor? {
        if let value = self[key] { return value }
        reportMissing(key, example: example)
        return nil
    }

    /// A fault for an absent key, unless an unknown key that looks like it has been reported.
    func reportMissing(_ key: String, example: String) {
        let isMisspelt = entries.contains { entry in
            !keys.contains(entry.name)
                && nearest(to: String(entry.name.prefix(60)), among: keys) == key
        }
        guard !isMisspelt else { return }
        let place = entries.first { $0.name == key }?.key ?? cursor
        place.fault("`\(key)` is missing; write it as in `\(example)`")
    }
}

extension Cursor {
    /// The mapping here; its keys are names that the file gives. A section in which nothing stands
    /// has no entries.
    func section(_ what: String) -> Section? {
        if isEmpty { return Section(cursor: self, entries: []) }
        guard case .mapping(let mapping) = node else {
            fault("\(what) is a section of `key: value` lines\(butIs)")
            return nil
        }
        var entries: [Section.Entry] = []
        for (key, value) in mapping {
            let keyCursor = Cursor(node: key, path: path, faults: faults)
            guard let name = keyCursor.scalar?.string, name.utf8.count <= 250 else {
                keyCursor.fault("a key is a word of at most 250 characters")
                continue
            }
            let path = path.isEmpty ? name : "\(path).\(name)"
            let cursor = Cursor(node: value, path: path, faults: faults)
            entries.append(Section.Entry(name: name, key: keyCursor, value: cursor))
        }
        return Section(cursor: self, entries: entries)
    }

    /// The mapping here; a fault for each key that is not among `keys`.
    func section(_ what: String, keys: [String]) -> Section? {
        guard var section = section(what) else { return nil }
        section.keys = keys
        for entry in section.entries where !keys.contains(entry.name) {
            let near = nearest(to: String(entry.name.prefix(60)), among: keys)
            entry.key.fault(
                "unknown key `\(entry.name)`; "
                    + (near.map { "did you mean `\($0)`?" }
                        ?? "here can stand: \(keys.joined(separator: ", "))"))
        }
        return section
    }

    /// Named sections, such as the jobs under `jobs:`; a fault for each name that is none.
    func named(_ what: String, as form: NameForm) -> [Section.Entry] {
        (section(what)?.entries ?? []).filter { entry in
            guard form.accepts(entry.name) else {
                entry.key.fault("`\(entry.name)` is no name here: \(form.explanation)")
                return false
            }
            return true
        }
    }
}

/// What names may look like.
struct NameForm {
    let others: String
    let longest: Int

    /// Projects, jobs, deployments, environments, monitors and triggers.
    static let plain = NameForm(others: "-_", longest: 63)
    /// Registered models, whose names other tracking clients choose.
    static let model = NameForm(others: "-_. ", longest: 200)

    func accepts(_ name: String) -> Bool {
        guard let first = name.utf8.first, isAlphanumeric(first) else { return false }
        return name.utf8.count <= longest && name.last != " "
            && name.utf8.allSatisfy { isAlphanumeric($0) || others.utf8.contains($0) }
    }

    var explanation: String {
        let signs = others.map { $0 == " " ? "space" : "`\($0)`" }.joined(separator: ", ")
        return "up to \(longest) letters, digits and \(signs), a letter or digit first"
    }

    private func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }
}
