import AloftDomain
import Foundation
import Testing

@testable import AloftMLflow

struct JSONWriterTests {
    private func written(_ value: Double) -> String {
        let bytes = JSONWriter.document { $0.member("v", value) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func written(_ value: Int64) -> String {
        String(decoding: JSONWriter.document { $0.member("v", value) }, as: UTF8.self)
    }

    @Test(arguments: [
        0, -0.0, 1, -1, 10, 1_000_000, 0.1, -2.5, 1e15, 1e16, 1e22, 1e300, -9_007_199_254_740_992,
        1_125_899_906_842_623, 1_125_899_906_842_624, .leastNonzeroMagnitude,
        .greatestFiniteMagnitude,
    ])
    func `a number is written as it would be described`(value: Double) {
        #expect(written(value) == #"{"v":\#(value)}"#)
    }

    @Test(arguments: [0, 7, -7, 10, -100, 1_700_000_000_000, .max, .min] as [Int64])
    func `a whole number is written with all its digits`(value: Int64) {
        #expect(written(value) == #"{"v":\#(value)}"#)
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `any double comes back`(seed: UInt64) throws {
        var chance = SplitMix64(seed: seed)
        let value = Double(bitPattern: chance.next())
        guard value.isFinite else { return }
        let data = Data(written(value).utf8)
        let read = try JSONDecoder().decode([String: Double].self, from: data)
        #expect(read["v"] == value)
    }

    @Test func `what is no number is a text`() {
        #expect(written(.nan) == #"{"v":"NaN"}"# && written(-.infinity) == #"{"v":"-Infinity"}"#)
    }
}
