import AloftDomain
import AloftStore

/// What keys and values may be.
enum ValueRules {
    static let maxKey = 250
    static let maxParamValue = 6000
    static let maxTagValue = 8000
    /// Of a tag whose key begins with `mlflow.`.
    static let maxClientTagBytes = 4 << 20

    /// A metric's, param's or tag's key.
    ///
    /// - Throws: `ProtocolError` that names `field`.
    ///
    /// - Parameter kind: what clients look for where it is too long, if not `field`.
    static func checkKey(_ key: String, _ field: String, kind: String? = nil) throws {
        try checkLength(key, kind ?? field)
        guard key.unicodeScalars.allSatisfy(isKeyScalar) else {
            throw ProtocolError.invalid(
                "Invalid value \"\(key)\" for parameter '\(field)' supplied: Names may only contain "
                    + "alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
                    + "colon(:) and slashes (/).")
        }
        try checkPath(key, field)
    }

    static func checkLength(_ key: String, _ field: String) throws {
        guard key.unicodeScalars.count <= maxKey else {
            throw ProtocolError.tooLong(field, limit: maxKey)
        }
    }

    /// - Throws: `ProtocolError` where the name, taken for a path, is another's.
    static func checkPath(_ name: String, _ field: String) throws {
        guard isNormalPath(name) else {
            throw ProtocolError.invalid(
                "Invalid value \"\(name.prefix(300))\" for parameter '\(field)' supplied: Names may be treated "
                    + "as files in certain cases, and must not resolve to other names when treated "
                    + "as such. This name would resolve to '\(normalPath(name).prefix(300))'")
        }
    }

    /// The path without what leads nowhere.
    private static func normalPath(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.pieces(at: "/") where !part.isSame(as: ".") {
            if part.isSame(as: ".."), let last = parts.last, !last.isSame(as: "..") {
                // traps: it has a last one, by the condition above
                parts.removeLast()
            } else if !part.isSame(as: "..") || !path.begins(with: "/") {
                parts.append(part)
            }
        }
        let joined = parts.joined(separator: "/")
        return path.begins(with: "/") ? "/" + joined : joined.isEmpty ? "." : joined
    }

    private static func isKeyScalar(_ scalar: UnicodeScalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-", ".", " ", ":", "/": true
        default:
            !scalar.isASCII
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
        }
    }

    private static func isNormalPath(_ key: String) -> Bool {
        guard key.holds("/") || key.begins(with: ".") else { return !key.isEmpty }
        let parts = key.pieces(at: "/", keepingEmpty: true)
        return parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    }

    /// At most so many characters of a value; the rest is cut, as the protocol has it.
    static func cut(_ value: String, to limit: Int) -> String {
        guard value.utf8.count > limit, value.unicodeScalars.count > limit else { return value }
        return String(String.UnicodeScalarView(value.unicodeScalars.prefix(limit)))
    }

    /// A tag of a run or a trace as it is kept: a value that is too long is cut, as the protocol has it.
    /// What clients keep under `mlflow.` is JSON that they read again, and half of it is none.
    ///
    /// - Throws: `ProtocolError` that names `field`, for such a tag beyond any use.
    static func stored(_ tag: NamedText, _ field: String) throws -> NamedText {
        guard tag.value.utf8.count > maxTagValue else { return tag }
        guard tag.key.begins(with: "mlflow."), !tag.key.isSame(as: TrackingQueries.nameKey) else {
            return NamedText(key: tag.key, value: cut(tag.value, to: maxTagValue))
        }
        guard tag.value.utf8.count <= maxClientTagBytes else {
            throw ProtocolError.invalid(
                "'\(field)' of the tag '\(tag.key.prefix(maxKey))' has \(tag.value.utf8.count) bytes; "
                    + "at most \(maxClientTagBytes) are kept.")
        }
        return tag
    }

    static func isRunID(_ id: String) -> Bool {
        guard (1...256).contains(id.utf8.count), let first = id.utf8.first else { return false }
        let isAlphanumeric = { (byte: UInt8) in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
        }
        return isAlphanumeric(first)
            && id.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x2D || $0 == 0x5F }
    }
}
