import AloftDomain
import AloftWire
import Yams

/// A `meta.yaml`: names and plain values.
struct MetaFile {
    private let node: Node.Mapping
    private let path: String

    /// - Throws: `SourceError` if it is none.
    init(_ text: String, path: String) throws {
        guard YAMLAliases.first(in: Array(text.utf8)) == nil else {
            throw SourceError(
                "\(path) holds aliases (`*name`), which are not expanded", isRefusal: true)
        }
        guard !YAMLWeight.isTooHeavy(text.utf8, perByte: 8) else {
            throw SourceError(
                "\(path) holds more names and values than may be in a file of its size",
                isRefusal: true)
        }
        let parsed: Node?
        do {
            parsed = try Yams.compose(yaml: text)
        } catch {
            throw SourceError("\(path) is no YAML", isRefusal: true)
        }
        guard let mapping = parsed?.mapping else {
            throw SourceError("\(path) holds no names and values", isRefusal: true)
        }
        node = mapping
        self.path = path
    }

    /// `nil` for what is missing or null.
    subscript(name: String) -> String? {
        guard let value = node[name], case .scalar(let scalar) = value else { return nil }
        return value.null == nil ? scalar.string : nil
    }

    func number(_ name: String) -> Int64? {
        self[name].flatMap { text in Int64(text) ?? Double(text).flatMap { Int64(exactly: $0) } }
    }

    func required(_ name: String) throws -> String {
        guard let text = self[name] else {
            throw SourceError("\(path) has no \(name)", isRefusal: true)
        }
        return text
    }

    func texts(_ name: String) -> [NamedText] {
        (node[name]?.mapping ?? [:]).compactMap { key, value in
            guard case .scalar(let name) = key, case .scalar(let text) = value else { return nil }
            return NamedText(key: name.string, value: text.string)
        }
    }

    var isActive: Bool { self["lifecycle_stage"] ?? "active" == "active" }
}
