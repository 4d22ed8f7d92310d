import Foundation

/// The address of a webhook, checked as far as its text tells.
package struct WebhookTarget: Sendable, Equatable {
    /// Where webhooks may go.
    package enum Reach: Sendable {
        /// `https` to public addresses, so that nobody can use the server to reach into its network.
        case publicHosts
        /// Also `http`, and private and loopback addresses.
        case anywhere
    }

    package let url: String
    package let host: String

    /// - Throws: `WebhookError.invalidURL`.
    package init(_ url: String, reach: Reach) throws(WebhookError) {
        let schemes = reach == .anywhere ? ["https", "http"] : ["https"]
        guard url.utf8.count <= 2000, let parts = URLComponents(string: url),
            let scheme = parts.scheme?.lowercased()
        else { throw .invalidURL(url, reason: "it is no URL of at most 2000 characters.") }
        guard schemes.contains(scheme) else {
            throw .invalidURL(
                url,
                reason: "Invalid webhook URL scheme: '\(scheme)'. Allowed schemes are: "
                    + schemes.joined(separator: ", ") + ".")
        }
        guard parts.user == nil, parts.password == nil else {
            throw .invalidURL("\(scheme)://…", reason: "it may hold no user and no password.")
        }
        guard let host = parts.host, !host.isEmpty else {
            throw .invalidURL(url, reason: "it must include a hostname.")
        }
        self.url = url
        self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
    }
}

/// The bytes of an IP address: 4 or 16.
package struct NetworkAddress: Sendable, Hashable {
    package let bytes: [UInt8]

    /// `nil` unless there are 4 or 16.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// Whether the address is reached over the internet: none of the blocks of RFC 6890 and its
    /// successors, nor an IPv6 address that carries such an IPv4 address.
    package var isPublic: Bool {
        bytes.count == 4 ? Self.isPublic(v4: bytes[...]) : isPublicV6
    }

    private static func isPublic(v4 bytes: ArraySlice<UInt8>) -> Bool {
        let (first, second, third) = (
            bytes[bytes.startIndex], bytes[bytes.startIndex + 1], bytes[bytes.startIndex + 2]
        )
        switch (first, second, third) {
        case (0, _, _), (10, _, _), (127, _, _), (169, 254, _), (192, 168, _), (192, 0, 0),
            (192, 0, 2), (192, 88, 99), (198, 51, 100), (203, 0, 113):
            return false
        case (100, 64...127, _), (172, 16...31, _), (198, 18...19, _), (224..., _, _):
            return false
        default: return true
        }
    }

    private var isPublicV6: Bool {
        let zeros = [UInt8](repeating: 0, count: 10)
        if bytes.starts(with: zeros + [0xFF, 0xFF])
            || bytes.starts(with: [0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])
        {
            return Self.isPublic(v4: bytes[12...])  // mapped, or through NAT64
        }
        if bytes.starts(with: [0x20, 0x02]) { return Self.isPublic(v4: bytes[2..<6]) }  // 6to4
        guard bytes[0] & 0xE0 == 0x20 else { return false }  // not global unicast
        if bytes.starts(with: [0x20, 0x01]), bytes[2] < 2 { return false }  // 2001::/23
        if bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8]) { return false }  // documentation
        if bytes.starts(with: [0x3F, 0xFF]), bytes[2] < 0x10 { return false }  // documentation
        return true
    }
}
