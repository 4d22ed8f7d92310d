/// The types of bodies that a route takes. The table of `/api/v1` stands here; that of a protocol which the
/// control plane carries comes with it. A route that is in neither takes JSON.
///
/// A page of another origin can send `text/plain`, forms and bodies without a type unasked; for everything
/// else its browser asks first (CORS preflight), which no server of ours allows. So none of those may reach
/// a reader of JSON. A PUT is never sent unasked, so where files are put the type is the file's own affair.
package struct AcceptedTypes: Sendable, Equatable {
    /// The types, in lower case; empty for all but those that a page sends unasked.
    private let types: [String]
    private let mayBeMissing: Bool

    package static let json = AcceptedTypes(types: ["application/json"], mayBeMissing: false)
    private static let octets = AcceptedTypes(
        types: ["application/octet-stream"], mayBeMissing: false)
    /// Blobs. Python's urllib names its bodies a form where nothing else is said.
    private static let putOctets = AcceptedTypes(
        types: ["application/octet-stream", "application/x-www-form-urlencoded"],
        mayBeMissing: true)
    private static let lines = AcceptedTypes(types: ["application/x-ndjson"], mayBeMissing: false)
    /// Clients of the protocol name no type. Where the file goes is a run's identifier, which no page of
    /// another place knows, and what such a page sends says so by its origin.
    package static let file = AcceptedTypes(types: [], mayBeMissing: true)

    package struct Rule: Sendable {
        let method: String
        /// The beginning of the path; `*` stands for one part of it.
        let path: String
        /// `nil` takes any type, and none.
        let types: AcceptedTypes?

        package init(method: String, path: String, types: AcceptedTypes?) {
            self.method = method
            self.path = path
            self.types = types
        }

        func fits(_ method: String, _ path: String) -> Bool {
            guard self.method == method else { return false }
            var rest = path.utf8[...]
            for wanted in self.path.utf8 {
                if wanted == UInt8(ascii: "*") {
                    rest = rest.drop { $0 != UInt8(ascii: "/") }
                } else if rest.popFirst() != wanted {
                    return false
                }
            }
            return true
        }
    }

    private static let rules: [Rule] = [
        Rule(method: "PUT", path: "/api/v1/blobs/", types: putOctets),
        Rule(method: "POST", path: "/api/v1/gateways/*/predictions/", types: octets),
        Rule(method: "POST", path: "/api/v1/imports/runs", types: lines),
    ]

    /// What a body that does not fit is refused with.
    ///
    /// - Parameters:
    ///   - type: the header `Content-Type`.
    ///   - carried: with rules of its own.
    package static func refusal(
        method: String, path: String, type: String?, carried: CarriedProtocol = .none
    ) -> RequestRefusal? {
        // No rule is about them.
        if let calls = carried.jsonCalls, path.begins(with: calls) {
            return json.refusal(type: type)
        }
        for rules in [rules, carried.types] {
            for rule in rules where rule.fits(method, path) {
                return rule.types?.refusal(type: type)
            }
        }
        return json.refusal(type: type)
    }

    package func refusal(type: String?) -> RequestRefusal? {
        guard let type else { return mayBeMissing ? nil : .wrongType(nil, expected: expected) }
        if types.first == type { return nil }
        let essence = Self.essence(type)
        let fits = types.isEmpty ? !Self.isSentUnasked(essence) : types.contains(essence)
        return fits ? nil : .wrongType(type, expected: expected)
    }

    private var expected: String {
        guard let first = types.first else { return "the type of the file" }
        return "Content-Type: \(first)"
    }

    /// The type without its parameters, in lower case.
    package static func essence(_ type: String) -> String {
        if type == "application/json" { return type }
        let bytes = type.utf8.prefix { $0 != UInt8(ascii: ";") }
        let isBlank = { (byte: UInt8) in byte == 32 || byte == 9 }
        let trimmed = bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        return String(
            decoding: trimmed.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Whether a page of anywhere may send this without being asked (the Fetch standard's types).
    package static func isSentUnasked(_ essence: String) -> Bool {
        essence == "text/plain" || essence == "multipart/form-data"
            || essence == "application/x-www-form-urlencoded" || essence.isEmpty
    }
}
