/// Keeps texts with a NUL out: the database would keep what is before it, and nobody would know.
enum NulCheck {
    /// Whether a JSON document writes a NUL: `\u0000`, unless its backslash is escaped itself.
    static func holdsNul(_ bytes: some Sequence<UInt8>) -> Bool {
        let mark = Array("u0000".utf8)
        var isEscaped = false
        var matched = 0
        for byte in bytes {
            if matched > 0 || isEscaped {
                if byte == mark[matched] {
                    matched += 1
                    if matched == mark.count { return true }
                    isEscaped = false
                    continue
                }
                let wasFirst = matched == 0
                matched = 0
                isEscaped = false
                // What followed the backslash is read, whatever it was.
                if wasFirst { continue }
            }
            isEscaped = byte == UInt8(ascii: "\\")
        }
        return false
    }

    /// - Throws: `BodyError.malformed`.
    static func refuse(_ bytes: some Sequence<UInt8>) throws {
        guard !holdsNul(bytes) else {
            throw BodyError.malformed(
                reason: "a text holds the character U+0000 (NUL), which no text here may")
        }
    }
}
