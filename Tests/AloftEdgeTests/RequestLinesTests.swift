import AloftDomain
import NIOCore
import Testing

@testable import AloftEdge

/// Blanks in request lines, wherever in a connection the line stands and however its bytes come.
@Suite struct RequestLinesTests {
    private static let good = [
        "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "\r\n\r\nGET / HTTP/1.1\r\nA:  b  c\r\n\r\n",
        "POST / HTTP/1.1\r\ncontent-LENGTH: 7\r\n\r\nGET  / ",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nGET  / \r\n1;a=b\r\n \r\n0\r\nA: b\r\n\r\n",
        "PUT /a HTTP/1.1\r\nContent-Length:  0 \r\n\r\n",
        "PUT /a HTTP/1.1\r\nX: \(String(repeating: "y", count: 500))\r\n\r\n",
    ]
    private static let bad = [
        "GET  /health HTTP/1.1\r\n", "GET /health  HTTP/1.1\r\n", " GET / HTTP/1.1\r\n",
        "GET\t/ HTTP/1.1\r\n", "GET /\tHTTP/1.1\r\n", "\r\n GET / HTTP/1.1\r\n",
        "GET / a HTTP/1.1\r\n", "POST  HTTP/1.1\r\n",
    ]

    private static func passed(_ text: String, cut: (Int) -> Bool) -> [UInt8] {
        var lines = RequestLines()
        var out: [UInt8] = []
        var piece: [UInt8] = []
        for (index, byte) in text.utf8.enumerated() {
            piece.append(byte)
            if cut(index) {
                out +=
                    lines.passed(ByteBuffer(bytes: piece)).map { Array($0.readableBytesView) } ?? []
                piece = []
            }
        }
        return out
            + (lines.passed(ByteBuffer(bytes: piece)).map { Array($0.readableBytesView) } ?? [])
    }

    @Test(arguments: 0..<200)
    func `good messages pass, and a wrong line stops the rest`(seed: Int) {
        var chance = SplitMix64(seed: UInt64(seed))
        let before = (0..<Int.random(in: 0...4, using: &chance)).map { _ in
            Self.good.randomElement(using: &chance) ?? ""
        }.joined()
        let often = Int.random(in: 1...20, using: &chance)
        let cuts = (0..<4000).map { _ in Int.random(in: 0..<often, using: &chance) == 0 }
        let whole = before + (Self.good.randomElement(using: &chance) ?? "")
        #expect(Self.passed(whole, cut: { cuts[$0] }) == Array(whole.utf8))
        for line in Self.bad {
            let text = before + line + Self.good[0]
            let out = Self.passed(text, cut: { cuts[$0] })
            // A byte that no reader of HTTP takes, and nothing behind it.
            #expect(out.last == 0, "\(line)")
            #expect(out.dropLast().elementsEqual(text.utf8.prefix(out.count - 1)))
            #expect(out.count > before.utf8.count && out.count <= (before + line).utf8.count)
        }
    }
}
