import AloftDomain
import Foundation
import Testing

struct ExactTextTests {
    @Test func `texts that only look alike are different keys`() {
        let keys = ["\u{E9}", "e\u{301}", "K", "\u{212A}", ";", "\u{37E}"].map { ExactText($0) }
        #expect(Set(keys).count == keys.count)
        #expect(ExactText("a") == ExactText("a"))
    }

    @Test(arguments: ["\u{301}", "\u{200D}", "\u{FE0F}"])
    func `a separator is one, whatever mark follows it`(_ mark: String) {
        #expect("a/\(mark)b".pieces(at: "/") == ["a", "\(mark)b"])
        #expect("a/\(mark)b".holds("/"))
        #expect("x:/\(mark)b".rest(after: "x:/").map(String.init) == mark + "b")
        #expect("b/\(mark)".droppingLast("/") == "b/\(mark)"[...])
        #expect(
            "a'\(mark)".replacing(scalar: "'", with: "''").utf8.elementsEqual("a''\(mark)".utf8))
        #expect("a\r\nb".pieces(at: "\n").map(String.init) == ["a\r", "b"])
    }

    /// The shell reads bytes: a mark behind a quote kept it from being escaped, and what followed ran.
    @Test(arguments: ["\u{301}", "\u{200D}", "\u{FE0F}", ""])
    func `a value that is quoted for the shell stays one word`(_ mark: String) throws {
        let value = "a'\(mark); echo taken; '\(mark)"
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", "printf %s " + CommandTemplate.quoted(value)]
        let output = Pipe()
        shell.standardOutput = output
        try shell.run()
        let said = try output.fileHandleForReading.readToEnd() ?? Data()
        shell.waitUntilExit()
        #expect(Array(said) == Array(value.utf8))
    }
}
