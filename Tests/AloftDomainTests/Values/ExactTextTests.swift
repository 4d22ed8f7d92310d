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

    @Test(arguments: ["", "a", "/delete", "delete-", "é", "a long text of more than fifteen bytes"])
    func `parts are found by their bytes`(_ part: String) {
        for text in ["x\(part)", "\(part)y", "x\(part)y", part, "", "x"] {
            let bytes = Array(text.utf8)
            let wanted = Array(part.utf8)
            let starts = (0...max(0, bytes.count - wanted.count)).filter {
                bytes.dropFirst($0).starts(with: wanted)
            }
            for slice in [text[...], "<\(text)>".dropFirst().dropLast()] {
                #expect(slice.holds(text: part) == !starts.isEmpty)
                #expect(slice.begins(with: part) == starts.contains(0))
                #expect(slice.ends(with: part) == starts.contains(bytes.count - wanted.count))
                #expect(slice.isSame(as: part) == (bytes == wanted))
            }
        }
    }

    /// The shell reads bytes: a mark behind a quote kept it from being escaped, and what followed ran.
    @Test(arguments: ["\u{301}", "\u{200D}", "\u{FE0F}", ""])
    func `a value that is quoted for the shell stays one word`(_ mark: String) throws {
        let value = "a'\(mark); echo taken; '\(mark)"
        // Not Foundation's `Process`: see `Spawn`.
        let shell = try #require(popen("printf %s " + CommandTemplate.quoted(value), "r"))
        var said: [UInt8] = []
        while case let byte = fgetc(shell), byte != EOF { said.append(UInt8(byte)) }
        #expect(pclose(shell) == 0)
        #expect(said == Array(value.utf8))
    }
}
