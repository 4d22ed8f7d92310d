import Foundation
import Testing

@testable import AloftProjectFile

/// Files made to hurt: each must be refused, and at once.
@Suite(.timeLimit(.minutes(30))) struct HostileFileTests {
    @Test(arguments: ["\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}"])
    func `an anchor behind a line break of YAML's own is one`(lineBreak: String) {
        let text = "project: x\nk: [\(lineBreak)&a [1, 2],\(lineBreak)*a ]\n"
        #expect(faults(in: text).contains { $0.contains("aliases") })
    }

    @Test func `aliases that multiply are refused before they are expanded`() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...30 {
            let alias = "*a\(level - 1)"
            let list = Array(repeating: alias, count: 9).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(list)]\n"
        }
        bomb += "? *a30\n: x\n"
        #expect(faults(in: bomb)[0].contains("aliases"))
        #expect(faults(in: bomb)[0].hasPrefix("aloft.yaml:2:"))
    }

    @Test(arguments: [
        "a: {? &x b : *x}", "a: [&x b, *x]", "&x a: *x", "- &x\n- *x", "{&x a: 1,*x : 2}",
    ])
    func `an alias is seen wherever it may stand`(text: String) {
        #expect(faults(in: text)[0].contains("aliases"))
    }

    @Test func `a shell's ampersands and stars are no aliases`() {
        let text = "project: p\njobs: { a: { run: 'cd x && python a.py *.csv & wait 2>&1 &foo' } }"
        #expect(faults(in: text) == [])
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "{[", "a:\n ", "!!map {? "])
    func `nesting without end is refused`(unit: String) async {
        let text = "project: p\njobs: " + String(repeating: unit, count: 250_000 / unit.count)
        #expect(!faults(in: text).isEmpty)
        // As deep as the reader goes, on a thread of the pool, whose stack is the smallest.
        let deep = "project: " + String(repeating: unit, count: 998)
        #expect(!faults(in: deep).isEmpty)
        let closed =
            "project: " + String(repeating: "[", count: 990) + String(repeating: "]", count: 990)
        #expect(await Task.detached { faults(in: closed) }.value.count == 1)
    }

    @Test func `deep block nesting is refused`() {
        let lines = (0..<650).map { String(repeating: " ", count: $0) + "a:" }
        #expect(!faults(in: lines.joined(separator: "\n")).isEmpty)
    }

    @Test func `a huge file is refused by its size`() {
        let text = "project: " + String(repeating: "x", count: 300_000)
        #expect(faults(in: text)[0].contains("at most 262144"))
    }

    @Test func `many keys, faults and long words cost little`() {
        let keys = (0..<2000).map { "k\($0): 1" }.joined(separator: "\n")
        #expect(faults(in: keys).count == 51)
        for many in ["k: 1\n", "- \n", "a,", "{}", "? "] {
            let text = "project: [" + String(repeating: many, count: 200_000 / many.utf8.count)
            #expect(faults(in: text)[0].contains("more keys and values"), "\(many)")
        }
        let word = String(repeating: "p", count: 200_000)
        #expect(!faults(in: "project: p\nmodels: { a: { checks: { s: [\(word)] } } }").isEmpty)
        #expect(
            !faults(in: "project: p\njobs: { a: { run: x, sweep: { method: \(word) } } }").isEmpty)
        // As large as a file may be, with lines as people write them.
        let job = "  j000: { run: python train.py --rate 1, resources: { cpus: 1, memory: 2Gi } }\n"
        let whole =
            "project: p\njobs:\n"
            + (0..<3000).map { job.replacingOccurrences(of: "j000", with: "j\($0)") }.joined()
        #expect(faults(in: whole) == [])
        let dollars = String(repeating: "${", count: 2000)
        #expect(faults(in: "project: p\njobs: { a: { run: '\(dollars)' } }") == [])
    }

    @Test(arguments: 0..<300)
    func `a damaged file is read or refused, never worse`(seed: Int) {
        var bytes = Array(flights.utf8)
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 | 1
        func next(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let signs = Array("[]{}:,-?&*!|>'\"%@`# \n\tab1\\~".utf8)
        for _ in 0..<(1 + seed % 12) {
            let place = next(bytes.count)
            switch next(3) {
            case 0: bytes[place] = signs[next(signs.count)]
            case 1: bytes.remove(at: place)
            default: bytes.insert(signs[next(signs.count)], at: place)
            }
        }
        _ = faults(in: String(decoding: bytes, as: UTF8.self))
    }
}
