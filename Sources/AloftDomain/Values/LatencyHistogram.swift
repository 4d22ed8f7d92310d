import Foundation

/// Counts of latencies in eight buckets an octave from 1 µs to about 134 s, so a percentile is at
/// most 9.1 % too high. Two histograms add up; the difference of two readings of one counter is the
/// histogram of what came between.
package struct LatencyHistogram: Sendable, Hashable, Codable {
    /// Bucket `i` counts latencies in (bound(i-1), bound(i)].
    package private(set) var counts: [UInt64]

    package static let bucketCount = 8 * 27 + 1

    package init() { counts = Array(repeating: 0, count: Self.bucketCount) }

    /// A histogram with these counts, one for each bucket.
    package init(counts: [UInt64]) {
        precondition(counts.count == Self.bucketCount, "one count for each bucket")
        self.counts = counts
    }

    /// The upper bound of a bucket in microseconds: 2^(bucket / 8).
    package static func boundMicroseconds(_ bucket: Int) -> Double { exp2(Double(bucket) / 8) }

    package static func bucket(microseconds: Double) -> Int {
        guard microseconds > 1 else { return 0 }
        return Int(min((log2(microseconds) * 8).rounded(.up), Double(bucketCount - 1)))
    }

    package mutating func record(microseconds: Double) {
        counts[Self.bucket(microseconds: microseconds)] += 1
    }

    package var total: UInt64 { counts.reduce(0, +) }

    /// The smallest bucket bound, in microseconds, that at least `fraction` (0...1) of the counts do
    /// not exceed; `nil` when nothing was counted.
    package func percentileMicroseconds(_ fraction: Double) -> Double? {
        let total = total
        guard total > 0 else { return nil }
        let rank = max(1, UInt64((fraction * Double(total)).rounded(.up)))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen += count
            if seen >= rank { return Self.boundMicroseconds(bucket) }
        }
        return Self.boundMicroseconds(Self.bucketCount - 1)
    }

    package mutating func add(_ other: LatencyHistogram) {
        for bucket in counts.indices { counts[bucket] += other.counts[bucket] }
    }

    /// What was counted since `earlier`, an older reading of the same counter. A counter that was
    /// reset (a bucket fell) counts from zero.
    package func since(_ earlier: LatencyHistogram) -> LatencyHistogram {
        guard zip(counts, earlier.counts).allSatisfy(>=) else { return self }
        var difference = self
        for bucket in counts.indices { difference.counts[bucket] -= earlier.counts[bucket] }
        return difference
    }
}

extension LatencyHistogram {
    /// Sparse on the wire: `[[bucket, count], …]`.
    package init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.singleValueContainer()
        for pair in try container.decode([[UInt64]].self) {
            guard pair.count == 2, pair[0] < UInt64(Self.bucketCount) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: "a bucket is [index, count]")
            }
            counts[Int(pair[0])] = pair[1]
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        let pairs = counts.enumerated().filter { $0.element > 0 }
        try container.encode(pairs.map { [UInt64($0.offset), $0.element] })
    }
}
