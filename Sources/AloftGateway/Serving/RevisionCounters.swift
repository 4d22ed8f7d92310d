import AloftDomain
import Synchronization

/// What one revision answered since it was loaded, counted by each event loop on its own line of
/// memory. Only loop `n` writes block `n`, so it needs no locked instruction; anybody may read.
// @unchecked: the memory holds atomics only.
final class RevisionCounters: @unchecked Sendable {
    private typealias Cell = Atomic<UInt64>

    /// Requests, errors, callers' errors, those turned away, those that only this one of a rollout's two
    /// refuses, then the buckets of the latencies and of the scores.
    private static let cellCount = firstScore + ScoreHistogram.bucketCount
    private static let firstLatency = 5
    private static let firstScore = firstLatency + LatencyHistogram.bucketCount

    private let cells: UnsafeMutablePointer<Cell>
    private let loops: Int

    init(loops: Int) {
        self.loops = loops
        cells = .allocate(capacity: loops * Self.cellCount)
        // traps: the number of event loops, at least one
        for index in 0..<loops * Self.cellCount { (cells + index).initialize(to: Cell(0)) }
    }

    deinit {
        cells.deinitialize(count: loops * Self.cellCount)
        cells.deallocate()
    }

    func answered(loop: Int, microseconds: Double) {
        bump(loop, 0)
        bump(loop, Self.firstLatency + LatencyHistogram.bucket(microseconds: microseconds))
    }

    /// What an answer said.
    func scored(loop: Int, score: Double) {
        bump(loop, Self.firstScore + ScoreHistogram.bucket(score))
    }

    /// The revision failed on a request.
    func failed(loop: Int) {
        bump(loop, 0)
        bump(loop, 1)
    }

    /// The caller got it wrong.
    func refused(loop: Int) { bump(loop, 2) }

    /// Too many waited for the model.
    func turnedAway(loop: Int) { bump(loop, 3) }

    /// What it refused the other revision would have taken.
    func contested(loop: Int) { bump(loop, 4) }

    @inline(__always)
    private func bump(_ loop: Int, _ cell: Int) {
        let atomic = cells + loop * Self.cellCount + cell
        atomic.pointee.store(atomic.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    struct Reading: Sendable {
        var requests: UInt64 = 0
        var errors: UInt64 = 0
        var refused: UInt64 = 0
        var turnedAway: UInt64 = 0
        var contested: UInt64 = 0
        var latency = LatencyHistogram()
        var scores = ScoreHistogram()
    }

    func read() -> Reading {
        var reading = Reading()
        var buckets = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
        var scores = [UInt64](repeating: 0, count: ScoreHistogram.bucketCount)
        // traps: the number of event loops, at least one
        for loop in 0..<loops {
            let block = cells + loop * Self.cellCount
            reading.requests += block[0].load(ordering: .relaxed)
            reading.errors += block[1].load(ordering: .relaxed)
            reading.refused += block[2].load(ordering: .relaxed)
            reading.turnedAway += block[3].load(ordering: .relaxed)
            reading.contested += block[4].load(ordering: .relaxed)
            for bucket in buckets.indices {
                buckets[bucket] += block[Self.firstLatency + bucket].load(ordering: .relaxed)
            }
            for bucket in scores.indices {
                scores[bucket] += block[Self.firstScore + bucket].load(ordering: .relaxed)
            }
        }
        reading.latency = LatencyHistogram(counts: buckets)
        reading.scores = ScoreHistogram(counts: scores)
        return reading
    }
}
