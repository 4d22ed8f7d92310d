import Foundation
import Testing

@testable import AloftCompute

@Suite struct LogMaskTests {
    private func masked(_ text: String, _ secrets: [String], pieces size: Int) -> String {
        var mask = LogMask(secrets)
        var shown: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            shown += mask.pass(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return String(decoding: shown + mask.rest(), as: UTF8.self)
    }

    @Test(arguments: [1, 2, 5, 1000])
    func `a secret is not seen, however it comes in pieces`(size: Int) {
        let secrets = ["hunter2", "hunter2-long", "short", "line one\nline two"]
        #expect(
            masked("a hunter2 b hunter2-long c hunthunter2.\nline two hunt", secrets, pieces: size)
                == "a *** b *** c hunt***.\n*** hunt")
        #expect(masked("short ones are words", secrets, pieces: size) == "short ones are words")
        #expect(masked("ends with hunter", secrets, pieces: size) == "ends with hunter")
    }

    @Test func `without secrets nothing is looked at`() { #expect(LogMask([]).isEmpty) }
}
