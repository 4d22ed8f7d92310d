import Foundation
import Testing

@testable import AloftDomain

struct CoreValueTests {
    @Test func `successive identifiers follow one another and are told apart by their start`() {
        let chance = Chance.seeded(3)
        let times = (0..<500).map {
            Date(timeIntervalSince1970: 1_700_000_000.008 + Double($0) * 0.016)
        }
        let identifiers: [RunID] = times.map { chance.identifier(at: $0) }
        #expect(identifiers == identifiers.sorted())
        #expect(Set(identifiers.map { $0.rawValue.prefix(8) }).count == 500)
        #expect(identifiers.allSatisfy { $0.rawValue.utf8.count == 32 })
        let same: [RunID] = (0..<500).map { _ in chance.identifier(at: times[0]) }
        #expect(Set(same).count == 500)
        #expect(Set(same.map { $0.rawValue.prefix(8) }).count == 1)
    }

    @Test func `live chance gives different words over many fetches`() {
        let chance = Chance.live()
        #expect(Set((0..<1000).map { _ in chance.next() }).count == 1000)
    }

    @Test func `a digest is 64 lower-case hexadecimal digits and nothing else`() {
        let good = String(repeating: "0a", count: 32)
        #expect(ContentDigest(hex: good)?.hex == good)
        for bad in ["", "../" + good, good.uppercased(), String(good.dropLast()), good + "0"] {
            #expect(ContentDigest(hex: bad) == nil)
        }
        #expect(ContentDigest(bytes: [UInt8](repeating: 10, count: 32)).hex == good)
    }

    @Test(arguments: [
        ("127.0.0.1:5000", true), ("localhost:1", true), ("[::1]:80", true),
        ("0.0.0.0:5000", false),
        ("example.org:443", false), ("127.0.0.1.example.org:80", false),
    ])
    func `an address knows whether only this machine reaches it`(text: String, isLoopback: Bool) {
        #expect(ListenAddress(text)?.isLoopback == isLoopback)
        #expect(ListenAddress(text)?.description == text)
    }

    @Test(arguments: ["", "5000", ":5000", "host:", "host:65536", "host:-1", "::1:80"])
    func `what is no address is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test func `a percentile is at most nine percent too high`() throws {
        var histogram = LatencyHistogram()
        for latency in 1...1000 { histogram.record(microseconds: Double(latency)) }
        let p99 = try #require(histogram.percentileMicroseconds(0.99))
        #expect(p99 >= 990 && p99 <= 990 * 1.091)
        #expect(LatencyHistogram().percentileMicroseconds(0.5) == nil)
    }

    @Test func `the difference of two readings is what came between`() {
        var earlier = LatencyHistogram()
        earlier.record(microseconds: 5)
        var later = earlier
        later.record(microseconds: 700)
        #expect(later.since(earlier).total == 1)
        #expect(earlier.since(later) == earlier, "a counter that was reset counts from zero")
    }

    @Test func `extreme latencies stay inside of the histogram`() {
        var histogram = LatencyHistogram()
        for latency in [0, -1, 1e12, Double.infinity] { histogram.record(microseconds: latency) }
        #expect(histogram.total == 4)
    }

    @Test func `a seeded generator goes on from its saved state`() {
        var generator = SplitMix64(seed: 42)
        _ = generator.next()
        var copy = generator
        #expect(generator.next() == copy.next())
    }
}
