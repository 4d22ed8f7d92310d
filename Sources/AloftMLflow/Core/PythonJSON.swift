import AloftDomain

/// JSON spaced as Python spaces it, where clients compare texts.
enum PythonJSON {
    static func text(_ value: JSONValue) -> String {
        switch value {
        case .array(let items): "[" + items.map(text).joined(separator: ", ") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }
                .map { text(.string($0.key)) + ": " + text($0.value) }
                .joined(separator: ", ") + "}"
        case .null, .bool, .int, .double, .string: plain(value)
        }
    }

    private static func plain(_ value: JSONValue) -> String {
        var writer = JSONWriter()
        writer.value(value)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
