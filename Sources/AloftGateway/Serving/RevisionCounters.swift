import AloftDomain
import NIOCore
import Synchronization

/// What one revision answered since it was loaded, counted by each event loop on its own line of
/// memory. Only loop `n` writes block `n`, so it needs no locked instruction; anybody may read.
// @unchecked: the memory holds atomics only.
final class RevisionCounters: @unchecked Sendable {
    private typealias Cell = Atomic<UInt64>

    /// Requests, errors, callers' errors, those shed, those that only this one of a rollout's two
    /// refuses, nanoseconds (of good answers, of failures, from a request to its turn, in the model on
    /// the event loop), how many requests the last two are of, then the buckets of the latencies and,
    /// for each form of score, how many numbers make a row and the buckets of the scores.
    private static let cellCount = firstScore + forms.count * scoreCells
    private static let firstTime = 5
    private static let timedCount = firstTime + 4
    private static let firstLatency = timedCount + 1
    private static let firstScore = firstLatency + LatencyHistogram.bucketCount
    private static let scoreCells = 1 + ScoreHistogram.bucketCount
    private static let forms: [AnswerKind.Form] = [.labels, .texts, .number, .row]
    /// Rows of one form had several widths.
    private static let otherWidths = UInt64.max

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

    func answered(loop: Int, _ elapsed: TimeAmount) {
        bump(loop, 0)
        add(loop, Self.firstTime, elapsed)
        let microseconds = Double(elapsed.nanoseconds) / 1000
        bump(loop, Self.firstLatency + LatencyHistogram.bucket(microseconds: microseconds))
    }

    /// Whether the times of the next request on an event loop are to be told: of one in sixteen, the first
    /// among them.
    @inline(__always)
    func isTimed(loop: Int) -> Bool {
        (cells + loop * Self.cellCount).pointee.load(ordering: .relaxed) & 15 == 0
    }

    /// A request was read, and is the model's or its queue's.
    func read(loop: Int, _ elapsed: TimeAmount) {
        add(loop, Self.firstTime + 2, elapsed)
        bump(loop, Self.timedCount)
    }

    /// The model ran on the event loop.
    func ran(loop: Int, _ elapsed: TimeAmount) { add(loop, Self.firstTime + 3, elapsed) }

    /// What an answer said.
    func scored(loop: Int, _ score: AnswerNumbers.Score) {
        let first = Self.firstScore + Self.place(score.form) * Self.scoreCells
        bump(loop, first + 1 + ScoreHistogram.bucket(score.value))
        let width = cells + loop * Self.cellCount + first
        let (known, seen) = (
            width.pointee.load(ordering: .relaxed), UInt64(truncatingIfNeeded: score.width)
        )
        guard known != seen, known != Self.otherWidths else { return }
        width.pointee.store(known == 0 ? seen : Self.otherWidths, ordering: .relaxed)
    }

    @inline(__always)
    private static func place(_ form: AnswerKind.Form) -> Int {
        switch form {
        case .labels: 0
        case .texts, .untold: 1
        case .number: 2
        case .row: 3
        }
    }

    /// The revision failed on a request.
    func failed(loop: Int, _ elapsed: TimeAmount) {
        bump(loop, 0)
        bump(loop, 1)
        add(loop, Self.firstTime + 1, elapsed)
    }

    /// The caller got it wrong.
    func refused(loop: Int) { bump(loop, 2) }

    /// Too many waited for the model.
    func shed(loop: Int) { bump(loop, 3) }

    /// What it refused the other revision would have taken.
    func contested(loop: Int) { bump(loop, 4) }

    @inline(__always)
    private func add(_ loop: Int, _ cell: Int, _ elapsed: TimeAmount) {
        let atomic = cells + loop * Self.cellCount + cell
        let nanoseconds = UInt64(clamping: elapsed.nanoseconds)
        atomic.pointee.store(
            atomic.pointee.load(ordering: .relaxed) &+ nanoseconds, ordering: .relaxed)
    }

    @inline(__always)
    private func bump(_ loop: Int, _ cell: Int) {
        let atomic = cells + loop * Self.cellCount + cell
        atomic.pointee.store(atomic.pointee.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    struct Reading: Sendable {
        var requests: UInt64 = 0
        var errors: UInt64 = 0
        var refused: UInt64 = 0
        var shed: UInt64 = 0
        var contested: UInt64 = 0
        var answeredNanoseconds: UInt64 = 0
        var failedNanoseconds: UInt64 = 0
        /// The good answers that the next two are of.
        var timed: UInt64 = 0
        /// From requests to their turn.
        var readNanoseconds: UInt64 = 0
        /// In the model on event loops.
        var ranNanoseconds: UInt64 = 0
        var latency = LatencyHistogram()

        /// What a nanosecond of those that were timed stands for, where `requests` were answered. All of
        /// them together are not more than `whole` nanoseconds: those timed may have been slow ones, the
        /// first of a model is.
        func share(of requests: UInt64, within whole: UInt64) -> Double {
            let told = Double(readNanoseconds) + Double(ranNanoseconds)
            guard timed > 0, told > 0 else { return 0 }
            return min(Double(requests) / Double(timed), Double(whole) / told)
        }
    }

    func read() -> Reading {
        var reading = Reading()
        var buckets = [UInt64](repeating: 0, count: LatencyHistogram.bucketCount)
        // traps: the number of event loops, at least one
        for loop in 0..<loops {
            let block = cells + loop * Self.cellCount
            reading.requests += block[0].load(ordering: .relaxed)
            reading.errors += block[1].load(ordering: .relaxed)
            reading.refused += block[2].load(ordering: .relaxed)
            reading.shed += block[3].load(ordering: .relaxed)
            reading.contested += block[4].load(ordering: .relaxed)
            let times = block + Self.firstTime
            reading.answeredNanoseconds &+= times[0].load(ordering: .relaxed)
            reading.failedNanoseconds &+= times[1].load(ordering: .relaxed)
            reading.readNanoseconds &+= times[2].load(ordering: .relaxed)
            reading.ranNanoseconds &+= times[3].load(ordering: .relaxed)
            reading.timed += block[Self.timedCount].load(ordering: .relaxed)
            for bucket in buckets.indices {
                buckets[bucket] += block[Self.firstLatency + bucket].load(ordering: .relaxed)
            }
        }
        reading.latency = LatencyHistogram(counts: buckets)
        return reading
    }

    /// What its answers said.
    ///
    /// - Parameter output: the name of the output that real numbers come from, where that is the
    ///   model's own.
    func scores(output: String?) -> AnswerScores {
        var scores = AnswerScores()
        for (place, form) in Self.forms.enumerated() {
            let first = Self.firstScore + place * Self.scoreCells
            var buckets = [UInt64](repeating: 0, count: ScoreHistogram.bucketCount)
            var widths: Set<UInt64> = []
            // traps: the number of event loops, at least one
            for loop in 0..<loops {
                let block = cells + loop * Self.cellCount + first
                let width = block[0].load(ordering: .relaxed)
                if width > 0 { widths.insert(width) }
                for bucket in buckets.indices {
                    buckets[bucket] += block[1 + bucket].load(ordering: .relaxed)
                }
            }
            let width = widths.count == 1 ? widths.first.flatMap { Int(exactly: $0) } ?? 0 : 0
            let hasName = form == .number || form == .row
            let kind = AnswerKind(
                form: form, width: form == .row ? width : 1, output: hasName ? output : nil)
            scores.add(AnswerScores(kind, ScoreHistogram(counts: buckets)))
        }
        return scores
    }
}
