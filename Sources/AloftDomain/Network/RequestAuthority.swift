/// A name and a port, as a request's `Host` and the end of its `Origin` say them (RFC 3986, 3.2): without
/// user information, the name in lower case and without the dot that may end it.
package struct RequestAuthority: Equatable, Hashable, Sendable {
    /// An IPv6 address stands without its brackets.
    package let name: String
    package let port: Int?

    private static let longest = 300

    /// `nil` for anything else, such as `user@host`, blanks or letters beyond ASCII.
    package init?(_ text: some Collection<UInt8>) {
        guard !text.isEmpty, text.count <= Self.longest else { return nil }
        let bytes = Array(text)
        let end: Int
        if bytes[0] == UInt8(ascii: "[") {
            guard let close = bytes.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            let address = bytes[1..<close]
            guard address.contains(UInt8(ascii: ":")), address.allSatisfy(Self.isOfAddress) else {
                return nil
            }
            name = Self.lower(address)
            end = close + 1
        } else {
            end = bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.count
            var letters = bytes[..<end]
            if letters.last == UInt8(ascii: ".") { letters.removeLast() }
            guard !letters.isEmpty, letters.allSatisfy(Self.isOfName) else { return nil }
            name = Self.lower(letters)
        }
        guard end < bytes.count else {
            port = nil
            return
        }
        guard bytes[end] == UInt8(ascii: ":"), let port = Self.port(bytes[(end + 1)...]) else {
            return nil
        }
        self.port = port
    }

    package init?(_ text: String) { self.init(text.utf8) }

    /// Whether only this machine answers to the name: `localhost`, 127.0.0.0/8 and ::1.
    package var isLoopback: Bool {
        if name == "localhost" || name == "::1" || name == "0:0:0:0:0:0:0:1" { return true }
        let parts = name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0].elementsEqual("127".utf8) else { return false }
        return parts.allSatisfy { part in
            (1...3).contains(part.count) && part.allSatisfy { (48...57).contains($0) }
                && part.reduce(0) { $0 * 10 + Int($1) - 48 } <= 255
        }
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        let value = digits.reduce(0) { $0 * 10 + Int($1) - 48 }
        return value <= 65535 ? value : nil
    }

    private static func lower(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: bytes.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 26 || byte == UInt8(ascii: "-")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
    }

    private static func isOfAddress(_ byte: UInt8) -> Bool {
        byte &- 48 < 10 || (byte | 0x20) &- 97 < 6 || byte == UInt8(ascii: ":")
            || byte == UInt8(ascii: ".")
    }
}
