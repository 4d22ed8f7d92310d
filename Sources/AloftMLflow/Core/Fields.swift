import AloftDomain

/// A request's fields, from its JSON body or its query, read by type with the protocol's leniency:
/// numbers may be strings of digits, and in a query booleans come as Python writes them.
struct Fields: Sendable {
    private let members: [String: JSONValue]
    private let isQuery: Bool
    /// Where in the body these members are, for error texts: `metrics[0].`.
    private let prefix: String

    init(_ members: [String: JSONValue], isQuery: Bool = false, prefix: String = "") {
        self.members = members
        self.isQuery = isQuery
        self.prefix = prefix
    }

    func has(_ name: String) -> Bool { value(name) != nil }

    /// `nil` if the field is missing or null.
    func value(_ name: String) -> JSONValue? {
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    func optionalString(_ name: String) throws -> String? {
        switch value(name) {
        case nil: return nil
        case .string(let text): return try whole(text, name)
        case .array(let items) where isQuery:
            if case .string(let text)? = items.last { return try whole(text, name) }
            return nil
        case .some(let other): throw wrong(other, name)
        }
    }

    /// The field's text, not empty.
    func string(_ name: String) throws -> String {
        guard let text = try optionalString(name), !text.isEmpty else {
            throw ProtocolError.missing(prefix + name)
        }
        return text
    }

    func text(_ name: String, limit: Int) throws -> String {
        let text = try string(name)
        guard text.unicodeScalars.count <= limit else {
            throw ProtocolError.tooLong(prefix + name, limit: limit)
        }
        return text
    }

    func optionalInt(_ name: String) throws -> Int64? {
        switch value(name) {
        case nil: return nil
        case .int(let number): return number
        case .double(let number):
            guard let whole = Int64(exactly: number) else { throw wrong(.double(number), name) }
            return whole
        case .string(let text):
            if isQuery, text.isEmpty { return nil }
            guard let number = Self.whole(text) else { throw wrong(.string(text), name) }
            return number
        case .array(let items) where isQuery:
            guard case .string(let text)? = items.last, let number = Self.whole(text) else {
                throw wrong(.array(items), name)
            }
            return number
        case .some(let other): throw wrong(other, name)
        }
    }

    /// A whole number as texts write it, in R also with an exponent: `100000`, `1e+05`.
    private static func whole(_ text: String) -> Int64? {
        Int64(text) ?? decimal(text).flatMap { Int64(exactly: $0) }
    }

    /// A number of decimal digits, or NaN or an infinity in any spelling; no hexadecimal one.
    private static func decimal(_ text: String) -> Double? {
        text.holds("x") || text.holds("X") ? nil : Double(text)
    }

    func int(_ name: String) throws -> Int64 {
        guard let number = try optionalInt(name) else { throw ProtocolError.missing(prefix + name) }
        return number
    }

    /// How many results are asked for.
    func maxResults(default value: Int64?, limit: Int64) throws -> Int {
        guard let count = try optionalInt("max_results") ?? value else {
            throw ProtocolError.missing("max_results")
        }
        let told = "Invalid value \(count) for parameter 'max_results' supplied."
        guard count >= 1 else {
            throw ProtocolError.invalid("\(told) It must be a positive integer.")
        }
        guard count <= limit else {
            throw ProtocolError.invalid("\(told) It must be at most \(limit).")
        }
        return Int(count)
    }

    /// A metric's value: a number, a string of one, or "NaN", "Infinity", "-Infinity".
    func double(_ name: String) throws -> Double {
        switch value(name) {
        case nil: throw ProtocolError.missing(prefix + name)
        case .int(let number): return Double(number)
        case .double(let number): return number
        case .string(let text):
            guard let number = Self.decimal(text) else {
                throw wrong(.string(text), name)
            }
            return number
        case .some(let other): throw wrong(other, name)
        }
    }

    func bool(_ name: String) throws -> Bool {
        switch value(name) {
        case nil: return false
        case .bool(let flag): return flag
        case .string(let text) where text.lowercased() == "true": return true
        case .string(let text) where text.lowercased() == "false": return false
        case .some(let other): throw wrong(other, name)
        }
    }

    func strings(_ name: String) throws -> [String] {
        switch value(name) {
        case nil: return []
        case .string(let text) where isQuery: return [try whole(text, name)]
        case .array(let items):
            return try items.enumerated().map { index, item in
                guard case .string(let text) = item else { throw wrong(item, "\(name)[\(index)]") }
                return try whole(text, "\(name)[\(index)]")
            }
        case .some(let other): throw wrong(other, name)
        }
    }

    /// The objects of a list.
    func objects(_ name: String) throws -> [Fields] {
        guard let value = value(name) else { return [] }
        guard case .array(let items) = value else { throw wrong(value, name) }
        return try items.enumerated().map { index, item in
            guard case .object(let members) = item else { throw wrong(item, "\(name)[\(index)]") }
            return Fields(members, prefix: "\(prefix)\(name)[\(index)].")
        }
    }

    func object(_ name: String) throws -> Fields? {
        guard let value = value(name) else { return nil }
        guard case .object(let members) = value else { throw wrong(value, name) }
        return Fields(members, prefix: "\(prefix)\(name).")
    }

    /// An object of texts, by name.
    func texts(_ name: String) throws -> [NamedText] {
        guard let value = value(name) else { return [] }
        guard case .object(let members) = value else { throw wrong(value, name) }
        return try members.sorted { $0.key < $1.key }.map { key, item in
            guard case .string(let text) = item else { throw wrong(item, "\(name).\(key)") }
            return NamedText(
                key: try whole(key, name), value: try whole(text, "\(name).\(key)"))
        }
    }

    /// All of them.
    var all: [String: JSONValue] { members }

    func path(of name: String) -> String { prefix + name }

    /// - Throws: `ProtocolError` if the text holds a NUL: the database would keep what is before it.
    private func whole(_ text: String, _ name: String) throws -> String {
        guard !text.utf8.contains(0) else {
            throw ProtocolError.invalid(
                "Invalid value for parameter '\(prefix + name)' supplied: it holds the character "
                    + "U+0000 (NUL), which no text here may.")
        }
        return text
    }

    private func wrong(_ value: JSONValue, _ name: String) -> ProtocolError {
        var writer = JSONWriter()
        writer.value(value)
        let text = String(decoding: writer.bytes.prefix(200), as: UTF8.self)
        return .invalidValue(text, prefix + name)
    }
}
