import AloftDomain
import AloftInference
import Testing

@Suite struct AdmissionTests {
    private func load(
        low: Int = 0, normal: Int = 0, high: Int = 0, running: Int = 1, each: Double = 1e6
    ) -> AdmissionPolicy.Load {
        var waiting = PriorityCounts()
        waiting[.low] = low
        waiting[.normal] = normal
        waiting[.high] = high
        return AdmissionPolicy.Load(
            waiting: waiting, running: running, runners: 1, nanosecondsEach: each)
    }

    @Test func `while the line is short everybody is let in`() {
        let policy = AdmissionPolicy(limit: 100, longestWait: 1e8)
        for priority in CallPriority.allCases {
            #expect(policy.decide(priority, load(), remaining: 1e9) == .admit)
            #expect(policy.decide(priority, load(normal: 40), remaining: 1e9) == .admit)
        }
    }

    @Test func `the lower the priority, the sooner it is turned away`() {
        let policy = AdmissionPolicy(limit: 1000, longestWait: 1e8)
        func isAdmitted(_ priority: CallPriority, _ count: Int) -> Bool {
            policy.decide(priority, load(high: count), remaining: 1e9) == .admit
        }
        #expect(isAdmitted(.high, 90) && !isAdmitted(.high, 110))
        #expect(isAdmitted(.normal, 70) && !isAdmitted(.normal, 80))
        #expect(isAdmitted(.low, 45) && !isAdmitted(.low, 55))
    }

    @Test func `a short line is let be, however slow the model`() {
        let policy = AdmissionPolicy(limit: 1000, longestWait: 1e6)
        #expect(policy.decide(.normal, load(normal: 11, each: 1e9), remaining: 1e12) == .admit)
        #expect(policy.decide(.normal, load(normal: 12, each: 1e9), remaining: 1e12) != .admit)
    }

    @Test func `what waits with lower priority does not keep higher ones out`() {
        let policy = AdmissionPolicy(limit: 1000, longestWait: 1e8)
        #expect(policy.decide(.high, load(low: 500), remaining: 1e9) == .admit)
        #expect(policy.decide(.low, load(low: 500), remaining: 1e9) != .admit)
    }

    @Test func `a full line makes room for a higher priority, and says when to come again`() {
        let policy = AdmissionPolicy(limit: 10, longestWait: 1e12)
        #expect(
            policy.decide(.high, load(low: 5, normal: 5), remaining: 1e9)
                == .admitInPlaceOf(.low))
        #expect(
            policy.decide(.high, load(normal: 10), remaining: 1e9) == .admitInPlaceOf(.normal))
        #expect(
            policy.decide(.normal, load(normal: 10, each: 5e8), remaining: 1e10)
                == .refuse(retryAfterSeconds: 5))
    }

    @Test func `who cannot be answered before the deadline is turned away at once`() {
        let policy = AdmissionPolicy(limit: 1000, longestWait: 1e9)
        #expect(policy.decide(.high, load(high: 20), remaining: 5e6) != .admit)
        #expect(policy.decide(.high, load(high: 20), remaining: 5e7) == .admit)
        // Nobody is there: it is tried.
        #expect(policy.decide(.high, load(running: 0), remaining: 1) == .admit)
    }

    @Test(arguments: 0..<20)
    func `at five times the capacity nine tenths of the peak are answered, and in time`(
        seed: Int
    ) {
        let cost = SimulatedModel.Cost(fixed: 2e6, each: 1e6)
        var peak = SimulatedModel(cost: cost, target: 1e8, seed: UInt64(seed))
        peak.run(arrivalsPerSecond: peak.capacity * 0.95, seconds: 20)
        var flood = SimulatedModel(cost: cost, target: 1e8, seed: UInt64(seed))
        flood.run(arrivalsPerSecond: peak.capacity * 5, seconds: 20)
        #expect(Double(flood.answered) >= 0.9 * Double(peak.answered))
        #expect(flood.percentile(0.99) < 2 * peak.percentile(0.99))
        #expect(flood.missedDeadlines == 0)
        // Those of high priority are a tenth of five times the capacity: nearly all of them fit.
        #expect(flood.shed[.high] <= flood.arrived[.high] / 20)
        #expect(flood.shed[.low] > flood.arrived[.low] * 3 / 4)
    }
}

/// One model behind the two policies, on simulated time. A tenth of the requests have high priority,
/// half of them low.
private struct SimulatedModel {
    struct Cost {
        let fixed: Double
        let each: Double
    }

    private struct Waiting {
        let priority: CallPriority
        let arrivedAt: Double
    }

    private let cost: Cost
    private let target: Double
    private let admission: AdmissionPolicy
    private let batching: BatchPolicy
    private var learned = CallCost()
    private var random: SplitMix64
    private var line: [CallPriority: [Waiting]] = [:]
    private var latencies: [Double] = []
    private(set) var arrived = PriorityCounts()
    private(set) var shed = PriorityCounts()
    private(set) var missedDeadlines = 0

    private static let deadline = 1e9

    init(cost: Cost, target: Double, seed: UInt64) {
        self.cost = cost
        self.target = target
        admission = AdmissionPolicy(limit: 1024, longestWait: target / 4)
        batching = BatchPolicy(maximumRows: 64, target: target)
        random = SplitMix64(seed: seed)
    }

    /// Requests a second with the largest batches that the target allows.
    var capacity: Double {
        let rows = min(64, ((target / 2 - cost.fixed) / cost.each).rounded(.down))
        return rows / (cost.fixed + cost.each * rows) * 1e9
    }

    var answered: Int { latencies.count }

    func percentile(_ fraction: Double) -> Double {
        let sorted = latencies.sorted()
        return sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * fraction)]
    }

    mutating func run(arrivalsPerSecond: Double, seconds: Double) {
        var now = 0.0
        var nextArrival = 0.0
        var freeAt = 0.0
        var running = 0
        var each = cost.fixed + cost.each
        while now < seconds * 1e9 {
            let counts = waitingCounts
            if freeAt <= nextArrival, counts.total > 0 || running > 0 {
                now = max(now, freeAt)
                running = 0
                guard counts.total > 0 else {
                    freeAt = .infinity
                    continue
                }
                let batch = takeBatch()
                let time = cost.fixed + cost.each * Double(batch.count)
                learned.record(rows: batch.count, nanoseconds: time)
                each += (time / Double(batch.count) - each) / 8
                running = batch.count
                freeAt = now + time
                for call in batch {
                    if freeAt - call.arrivedAt > Self.deadline { missedDeadlines += 1 }
                    latencies.append(freeAt - call.arrivedAt)
                }
                continue
            }
            now = nextArrival
            arrive(now, running: running, each: each)
            if running == 0 { freeAt = now }
            let chance = Double(random.next() >> 11) * 0x1p-53
            nextArrival = now - logarithm(1 - chance) / arrivalsPerSecond * 1e9
        }
    }

    private var waitingCounts: PriorityCounts {
        var counts = PriorityCounts()
        for (priority, calls) in line { counts[priority] = calls.count }
        return counts
    }

    private mutating func arrive(_ now: Double, running: Int, each: Double) {
        let priority: CallPriority =
            switch random.next() % 10 {
            case 0: .high
            case 1...5: .low
            default: .normal
            }
        arrived[priority] += 1
        let load = AdmissionPolicy.Load(
            waiting: waitingCounts, running: running, runners: 1, nanosecondsEach: each)
        switch admission.decide(priority, load, remaining: Self.deadline) {
        case .refuse:
            shed[priority] += 1
            return
        case .admitInPlaceOf(let lower):
            line[lower]?.removeLast()
            shed[lower] += 1
        case .admit: break
        }
        line[priority, default: []].append(Waiting(priority: priority, arrivedAt: now))
    }

    private mutating func takeBatch() -> [Waiting] {
        var batch: [Waiting] = []
        let limit = batching.rowLimit(learned)
        for priority in CallPriority.allCases.reversed() {
            while batch.count < limit, let first = line[priority]?.first {
                batch.append(first)
                line[priority]?.removeFirst()
            }
        }
        return batch
    }

    /// The natural logarithm, without a mathematics library: the series of the inverse hyperbolic
    /// tangent after halving into its quick range.
    private func logarithm(_ value: Double) -> Double {
        var (rest, halvings) = (value, 0.0)
        while rest < 0.5 {
            rest *= 2
            halvings += 1
        }
        let ratio = (rest - 1) / (rest + 1)
        var (term, sum) = (ratio, 0.0)
        for index in stride(from: 1, through: 41, by: 2) {
            sum += term / Double(index)
            term *= ratio * ratio
        }
        return 2 * sum - halvings * 0.693147180559945
    }
}
