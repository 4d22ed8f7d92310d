/// What was counted of one revision; counts of several gateways add up.
package struct TrafficCount: Sendable, Hashable, Codable {
    package var requests: UInt64
    package var errors: UInt64
    package var latency: LatencyHistogram

    package init(
        requests: UInt64 = 0, errors: UInt64 = 0, latency: LatencyHistogram = LatencyHistogram()
    ) {
        self.requests = requests
        self.errors = errors
        self.latency = latency
    }

    package mutating func add(_ other: TrafficCount) {
        requests += other.requests
        errors += other.errors
        latency.add(other.latency)
    }

    /// What came since `earlier`, an older sum of the same counters. Where a sum fell, because old
    /// counters were forgotten, it counts from zero.
    package func since(_ earlier: TrafficCount) -> TrafficCount {
        guard requests >= earlier.requests, errors >= earlier.errors else { return self }
        return TrafficCount(
            requests: requests - earlier.requests, errors: errors - earlier.errors,
            latency: latency.since(earlier.latency))
    }

    /// The share of requests that ended in an error, 0...1; `nil` without requests.
    package var errorRate: Double? {
        requests == 0 ? nil : Double(errors) / Double(requests)
    }

    /// How many latencies were above `seconds` for certain, and how many there were. A histogram
    /// knows a latency only to its bucket: one whose bucket holds `seconds` does not count as above.
    package func slower(than seconds: Double) -> (slow: UInt64, total: UInt64) {
        let bucket = LatencyHistogram.bucket(microseconds: seconds * 1e6)
        var slow: UInt64 = 0
        var total: UInt64 = 0
        for (index, count) in latency.counts.enumerated() {
            total += count
            if index > bucket { slow += count }
        }
        return (slow, total)
    }

    /// What counts as a slow request when another revision is compared with this one: twice the 99th
    /// percentile, at least 5 ms, in seconds; `nil` below 200 requests.
    package var slowSeconds: Double? {
        guard latency.total >= 200, let percentile = latency.percentileMicroseconds(0.99) else {
            return nil
        }
        return max(percentile * 2 / 1e6, 0.005)
    }
}
