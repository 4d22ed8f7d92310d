/// Counts of what a model answered, one score a request: the number that its reply says of the first
/// row. Eight buckets an octave on either side of zero, from 2^-10 to 2^21; what is nearer to zero
/// counts as zero, what is farther in the last bucket; what is no number has a bucket of its own.
/// Buckets ascend with the score, so that running sums are distribution functions.
package struct ScoreHistogram: BucketHistogram {
    package var counts: [UInt64]

    private static let octaves = 31
    private static let perSign = octaves * 8
    /// Biased exponent and three bits of mantissa of 2^-10.
    private static let smallest = (1023 - 10) << 3
    package static let bucketCount = 2 * perSign + 2

    package init() { counts = Array(repeating: 0, count: Self.bucketCount) }

    /// Takes no logarithm: it stands on the path of every request.
    package static func bucket(_ score: Double) -> Int {
        guard !score.isNaN else { return bucketCount - 1 }
        let place = min(Int(score.magnitude.bitPattern >> 49) - smallest, perSign - 1)
        guard place >= 0 else { return perSign }
        return score < 0 ? perSign - 1 - place : perSign + 1 + place
    }

    /// The middle of a bucket; `nan` for what is no number.
    package static func middle(_ bucket: Int) -> Double {
        guard bucket < bucketCount - 1 else { return .nan }
        guard bucket != perSign else { return 0 }
        let place = bucket < perSign ? perSign - 1 - bucket : bucket - perSign - 1
        let lower = Double(bitPattern: UInt64(place + smallest) << 49)
        let upper = Double(bitPattern: UInt64(place + 1 + smallest) << 49)
        return bucket < perSign ? -(lower + upper) / 2 : (lower + upper) / 2
    }

    package mutating func record(_ score: Double) { counts[Self.bucket(score)] &+= 1 }

    /// The middle of the bucket in which at least `fraction` (0...1) of the counts are reached; `nil`
    /// when nothing was counted.
    package func quantile(_ fraction: Double) -> Double? {
        bucket(reaching: fraction).map(Self.middle)
    }

    /// The largest difference between the distribution functions of both, 0...1 (Kolmogorov and
    /// Smirnov); `nil` while one has no counts.
    package func distance(to other: ScoreHistogram) -> Double? {
        let (mine, theirs) = (Double(total), Double(other.total))
        guard mine > 0, theirs > 0 else { return nil }
        var (sumOfMine, sumOfTheirs): (UInt64, UInt64) = (0, 0)
        var largest = 0.0
        for bucket in counts.indices {
            sumOfMine = sumOfMine.addingSaturated(counts[bucket])
            sumOfTheirs = sumOfTheirs.addingSaturated(other.counts[bucket])
            largest = max(largest, abs(Double(sumOfMine) / mine - Double(sumOfTheirs) / theirs))
        }
        return largest
    }
}
