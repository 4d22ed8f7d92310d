/// The head of a request in the plainest form of HTTP/1.1, which nearly all clients send: read in one
/// pass, without the HTTP library.
///
/// It is deliberately narrow. Whatever could be read in two ways is not plain, and goes to the HTTP
/// library: other methods and versions, line ends that are not CR LF, folded lines, control or
/// non-ASCII characters, blanks round a name or behind a value, a repeated or odd `Content-Length`,
/// any `Transfer-Encoding`, `Expect`, `Upgrade` or `Trailer`, a `Connection` that says anything but
/// `keep-alive`, a long head. So does what a browser sends (`Origin`, `Sec-Fetch-Site`), a body of
/// another type than JSON or octets, and a head without its one `Host`. Of what is plain, the library sees the same message (the tests compare).
struct PlainRequest: Equatable {
    let isPost: Bool
    /// Where the target stands in the bytes.
    let target: Range<Int>
    /// The lines of the headers, each with its end.
    let headers: Range<Int>
    /// The head, with the empty line that ends it.
    let headBytes: Int
    let bodyBytes: Int
    /// The value of the one `Host`.
    let host: Range<Int>
    /// Whether there are headers beyond its form that the gateway looks at.
    let hasFurtherHeaders: Bool

    private static let longestHead = 8192

    /// `nil` where `bytes` begins with no whole plain head.
    init?(_ bytes: UnsafeRawBufferPointer) {
        var scan = Scan(UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.longestHead)))
        if scan.take("POST ") {
            isPost = true
        } else if scan.take("GET ") || scan.take("HEAD ") {
            isPost = false
        } else {
            return nil
        }
        let start = scan.at
        guard scan.skipTarget() else { return nil }
        target = start..<scan.at
        guard scan.take(" HTTP/1.1\r\n") else { return nil }
        let firstHeader = scan.at
        var facts = Facts()
        while !scan.take("\r\n") {
            guard let header = scan.header(), facts.note(header, bytes) else { return nil }
        }
        guard let host = facts.host else { return nil }
        self.host = host
        headers = firstHeader..<scan.at - 2
        headBytes = scan.at
        bodyBytes = facts.length ?? 0
        hasFurtherHeaders = facts.hasFurther
    }

    struct Header {
        let name: Range<Int>
        let value: Range<Int>
    }

    /// Every header once more, for a head that was read.
    func forEachHeader(
        _ bytes: UnsafeRawBufferPointer, _ body: (_ name: String, _ value: String) -> Void
    ) {
        var scan = Scan(UnsafeRawBufferPointer(rebasing: bytes[..<headers.upperBound]))
        scan.at = headers.lowerBound
        while let header = scan.header() {
            body(
                String(decoding: bytes[header.name], as: UTF8.self),
                String(decoding: bytes[header.value], as: UTF8.self))
        }
    }
}

/// What the headers say, as far as it decides where the message ends or how it is answered.
private struct Facts {
    var length: Int?
    var host: Range<Int>?
    var hasFurther = false
    private var hasConnection = false
    private var count = 0

    private static let most = 100

    /// False where the header makes the request less than plain.
    mutating func note(_ header: PlainRequest.Header, _ bytes: UnsafeRawBufferPointer) -> Bool {
        count += 1
        guard count <= Self.most else { return false }
        let name = UnsafeRawBufferPointer(rebasing: bytes[header.name])
        func isName(_ word: StaticString) -> Bool { ASCII.equal(name, word) }
        switch name.count {
        case 4 where isName("host"):
            defer { host = header.value }
            return host == nil
        case 6: return !isName("expect") && !isName("origin")
        case 7: return !isName("upgrade") && !isName("trailer")
        case 10 where isName("connection"):
            defer { hasConnection = true }
            let value = UnsafeRawBufferPointer(rebasing: bytes[header.value])
            return !hasConnection && ASCII.equal(value, "keep-alive")
        case 11 where isName("traceparent"), 13 where isName("authorization"),
            16 where isName("content-encoding"), 17 where isName("x-request-timeout"),
            18 where isName("x-request-priority") || isName("x-aloft-sticky-key"),
            31 where isName("inference-header-content-length"):
            hasFurther = true
            return true
        case 12 where isName("content-type"):
            let value = UnsafeRawBufferPointer(rebasing: bytes[header.value])
            return ASCII.begins(value, "application/json")
                || ASCII.begins(value, "application/octet-stream")
        case 14 where isName("content-length"): return noteLength(bytes[header.value])
        case 14: return !isName("sec-fetch-site")
        case 16: return !isName("proxy-connection")
        case 17: return !isName("transfer-encoding")
        default: return true
        }
    }

    /// Once, of at most fifteen digits.
    private mutating func noteLength(_ digits: Slice<UnsafeRawBufferPointer>) -> Bool {
        guard length == nil, (1...15).contains(digits.count) else { return false }
        var value = 0
        for byte in digits {
            guard byte &- 48 < 10 else { return false }
            value = value * 10 + Int(byte &- 48)
        }
        length = value
        return true
    }
}

/// Walks over a head; never past its end.
private struct Scan {
    let bytes: UnsafeRawBufferPointer
    var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    @inline(__always)
    mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard bytes.count - at >= count else { return false }
        for index in 0..<count where bytes[at + index] != word.utf8Start[index] { return false }
        at += count
        return true
    }

    /// A path from `/` on, of characters that need no thought, and a blank behind it.
    mutating func skipTarget() -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "/") else { return false }
        while at < bytes.count {
            let byte = bytes[at]
            if byte == UInt8(ascii: " ") { return true }
            guard ASCII.isIn(byte, ASCII.targetLow, ASCII.targetHigh) else { return false }
            at += 1
        }
        return false
    }

    /// `Name: value` and its line's end.
    @inline(__always)
    mutating func header() -> PlainRequest.Header? {
        let start = at
        while at < bytes.count, ASCII.isIn(bytes[at], ASCII.tokenLow, ASCII.tokenHigh) { at += 1 }
        guard at > start, at < bytes.count, bytes[at] == UInt8(ascii: ":") else { return nil }
        let name = start..<at
        at += 1
        if at < bytes.count, bytes[at] == UInt8(ascii: " ") { at += 1 }
        let valueStart = at
        skipPrintable()
        let value = valueStart..<at
        if let first = value.first, let last = value.last {
            guard bytes[first] != UInt8(ascii: " "), bytes[last] != UInt8(ascii: " ") else {
                return nil
            }
        }
        return take("\r\n") ? PlainRequest.Header(name: name, value: value) : nil
    }

    /// Steps over all from blank to tilde, eight at a time: values are most of a head.
    @inline(__always)
    private mutating func skipPrintable() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones &* 0x80
        while bytes.count - at >= 8 {
            let word = UInt64(
                littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            // The lowest bit that is set is of the first such byte: carries only go up.
            let controls = (word &- ones &* 0x20) & ~word
            let last = word ^ (ones &* 0x7F)
            let others = (controls | ((last &- ones) & ~last) | word) & tops
            guard others == 0 else {
                at += others.trailingZeroBitCount >> 3
                return
            }
            at += 8
        }
        while at < bytes.count, bytes[at] &- 0x20 < 0x5F { at += 1 }
    }
}

private enum ASCII {
    /// Letters, digits and ``!#$%&'*+-.^_`|~`` (RFC 9110, section 5.6.2), as one bit each.
    static let tokenLow: UInt64 = 0x03FF_6CFA_0000_0000
    static let tokenHigh: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    /// Letters, digits and `-._~/%?=&+:,@!$'()*;`.
    static let targetLow: UInt64 = 0xAFFF_FFF2_0000_0000
    static let targetHigh: UInt64 = 0x47FF_FFFE_87FF_FFFF

    /// Whether the bit of this character is set; `low` is for those below 64, `high` to 127.
    @inline(__always)
    static func isIn(_ byte: UInt8, _ low: UInt64, _ high: UInt64) -> Bool {
        byte < 128 && (byte < 64 ? low : high) >> UInt64(byte & 63) & 1 == 1
    }

    @inline(__always)
    static func begins(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where text[index] != word.utf8Start[index] {
            return false
        }
        return true
    }

    /// Whether the text is this word, which is in lower case, but for the case of its letters.
    @inline(__always)
    static func equal(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        guard text.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<text.count {
            let byte = text[index]
            let lower = byte &- 65 < 26 ? byte | 0x20 : byte
            guard lower == word.utf8Start[index] else { return false }
        }
        return true
    }
}
