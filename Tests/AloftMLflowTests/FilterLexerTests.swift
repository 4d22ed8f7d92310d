import Testing

@testable import AloftMLflow

@Suite struct FilterLexerTests {
    @Test func `a key of quoted parts is one word`() throws {
        let tokens = try FilterLexer.tokens("metrics.`a b` > 1")
        #expect(tokens.count == 3)
        let parts = [
            FilterToken.WordPart(text: "metrics.", isQuoted: false),
            .init(text: "a b", isQuoted: true),
        ]
        #expect(tokens.first == .word(parts))
    }

    /// Each part takes many times its length, whether it ends a word or not.
    @Test(arguments: ["a ", "`a`", "1`b`.", "( ", "1e5 "])
    func `no filter has tokens or parts of words without end`(piece: String) {
        let text = String(repeating: piece, count: 15_000)
        #expect(throws: ProtocolError.self) { try FilterLexer.tokens(text) }
        #expect(throws: Never.self) { try FilterLexer.tokens(String(text.prefix(9_000))) }
    }
}
