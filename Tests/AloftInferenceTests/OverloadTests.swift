import AloftDomain
import AloftInference
import NIOCore
import Testing

/// The queue for a model under more requests than it can answer, on simulated time.
@Suite struct OverloadTests {
    /// What a call takes in milliseconds: a fixed part, in which some rows are free, and one for each
    /// further row. Where there are free ones no line through all sizes says what a call costs.
    static let models: [SimulatedCost] = [
        SimulatedCost(5, 2.8), SimulatedCost(2, 1.4), SimulatedCost(5, 1), SimulatedCost(1, 5),
        SimulatedCost(20, 2), SimulatedCost(100, 10), SimulatedCost(0.5, 0.5), SimulatedCost(0, 3),
        SimulatedCost(6, 1.4, free: 4), SimulatedCost(2, 0.5, free: 3),
    ]

    @Test(arguments: models.indices, [2.0, 5.0])
    func `more than the capacity is answered as quickly as nearly all of it`(
        model: Int, times: Double
    ) {
        let cost = Self.models[model]
        for (seed, knowsUsual) in [(1, false), (2, false), (1, true), (2, true)] {
            var normal = QueueSimulation(cost, seed: UInt64(seed))
            let peak = normal.peak(clients: 16)
            normal.run(arrivalsPerSecond: 0.8 * peak)
            var flood =
                knowsUsual ? normal : QueueSimulation(cost, seed: UInt64(seed))
            flood.run(arrivalsPerSecond: times * peak)
            let comment = Comment(
                rawValue:
                    "\(flood.answeredPerSecond) of \(peak), p99 \(flood.percentile(0.99)) and "
                    + "\(normal.percentile(0.99)) ms")
            #expect(flood.answeredPerSecond >= 0.9 * peak, comment)
            // A gateway that never saw usual traffic takes all models for lines.
            let limit = knowsUsual || cost.free == 0 ? 2 : 2.2
            #expect(flood.percentile(0.99) < limit * normal.percentile(0.99), comment)
            #expect(flood.missedDeadlines == 0)
            // Who is let in and then displaced was read in vain.
            #expect(flood.displaced * 10 < flood.answered.total * 3)
            // Those of high priority are a tenth, so nearly all of them fit.
            #expect(flood.share(.high) > 0.75, comment)
            #expect(flood.share(.normal) > flood.share(.low), comment)
            #expect(normal.share(.high) > 0.99 && normal.share(.low) > 0.6, comment)
        }
    }

    @Test(arguments: models.indices)
    func `a little more than the capacity does not cost much of it`(model: Int) {
        let cost = Self.models[model]
        var queue = QueueSimulation(cost, seed: 1)
        let peak = queue.peak(clients: 16)
        queue.run(arrivalsPerSecond: 1.2 * peak)
        #expect(queue.answeredPerSecond >= 0.78 * peak)
        #expect(queue.share(.high) > 0.95)
    }

    @Test func `calls of many lengths keep to their wait, and each is answered`() {
        var normal = QueueSimulation(SimulatedCost(2, 1), lengths: [1, 2, 3, 4], seed: 1)
        let peak = normal.peak(clients: 4) / 2
        normal.run(arrivalsPerSecond: 0.8 * peak)
        var flood = QueueSimulation(SimulatedCost(2, 1), lengths: [1, 2, 3, 4], seed: 1)
        flood.run(arrivalsPerSecond: 5 * peak)
        #expect(flood.percentile(0.99) < 2 * normal.percentile(0.99))
        #expect(flood.answeredPerSecond > normal.answeredPerSecond)
    }
}

struct SimulatedCost: Sendable {
    var fixed: Double
    var each: Double
    var free: Double

    init(_ fixed: Double, _ each: Double, free: Double = 0) {
        (self.fixed, self.each, self.free) = (fixed, each, free)
    }

    func milliseconds(rows: Double) -> Double { fixed + each * max(0, rows - free) }
}

/// One model behind its queue, with the very parts that `DynamicBatcher` has. A tenth of the requests have high
/// priority, half of them low.
private struct QueueSimulation {
    private let cost: SimulatedCost
    private let requests: [InferenceRequest]
    private let signature = ModelSignature(
        inputs: [TensorSignature(name: "x", datatype: .fp32, shape: [-1, -1])],
        outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])
    private let batching: BatchPolicy
    private var queue: RequestQueue
    private var latency: LatencyModel
    private var random: SplitMix64
    private var running: (calls: [QueuedRequest], number: Int, began: Double, end: Double)?
    private var latencies: [Double] = []
    private(set) var answered = PriorityCounts()
    private var arrived = PriorityCounts()
    private var measuredSeconds = 0.0
    private var measuredFrom = 0.0
    private var clock = 0.0
    private(set) var displaced = 0
    private(set) var missedDeadlines = 0

    private static let target = 100.0
    private static let deadline = 10_000.0
    private static let warmUp = 2_000.0

    init(_ cost: SimulatedCost, lengths: [Int] = [1], seed: UInt64) {
        self.cost = cost
        let lone = cost.milliseconds(rows: 1) * 1e6
        let target = max(Self.target * 1e6, 4 * lone)
        batching = BatchPolicy(maximumRows: 64, targetNanoseconds: target)
        queue = RequestQueue(policy: AdmissionPolicy(limit: 1024, targetNanoseconds: target))
        latency = LatencyModel(policy: batching, runners: 1, loneNanoseconds: lone, loneElements: 1)
        random = SplitMix64(seed: seed)
        requests = lengths.map { length in
            let request = InferenceRequest()
            request.wantedOutputs = [0]
            request.tensors.append(
                place: 0, datatype: .fp32, dimensions: [1, Int64(length)], elementCount: length,
                byteCount: 4 * length
            ).initializeMemory(as: UInt8.self, repeating: 0, count: 4 * length)
            return request
        }
    }

    /// Requests a second that so many clients get who ask again at once.
    func peak(clients: Int) -> Double {
        // What is free counts as less of the fixed part, as in a line through large batches.
        let most = batching.rowLimit(
            BatchCost(
                fixedNanoseconds: max(0, cost.fixed - cost.each * cost.free) * 1e6,
                eachNanoseconds: cost.each * 1e6))
        let rows = Double(min(clients, most))
        return rows / cost.milliseconds(rows: rows) * 1000
    }

    var answeredPerSecond: Double { Double(latencies.count) / measuredSeconds }

    func share(_ priority: RequestPriority) -> Double {
        Double(answered[priority]) / Double(max(1, arrived[priority]))
    }

    /// Milliseconds.
    func percentile(_ fraction: Double) -> Double {
        let sorted = latencies.sorted()
        return sorted.isEmpty ? 0 : sorted[Int(Double(sorted.count - 1) * fraction)]
    }

    /// Until so many have come; from where the last run ended. Only this one is measured.
    mutating func run(arrivalsPerSecond: Double, arrivals: Double = 6000) {
        let seconds = arrivals / arrivalsPerSecond
        measuredSeconds = seconds
        measuredFrom = clock + Self.warmUp
        (latencies, answered, arrived) = ([], PriorityCounts(), PriorityCounts())
        displaced = 0
        let end = measuredFrom + seconds * 1000
        var arrival = clock
        defer { clock = arrival }
        while arrival < end {
            while let run = running, run.end <= arrival { finish(at: run.end) }
            arrive(at: arrival)
            arrival += -logarithm(1 - point()) / arrivalsPerSecond * 1000
        }
        while let run = running { finish(at: run.end) }
    }

    private mutating func point() -> Double { Double(random.next() >> 11) * 0x1p-53 }

    /// Not at 0, which is before all clocks.
    private func deadline(_ milliseconds: Double) -> NIODeadline {
        .uptimeNanoseconds(UInt64((milliseconds + 10_000) * 1e6))
    }

    private mutating func arrive(at time: Double) {
        let priority: RequestPriority =
            switch random.next() % 10 {
            case 0: .high
            case 1...5: .low
            default: .normal
            }
        let isMeasured = time > measuredFrom
        if isMeasured { arrived[priority] += 1 }
        let request = requests[Int(random.next() % UInt64(requests.count))]
        let now = deadline(time)
        let call = QueuedRequest(
            request: request, reply: TensorSet(), priority: priority,
            deadline: deadline(time + Self.deadline), deadlineMilliseconds: Int(Self.deadline),
            queuedAt: now, finish: { _ in })
        let reading = latency.estimate(now, isOverloaded: queue.isOverloaded(now))
        guard case .waits(let gone) = queue.join(call, reading, now: now) else { return }
        if isMeasured { displaced += gone.count }
        if running == nil { begin(at: time) }
    }

    private mutating func begin(at time: Double) {
        guard let first = queue.waiting.calls.first else { return }
        let now = deadline(time)
        let cost = latency.cost(ofRowsLike: first.request.tensors)
        let limit = latency.rowLimit(cost, isOverloaded: queue.isOverloaded(now))
        let waiting = queue.waiting.counts.total
        let calls = queue.take(
            at: TensorBatch.alike(queue.waiting.calls, rows: limit, signature: signature))
        let number = latency.begin(calls, ofWaiting: waiting, limit, cost, now)
        // No machine takes the same time twice.
        let noise = 0.85 + 0.3 * point()
        running = (calls, number, time, time + self.cost.milliseconds(rows: size(calls)) * noise)
    }

    private func size(_ calls: [QueuedRequest]) -> Double {
        Double(calls.reduce(0) { $0 + $1.request.tensors.elementCount })
    }

    private mutating func finish(at time: Double) {
        guard let run = running else { return }
        running = nil
        latency.ended(
            run.number, size: Int(size(run.calls)), elapsedNanoseconds: (time - run.began) * 1e6,
            cpuNanoseconds: (time - run.began) * 1e6)
        let now = deadline(time)
        latency.answered(
            run.calls.map(\.queuedAt), now, isOverloaded: queue.isOverloaded(now))
        for call in run.calls {
            let came = Double(call.queuedAt.uptimeNanoseconds) / 1e6 - 10_000
            if time - came > Self.deadline { missedDeadlines += 1 }
            guard came > measuredFrom else { continue }
            latencies.append(time - came)
            answered[call.priority] += 1
        }
        begin(at: time)
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
