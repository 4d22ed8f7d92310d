/// The types of bodies that a route takes. The control plane's whole table stands here; a route that is
/// not in it takes JSON.
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
    private static let file = AcceptedTypes(types: [], mayBeMissing: true)

    private struct Rule {
        let method: String
        /// The beginning of the path; `*` stands for one part of it.
        let path: String
        /// `nil` takes any type, and none.
        let types: AcceptedTypes?

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
        Rule(method: "PUT", path: "/api/2.0/mlflow-artifacts/", types: nil),
        Rule(method: "PUT", path: "/ajax-api/2.0/mlflow-artifacts/", types: nil),
        Rule(method: "POST", path: "/ajax-api/2.0/mlflow/upload-artifact", types: file),
        // Reads two types, and refuses others by itself as exporters of spans expect it.
        Rule(method: "POST", path: "/v1/traces", types: nil),
    ]

    /// What a body that does not fit is refused with.
    ///
    /// - Parameter type: the header `Content-Type`.
    package static func refusal(method: String, path: String, type: String?) -> RequestRefusal? {
        // Most calls are of this kind, and no rule is about them.
        if !path.begins(with: "/api/2.0/mlflow/") {
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
