/// A SHA-256 digest, the address of a blob: 64 lower-case hexadecimal digits.
package struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
    package let hex: String

    /// `nil` unless `hex` is 64 lower-case hexadecimal digits, so that a digest from outside is safe
    /// as a file name.
    package init?(hex: String) {
        let isDigit = { (byte: UInt8) in (48...57).contains(byte) || (97...102).contains(byte) }
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(isDigit) else { return nil }
        self.hex = hex
    }

    /// The digest with these 32 bytes, as a hash function returns them.
    package init(bytes: some Sequence<UInt8>) {
        let digits = Array("0123456789abcdef")
        var text = ""
        var count = 0
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
            count += 1
        }
        precondition(count == 32, "a SHA-256 digest has 32 bytes")
        hex = text
    }

    package var description: String { hex }
}

extension ContentDigest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let digest = ContentDigest(hex: text) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a digest is 64 lower-case hexadecimal digits")
        }
        self = digest
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(hex)
    }
}
