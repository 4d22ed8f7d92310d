import Foundation

/// Counts of latencies in eight buckets an octave from 1 µs to about 134 s, so a percentile is at
/// most 9.1 % too high.
package struct LatencyHistogram: BucketHistogram {
    /// Bucket `i` counts latencies in (bound(i-1), bound(i)].
    package var counts: [UInt64]

    package static let bucketCount = 8 * 27 + 1

    package init() { counts = Array(repeating: 0, count: Self.bucketCount) }

    /// The upper bound of a bucket in microseconds: 2^(bucket / 8).
    package static func boundMicroseconds(_ bucket: Int) -> Double { exp2(Double(bucket) / 8) }

    package static func bucket(microseconds: Double) -> Int {
        guard microseconds > 1 else { return 0 }
        return Int(min((log2(microseconds) * 8).rounded(.up), Double(bucketCount - 1)))
    }

    package mutating func record(microseconds: Double) {
        counts[Self.bucket(microseconds: microseconds)] &+= 1
    }

    /// The smallest bucket bound, in microseconds, that at least `fraction` (0...1) of the counts do
    /// not exceed; `nil` when nothing was counted.
    package func percentileMicroseconds(_ fraction: Double) -> Double? {
        bucket(reaching: fraction).map(Self.boundMicroseconds)
    }
}
