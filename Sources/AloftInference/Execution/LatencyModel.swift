import AloftDomain
package import NIOCore

/// The latency model: how quickly a model answers, as learned from its calls, and what runs at this moment.
package struct LatencyModel {
    private struct Run {
        let number: Int
        let requests: Int
        let expectedEnd: NIODeadline
    }

    var policy: BatchPolicy
    private let runners: Int
    private var learned = BatchCostModel()
    private var runs: [Run] = []
    private var lastNumber = 0
    /// Of a request, smoothed.
    private var rows = 1.0
    /// Of a row, smoothed.
    private var elements: Double
    /// The part of a full batch, or of what waits where that is less, that could be taken: where
    /// requests are of many forms, few of them go together.
    private var fill = 1.0
    /// Time that passes for each of processor time, smoothed.
    private var stretch = 1.0
    private var usual = BaselineLatency()

    private static let smoothing = 0.125

    /// - Parameters:
    ///   - loneNanoseconds: what a call of one row takes, measured many times.
    ///   - loneElements: how many elements that row has.
    package init(policy: BatchPolicy, runners: Int, loneNanoseconds: Double, loneElements: Int) {
        self.policy = policy
        self.runners = runners
        elements = Double(max(1, loneElements))
        learned.record(size: loneElements, nanoseconds: loneNanoseconds, calls: 50)
    }

    package func cost(ofRowsLike tensors: TensorSet) -> BatchCost {
        cost(elements: Double(tensors.elementCount) / Double(max(1, tensors.rowCount)))
    }

    private func cost(elements: Double) -> BatchCost {
        let cost = learned.ofRows(elements: elements)
        return BatchCost(
            fixedNanoseconds: cost.fixedNanoseconds * stretch,
            eachNanoseconds: cost.eachNanoseconds * stretch)
    }

    /// The most rows of the next call. Under overload one call in eight may have twice as many as keep
    /// most of the throughput, or what is known of longer ones would never be seen to be wrong.
    package func rowLimit(_ cost: BatchCost, isOverloaded: Bool) -> Int {
        let limit = usualLimit(cost, isOverloaded: isOverloaded)
        guard isOverloaded, lastNumber % 8 == 7 else { return limit }
        let twice = 2 * policy.rowLimit(cost, isOverloaded: true)
        return max(limit, min(policy.rowLimit(cost), twice))
    }

    /// The same for calls that are not the eighth. Under overload so many rows as keep most of the
    /// throughput, and as many more as nobody notices who is used to what requests take otherwise.
    private func usualLimit(_ cost: BatchCost, isOverloaded: Bool) -> Int {
        guard isOverloaded else { return policy.rowLimit(cost) }
        let enough = policy.rowLimit(cost, isOverloaded: true)
        return max(enough, min(policy.rowLimit(cost), unnoticed(cost)))
    }

    private func unnoticed(_ cost: BatchCost) -> Int {
        guard let usual = usual.percentile99Nanoseconds, cost.eachNanoseconds > 0 else { return 1 }
        return Int(
            bounded: (Self.noticed * usual - cost.fixedNanoseconds) / cost.eachNanoseconds,
            1...1_000_000)
    }

    /// Of the usual 99th percentile, what a call may take: two of them, one to wait for and the own,
    /// stay below twice the percentile, with room for those that take longer than expected.
    private static let noticed = 0.75

    /// Requests were answered that came then.
    ///
    /// - Parameter isOverloaded: more come than can be answered.
    package mutating func answered(
        _ came: some Sequence<NIODeadline>, _ now: NIODeadline, isOverloaded: Bool
    ) {
        if isOverloaded { return usual.forgetLatest(now) }
        for time in came { usual.record(Double((now - time).nanoseconds), now) }
    }

    /// Requests in the model.
    package var running: Int { runs.reduce(0) { $0 + $1.requests } }

    /// Calls were taken out of a queue and begin to run.
    ///
    /// - Parameters:
    ///   - count: how many waited, these among them.
    ///   - limit: the most rows they might have had.
    /// - Returns: the number to end the run with.
    package mutating func begin(
        _ calls: [QueuedRequest], ofWaiting count: Int, _ limit: Int, _ cost: BatchCost,
        _ now: NIODeadline
    ) -> Int {
        lastNumber += 1
        let taken = calls.reduce(0) { $0 + $1.request.tensors.rowCount }
        let size = calls.reduce(0) { $0 + $1.request.tensors.elementCount }
        let each = Double(calls.count)
        rows += (Double(taken) / each - rows) * Self.smoothing
        elements += (Double(size) / Double(max(1, taken)) - elements) * Self.smoothing
        let possible = max(each, min(Double(count), Double(limit) / max(rows, 1)))
        fill += (each / possible - fill) * Self.smoothing
        let time = cost.nanoseconds(rows: taken)
        runs.append(
            Run(
                number: lastNumber, requests: calls.count,
                expectedEnd: now + .nanoseconds(Int64(bounded: time, 0...1_000_000_000_000_000))))
        return lastNumber
    }

    /// What a batch costs is learned in processor time: where the processor is shared with reading and
    /// refusing requests, that would look like a cost of batches.
    ///
    /// - Parameters:
    ///   - size: elements of the inputs that went in as one call; 0 where they did not.
    ///   - elapsedNanoseconds: that passed.
    ///   - cpuNanoseconds: that the thread ran.
    package mutating func ended(
        _ number: Int, size: Int, elapsedNanoseconds: Double, cpuNanoseconds: Double
    ) {
        runs.removeAll { $0.number == number }
        guard size > 0, cpuNanoseconds > 0 else { return }
        learned.record(size: size, nanoseconds: cpuNanoseconds)
        stretch +=
            (max(1, min(100, elapsedNanoseconds / cpuNanoseconds)) - stretch) * Self.smoothing
    }

    package func estimate(_ now: NIODeadline, isOverloaded: Bool) -> AdmissionPolicy.LatencyEstimate
    {
        var nanosecondsUntilFree = 0.0
        if runs.count >= runners, let end = runs.lazy.map(\.expectedEnd).min() {
            nanosecondsUntilFree = max(1, Double((end - now).nanoseconds))
        }
        let cost = cost(elements: elements)
        let rows = max(rows, 1)
        let full = Double(usualLimit(cost, isOverloaded: isOverloaded)) / rows
        let requests = max(1, full * fill)
        return AdmissionPolicy.LatencyEstimate(
            nanosecondsUntilFree: nanosecondsUntilFree, runners: runners, batchRequests: requests,
            batchNanoseconds: cost.fixedNanoseconds + cost.eachNanoseconds * requests * rows,
            loneNanoseconds: cost.fixedNanoseconds + cost.eachNanoseconds * rows)
    }
}
