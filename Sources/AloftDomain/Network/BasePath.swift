/// The path below which a reverse proxy shows a server: `/team/aloft`, or nothing where it stands at the
/// root of its host.
///
/// It is written into pages, cookies and addresses, so it holds nothing that could end one of them or lead
/// to another host: parts of letters, digits, `.`, `_`, `~` and `-`, none of them `.` or `..`.
package struct BasePath: Sendable, Equatable {
    /// Empty, or with a slash before each part and none at the end.
    package let text: String

    package static let root = BasePath(checked: "")
    private static let longest = 200

    private init(checked text: String) { self.text = text }

    /// `nil` for what is no such path. A slash at the end changes nothing; `/` and nothing are the root.
    package init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
        guard bytes.count <= Self.longest else { return nil }
        guard !bytes.isEmpty else {
            self = .root
            return
        }
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        let parts = bytes.dropFirst().split(
            separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.allSatisfy(Self.isPart) else { return nil }
        self.text = String(decoding: bytes, as: UTF8.self)
    }

    /// The path that proxies one behind another tell: each adds what it took away, the outermost first, in a
    /// field of its own or in a list. One that tells the same twice has taken it away once.
    ///
    /// `nil` where one of them is no such path, or all together are too long.
    package init?(told text: String) {
        var parts: [String] = []
        for piece in text.pieces(at: ",", keepingEmpty: true) {
            let blank = { (scalar: Unicode.Scalar) in scalar == " " || scalar == "\t" }
            let start = Substring(piece.unicodeScalars.drop(while: blank))
            let trimmed = String(
                String.UnicodeScalarView(
                    start.unicodeScalars.reversed().drop(while: blank).reversed()))
            guard let path = BasePath(trimmed) else { return nil }
            if !path.isRoot, parts.last?.isSame(as: path.text) != true { parts.append(path.text) }
        }
        self.init(parts.joined())
    }

    private static func isPart(_ part: ArraySlice<UInt8>) -> Bool {
        let isDots = part.allSatisfy { $0 == UInt8(ascii: ".") } && part.count <= 2
        return !part.isEmpty && !isDots
            && part.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "~"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    package var isRoot: Bool { text.utf8.isEmpty }

    /// The first part; `nil` at the root.
    package var first: Substring? { text.pieces(at: "/").first }

    /// What follows in an address below this path, with its slash; `nil` for an address beside it.
    package func rest(of address: String) -> String? {
        guard !isRoot, let rest = address.rest(after: text) else { return nil }
        guard let next = rest.utf8.first else { return "/" }
        if next == UInt8(ascii: "?") { return "/" + rest }
        return next == UInt8(ascii: "/") ? String(rest) : nil
    }

    /// This path below another one. A proxy that hands on the whole path and tells it as well says the
    /// same twice.
    package func below(_ outer: BasePath) -> BasePath {
        let outerText = outer.text
        if outerText.utf8.reversed().starts(with: text.utf8.reversed()) { return outer }
        return BasePath(checked: outerText + text)
    }
}

/// Why a request was refused by what a proxy said of its path.
package enum BasePathRefusal: Refusal, Equatable {
    case malformed(String)

    package var code: String { "prefix_malformed" }
    package var kind: RefusalKind { .invalid }

    package var message: String {
        switch self {
        case .malformed(let text):
            "The X-Forwarded-Prefix header is \"\(Self.shown(text))\"; a path such as /team/aloft is "
                + "expected: parts of letters, digits, '.', '_', '~' and '-'. The proxy before this "
                + "server sets it."
        }
    }

    private static func shown(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(100).map { $0.isASCII && $0.value >= 32 ? $0 : "?" }))
    }
}
