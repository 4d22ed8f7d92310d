package import AloftDomain

/// What is wrong with a request before any handler sees it.
package enum BodyError: Refusal, Equatable {
    case malformed(reason: String)
    case tooLarge(limitBytes: Int)
    case query(name: String, value: String, expected: String)
    case digestMismatch(expected: String, actual: String)
    case badDigest(String)

    package var code: String {
        switch self {
        case .malformed: "body_malformed"
        case .tooLarge: "body_too_large"
        case .query: "query_invalid"
        case .digestMismatch: "digest_mismatch"
        case .badDigest: "digest_invalid"
        }
    }

    package var kind: RefusalKind { if case .tooLarge = self { .tooLarge } else { .invalid } }

    package var message: String {
        switch self {
        case .malformed(let reason): "the body does not fit: \(reason)"
        case .tooLarge(let limit): "the body is larger than \(limit >> 20) MiB"
        case .query(let name, let value, let expected):
            "\(name)=\(value.prefix(100)): expected \(expected)"
        case .digestMismatch(let expected, let actual):
            "the bytes have the digest \(actual), not \(expected); nothing was stored"
        case .badDigest(let text):
            "\(text.prefix(100)) is no digest: expected 64 lower-case hexadecimal digits"
        }
    }
}

extension DecodingError {
    /// The fault in a person's words: which member, what it is, what would be right.
    var plainReason: String {
        switch self {
        case .keyNotFound(let key, let context):
            "\(Self.path(context.codingPath + [key])) is missing"
        case .typeMismatch(let type, let context):
            "\(Self.path(context.codingPath)) should be \(Self.name(of: type))"
        case .valueNotFound(let type, let context):
            "\(Self.path(context.codingPath)) is null and should be \(Self.name(of: type))"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is no JSON" : "\(Self.path(context.codingPath)): \(context.debugDescription)"
        @unknown default: "it cannot be read"
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty
            ? "the whole"
            : keys.reduce(into: "") { text, key in
                if let index = key.intValue {
                    text += "[\(index)]"
                } else {
                    text += (text.isEmpty ? "" : ".") + key.stringValue
                }
            }
    }

    private static func name(of type: any Any.Type) -> String {
        switch type {
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is Int.Type, is Int64.Type, is Double.Type, is UInt64.Type: "a number"
        // text: the name of a type of ours
        default: "\(type)".hasPrefix("Array") ? "a list" : "an object"
        }
    }
}
