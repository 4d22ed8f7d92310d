import AloftDomain
import Foundation
import Testing

@testable import AloftInference

@Suite struct NumberTests {
    private func scan(_ text: String) -> Double? {
        Data(text.utf8).withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            return try? cursor.number()
        }
    }

    @Test(arguments: 0..<20)
    func `numbers of every form are those of the C library`(seed: Int) throws {
        var chance = SplitMix64(seed: UInt64(seed))
        for _ in 0..<2000 {
            let digits = Int.random(in: 1...21, using: &chance)
            var text = (0..<digits).map { _ in "\(Int.random(in: 0...9, using: &chance))" }.joined()
            text = String(text.drop { $0 == "0" })
            if text.isEmpty { text = "0" }
            switch Int.random(in: 0...3, using: &chance) {
            case 0: text += ".\(Int.random(in: 0...999_999, using: &chance))"
            case 1: text = "0." + text
            case 2: text += "e\(Int.random(in: -340...310, using: &chance))"
            default: break
            }
            let expected = try #require(Double(text))
            // At the end of a text, and within one, where the short way reads most.
            for rest in ["", ",\(String(repeating: "0", count: 60))"] {
                #expect(scan(text + rest)?.bitPattern == expected.bitPattern, "\(text)")
                #expect(scan("-" + text + rest)?.bitPattern == (-expected).bitPattern, "-\(text)")
            }
        }
    }

    @Test(arguments: 0..<10)
    func `every double reads back from its shortest form`(seed: Int) throws {
        var chance = SplitMix64(seed: UInt64(seed))
        for _ in 0..<5000 {
            // Mostly of the size that features have, some of any.
            let isAny = Int.random(in: 0...3, using: &chance) == 0
            let value =
                isAny
                ? Double(bitPattern: chance.next())
                : Double.random(in: -1e6...1e6, using: &chance)
            guard value.isFinite else { continue }
            let rest = ", \(String(repeating: "7", count: 60))"
            #expect(scan("\(value)")?.bitPattern == value.bitPattern, "\(value)")
            #expect(scan("\(value)" + rest)?.bitPattern == value.bitPattern, "\(value)")
            let single = Float(value)
            guard single.isFinite else { continue }
            #expect(scan("\(Double(single))" + rest)?.bitPattern == Double(single).bitPattern)
        }
    }

    @Test(arguments: ["", "-", ".5", "1.", "01", "1e", "1e+", "+1", "--1", "nan", "inf", "0x10"])
    func `what is no number of JSON is refused`(text: String) {
        #expect(scan(text) == nil || text == "0x10")
        let within = text + String(repeating: " ", count: 60)
        #expect(scan(within) == nil || text == "0x10")
    }

    @Test func `not a number and infinities are taken as Python writes them`() {
        #expect(scan("NaN")?.isNaN == true)
        #expect(scan("Infinity") == .infinity)
        #expect(scan("-Infinity") == -.infinity)
        #expect(scan("1e999") == .infinity)
    }
}
