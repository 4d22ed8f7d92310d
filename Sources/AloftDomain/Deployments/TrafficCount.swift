/// What was counted of one revision; counts of several gateways add up.
package struct TrafficCount: Sendable, Hashable {
    package var requests: UInt64
    package var errors: UInt64
    /// Requests that their callers got wrong (4xx); not among `requests`.
    package var refused: UInt64
    /// Requests turned away unread since too many waited (429); not among `requests`.
    package var turnedAway: UInt64
    /// Beside those, what it refused although the other revision of the rollout takes it.
    package var contested: UInt64
    package var latency: LatencyHistogram
    /// What good answers said, one score a request.
    package var scores: AnswerScores

    package init(
        requests: UInt64 = 0, errors: UInt64 = 0, refused: UInt64 = 0, turnedAway: UInt64 = 0,
        contested: UInt64 = 0,
        latency: LatencyHistogram = LatencyHistogram(), scores: AnswerScores = AnswerScores()
    ) {
        self.requests = requests
        self.errors = errors
        self.refused = refused
        self.turnedAway = turnedAway
        self.contested = contested
        self.latency = latency
        self.scores = scores
    }

    package mutating func add(_ other: TrafficCount) {
        requests = requests.addingSaturated(other.requests)
        errors = errors.addingSaturated(other.errors)
        refused = refused.addingSaturated(other.refused)
        turnedAway = turnedAway.addingSaturated(other.turnedAway)
        contested = contested.addingSaturated(other.contested)
        latency.add(other.latency)
        scores.add(other.scores)
    }

    /// What came since `earlier`, an older sum of the same counters. Where a sum fell, because old
    /// counters were forgotten, it counts from zero.
    package func since(_ earlier: TrafficCount) -> TrafficCount {
        guard requests >= earlier.requests, errors >= earlier.errors,
            refused >= earlier.refused, turnedAway >= earlier.turnedAway,
            contested >= earlier.contested
        else { return self }
        return TrafficCount(
            requests: requests - earlier.requests, errors: errors - earlier.errors,
            refused: refused - earlier.refused, turnedAway: turnedAway - earlier.turnedAway,
            contested: contested - earlier.contested,
            latency: latency.since(earlier.latency), scores: scores.since(earlier.scores))
    }

    /// Whatever was asked of it, answered or not.
    package var received: UInt64 { requests.addingSaturated(refused).addingSaturated(turnedAway) }

    /// What speaks against it: errors, and what it refused although the other revision takes it.
    package var failures: UInt64 { errors.addingSaturated(contested) }

    /// All requests that say something about it.
    package var asked: UInt64 { requests.addingSaturated(contested) }

    /// How many latencies were above `seconds` for certain, and how many there were. A histogram
    /// knows a latency only to its bucket: one whose bucket holds `seconds` does not count as above.
    package func slower(than seconds: Double) -> (slow: UInt64, total: UInt64) {
        let bucket = LatencyHistogram.bucket(microseconds: seconds * 1e6)
        var slow: UInt64 = 0
        var total: UInt64 = 0
        for (index, count) in latency.counts.enumerated() {
            total = total.addingSaturated(count)
            if index > bucket { slow = slow.addingSaturated(count) }
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

extension TrafficCount: Codable {
    private enum CodingKeys: String, CodingKey {
        case requests, errors, refused, turnedAway, contested, latency, scores
    }

    /// What was stored before scores and refusals were counted has none.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            requests: try container.decode(UInt64.self, forKey: .requests),
            errors: try container.decode(UInt64.self, forKey: .errors),
            refused: try container.decodeIfPresent(UInt64.self, forKey: .refused) ?? 0,
            turnedAway: try container.decodeIfPresent(UInt64.self, forKey: .turnedAway) ?? 0,
            contested: try container.decodeIfPresent(UInt64.self, forKey: .contested) ?? 0,
            latency: try container.decode(LatencyHistogram.self, forKey: .latency),
            scores: try container.decodeIfPresent(AnswerScores.self, forKey: .scores)
                ?? AnswerScores())
    }
}
