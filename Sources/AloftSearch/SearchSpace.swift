package import AloftDomain
import Foundation

/// The dimensions of a sweep, with the arithmetic that every method needs.
package struct SearchSpace: Sendable, Codable, Equatable {
    let dimensions: [SearchDimension]

    package init(_ dimensions: [SearchDimension]) { self.dimensions = dimensions }

    /// How many different points there are; `nil` where they cannot be counted.
    var cardinality: Int? {
        var size = 1
        for dimension in dimensions {
            guard let count = dimension.domain.cardinality,
                case let (product, overflow) = size.multipliedReportingOverflow(by: count),
                !overflow
            else { return nil }
            size = product
        }
        return size
    }

    func randomPoint(using chance: inout SplitMix64) -> [ParameterValue] {
        dimensions.map { dimension in
            switch dimension.domain {
            case .choice(let values): values[Int(chance.unit() * Double(values.count))]
            case .real, .integer:
                Axis(dimension.domain).map { $0.value(at: $0.uniform(using: &chance)) } ?? .int(0)
            }
        }
    }

    /// Whether every point of a finite space is in the history.
    func isExhausted(by history: [Observation]) -> Bool {
        guard let cardinality, cardinality <= history.count else { return false }
        return Set(history.map(\.point)).count >= cardinality
    }

    /// `draw` until it gives a point that is not in the history, a hundred times at most: a script
    /// that is asked twice for one point seldom has anything to add. `nil` where none is left.
    func freshPoint(
        after history: [Observation], draw: () -> [ParameterValue]
    ) -> [ParameterValue]? {
        guard !isExhausted(by: history) else { return nil }
        var point = draw()
        guard cardinality != nil else { return point }
        let tried = Set(history.map(\.point))
        for _ in 0..<100 where tried.contains(point) { point = draw() }
        return tried.contains(point) ? firstUntried(tried) : point
    }

    /// The first point in the grid's order that was not tried. Few are left when this is asked.
    private func firstUntried(_ tried: Set<[ParameterValue]>) -> [ParameterValue]? {
        var grid = GridSearch(space: self)
        while let point = grid.next() {
            if !tried.contains(point) { return point }
        }
        return nil
    }
}

/// A number's dimension on the scale where the search works: the logarithm for a log scale. Whole
/// and stepped values stand for the stretch of half a step to either side of them.
struct Axis {
    /// The ends of the scale, with the outer half steps.
    let low: Double
    let high: Double
    let isLog: Bool
    /// The values that exist, on the plain scale.
    private let first: Double
    private let last: Double
    /// 0: every number.
    let step: Double
    private let isWhole: Bool

    /// `nil` for a choice.
    init?(_ domain: SearchDimension.Domain) {
        switch domain {
        case .choice: return nil
        case .real(let low, let high, let log, let step):
            isLog = log
            self.step = step ?? 0
            first = low
            last = step.map { low + (((high - low) / $0) + 1e-9).rounded(.down) * $0 } ?? high
            isWhole = false
        case .integer(let low, let high, let log, let step):
            isLog = log
            self.step = Double(step)
            first = Double(low)
            last = Double(low + (high - low) / step * step)
            isWhole = true
        }
        low = isLog ? log(first - step / 2) : first - step / 2
        high = isLog ? log(last + step / 2) : last + step / 2
    }

    var span: Double { high - low }

    func uniform(using chance: inout SplitMix64) -> Double { low + chance.unit() * span }

    /// The value nearest to a place on the scale, within the bounds.
    func value(at place: Double) -> ParameterValue {
        var number = isLog ? exp(place) : place
        if step > 0 { number = first + ((number - first) / step).rounded() * step }
        number = min(max(number, first), last)
        return isWhole ? .int(Int(number.rounded())) : .double(number)
    }

    /// The place of a value on the scale; the middle for what is no number.
    func place(of value: ParameterValue) -> Double {
        let number: Double
        switch value {
        case .int(let whole): number = Double(whole)
        case .double(let real): number = real
        case .bool, .text: return (low + high) / 2
        }
        return min(max(isLog ? log(number) : number, low), high)
    }

    /// The stretch of the scale that a value stands for; `nil` where every number is its own value.
    func stretch(of value: ParameterValue) -> ClosedRange<Double>? {
        guard step > 0 else { return nil }
        let number = isLog ? exp(place(of: value)) : place(of: value)
        let ends = (number - step / 2, number + step / 2)
        let scaled = isLog ? (log(max(ends.0, step / 2)), log(ends.1)) : ends
        return max(scaled.0, low)...max(min(scaled.1, high), max(scaled.0, low))
    }
}

extension SplitMix64 {
    /// At least 0 and below 1, in steps of 2⁻⁵³.
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
