/// What a request line asks for: a path, or the whole address of it (absolute form, RFC 9112, section 3.2.2).
package enum RequestTarget {
    private static let schemes = ["http://", "https://"]

    /// The name and port in a target of absolute form, as they stand there; `nil` in a path.
    package static func authority(of target: String) -> String? {
        split(target).map { String(decoding: $0.authority, as: UTF8.self) }
    }

    /// The path and query alone.
    package static func path(of target: String) -> String {
        guard let rest = split(target)?.rest else { return target }
        let path = String(decoding: rest, as: UTF8.self)
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    private static func split(
        _ target: String
    ) -> (authority: Substring.UTF8View, rest: Substring.UTF8View)? {
        // Nearly all are paths.
        guard target.utf8.first != UInt8(ascii: "/") else { return nil }
        for scheme in schemes where begins(target.utf8, scheme) {
            let after = target.utf8.dropFirst(scheme.utf8.count)
            let end =
                after.firstIndex { byte in
                    byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?")
                        || byte == UInt8(ascii: "#")
                } ?? after.endIndex
            return (after[..<end], after[end...])
        }
        return nil
    }

    private static func begins(_ text: String.UTF8View, _ scheme: String) -> Bool {
        let start = text.prefix(scheme.utf8.count)
        return start.count == scheme.utf8.count
            && zip(start, scheme.utf8).allSatisfy { ($0 &- 65 < 26 ? $0 | 0x20 : $0) == $1 }
    }
}
