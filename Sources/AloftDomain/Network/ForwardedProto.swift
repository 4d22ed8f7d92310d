/// What the proxies in front of a server say in `X-Forwarded-Proto`: each the protocol by which it was
/// reached, the outermost first. Several fields, or a list in one, come where each adds to what it got.
///
/// No page can make a browser send it to another origin unasked, so it may widen what pages of this host may
/// do; it never widens whose pages.
package enum ForwardedProto {
    /// Whether the outermost, which the browser reached, was reached by TLS.
    package static func isSecure(_ text: String?) -> Bool {
        text.map { isSecure($0.pieces(at: ",", most: 2, keepingEmpty: true)[0]) } ?? false
    }

    /// Whether any was.
    package static func namesSecure(_ text: String) -> Bool {
        text.pieces(at: ",").contains { isSecure($0) }
    }

    private static func isSecure(_ word: some StringProtocol) -> Bool {
        let blanks: Set<UInt8> = [0x20, 0x09]
        let bytes = word.utf8.drop { blanks.contains($0) }
        let letters = bytes.map { $0 &- 65 < 26 ? $0 | 0x20 : $0 }
        let end = letters.lastIndex { !blanks.contains($0) }.map { $0 + 1 } ?? 0
        return letters[..<end].elementsEqual("https".utf8)
    }
}
