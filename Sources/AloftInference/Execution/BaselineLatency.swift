import AloftDomain
package import NIOCore

/// How long requests take while no more come than can be answered: their 99th percentile over the
/// last minute or so of such traffic.
///
/// Latencies are counted in classes of which eight double the time, so it is known to a tenth. A second in
/// which more came than could be answered does not count, nor does the one before it, in which the queue
/// grew.
package struct BaselineLatency: Sendable {
    private struct Second {
        var counts = [Double](repeating: 0, count: BaselineLatency.classes)
        var isEmpty = true
    }

    /// Nanoseconds, the middle of the class in which it lies; `nil` before there are enough to tell.
    package private(set) var percentile99Nanoseconds: Double?
    private var counts = [Double](repeating: 0, count: Self.classes)
    private var current = Second()
    private var last = Second()
    private var began = NIODeadline.uptimeNanoseconds(0)

    private static let classes = perOctave * 24
    private static let perOctave = 8
    /// Nanoseconds of the first class; what is quicker is in it too.
    private static let shortestNanoseconds = 1e5
    /// What is left of a second's weight after the next.
    private static let memory = 0.98
    /// So many requests tell a 99th percentile.
    private static let fewest = 100.0

    package init() {}

    package mutating func record(_ nanoseconds: Double, _ now: NIODeadline) {
        if now - began >= .seconds(1) {
            began = now
            add(last)
            (last, current) = (current, Second())
        }
        let times = min(max(1, nanoseconds / Self.shortestNanoseconds), 0x1p40)
        let place = Int(
            // traps: a constant
            bounded: Double(Self.perOctave) * Self.binaryLogarithm(times), 0...(Self.classes - 1))
        current.counts[min(place, Self.classes - 1)] += 1
        current.isEmpty = false
    }

    /// More comes than can be answered: what came lately is not usual.
    package mutating func forgetLatest(_ now: NIODeadline) {
        began = now
        if !last.isEmpty { last = Second() }
        if !current.isEmpty { current = Second() }
    }

    private mutating func add(_ second: Second) {
        guard !second.isEmpty else { return }
        for index in counts.indices {
            counts[index] = counts[index] * Self.memory + second.counts[index]
        }
        percentile99Nanoseconds = Self.percentile99Nanoseconds(counts)
    }

    private static func percentile99Nanoseconds(_ counts: [Double]) -> Double? {
        let total = counts.reduce(0, +)
        guard total >= fewest else { return nil }
        var above = total / 100
        let place = counts.lastIndex { count in
            above -= count
            return above < 0
        }
        return place.map { shortestNanoseconds * middle($0) }
    }

    /// Of a class, in times the shortest: the inverse of `binaryLogarithm`.
    private static func middle(_ place: Int) -> Double {
        let (octave, part) = place.quotientAndRemainder(dividingBy: perOctave)
        return Double(1 << octave) * (1 + (Double(part) + 0.5) / Double(perOctave))
    }

    /// A straight line between the powers of two; at most 0.09 beside the logarithm.
    private static func binaryLogarithm(_ value: Double) -> Double {
        Double(value.exponent) + value.significand - 1
    }
}
