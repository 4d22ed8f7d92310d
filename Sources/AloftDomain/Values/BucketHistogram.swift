/// Counts in a fixed number of buckets that ascend with what is counted. Two histograms of one kind
/// add up; the difference of two readings of one counter is the histogram of what came between.
/// On the wire it is sparse: `[[bucket, count], …]`. Counts come from other processes, so sums stay
/// at the largest number where they would overflow.
package protocol BucketHistogram: Sendable, Hashable, Codable {
    static var bucketCount: Int { get }

    /// One count for each bucket.
    var counts: [UInt64] { get set }

    init()
}

extension BucketHistogram {
    /// A histogram with these counts, one for each bucket.
    package init(counts: [UInt64]) {
        precondition(counts.count == Self.bucketCount, "one count for each bucket")
        self.init()
        self.counts = counts
    }

    package var total: UInt64 { counts.reduce(0) { $0.addingSaturated($1) } }

    /// The first bucket up to which at least `fraction` (0...1) of the counts are; `nil` when nothing
    /// was counted.
    package func bucket(reaching fraction: Double) -> Int? {
        let total = total
        guard total > 0 else { return nil }
        let wanted = max(1, (fraction * Double(total)).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, count) in counts.enumerated() {
            seen = seen.addingSaturated(count)
            if Double(seen) >= wanted { return bucket }
        }
        return Self.bucketCount - 1
    }

    package mutating func add(_ other: Self) {
        for bucket in counts.indices {
            counts[bucket] = counts[bucket].addingSaturated(other.counts[bucket])
        }
    }

    /// What was counted since `earlier`, an older reading of the same counter. A counter that was
    /// reset (a bucket fell) counts from zero.
    package func since(_ earlier: Self) -> Self {
        guard zip(counts, earlier.counts).allSatisfy(>=) else { return self }
        var difference = self
        for bucket in counts.indices { difference.counts[bucket] -= earlier.counts[bucket] }
        return difference
    }

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
