import AloftDomain
import Foundation

/// A density over one dimension, fitted to the values of some trials.
protocol DensityEstimate {
    func draw(using chance: inout SplitMix64) -> ParameterValue
    /// The logarithm of the density, or of the probability where values can be counted.
    func logDensity(at value: ParameterValue) -> Double
}

/// How much each trial counts, oldest first, the prior last: the newest 25 fully, older ones the
/// less the older they are.
private func kernelWeights(_ count: Int) -> [Double] {
    let full = 25
    let old = max(0, count - full)
    let ramp = (0..<old).map { index in
        let floor = 1 / Double(count)
        return floor + (1 - floor) * Double(index) / Double(max(1, old - 1))
    }
    let weights = ramp + Array(repeating: 1, count: count - old) + [1]
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
}

/// A mixture of normal densities cut off at the ends of the axis: one at each value, as wide as the
/// gap to its farther neighbour, and a prior over the whole axis.
struct ParzenEstimate: DensityEstimate {
    private struct Kernel {
        let weight: Double
        let centre: Double
        let width: Double
        /// The normal distribution's mass below the axis and up to its end.
        let below: Double
        let upTo: Double
    }

    private let axis: Axis
    private let kernels: [Kernel]

    init(_ axis: Axis, _ values: [ParameterValue]) {
        self.axis = axis
        let centres = values.map(axis.place) + [(axis.low + axis.high) / 2]
        let order = centres.indices.sorted { (centres[$0], $0) < (centres[$1], $1) }
        var widths = centres.map { _ in axis.span }
        let narrowest = axis.span / Double(min(100, centres.count + 1))
        for (rank, index) in order.enumerated() where index != centres.count - 1 {
            let before = rank > 0 ? centres[order[rank - 1]] : axis.low
            let after = rank + 1 < order.count ? centres[order[rank + 1]] : axis.high
            let gap = max(centres[index] - before, after - centres[index])
            widths[index] = min(max(gap, narrowest), axis.span)
        }
        kernels = zip(kernelWeights(values.count), zip(centres, widths)).map { weight, kernel in
            let (centre, width) = kernel
            return Kernel(
                weight: weight, centre: centre, width: width,
                below: Normal.mass(below: (axis.low - centre) / width),
                upTo: Normal.mass(below: (axis.high - centre) / width))
        }
    }

    func draw(using chance: inout SplitMix64) -> ParameterValue {
        var rest = chance.unit()
        var chosen = kernels[kernels.count - 1]
        for kernel in kernels {
            rest -= kernel.weight
            if rest < 0 {
                chosen = kernel
                break
            }
        }
        let mass = chosen.below + chance.unit() * (chosen.upTo - chosen.below)
        let place = chosen.centre + chosen.width * Normal.quantile(mass)
        return axis.value(at: min(max(place, axis.low), axis.high))
    }

    func logDensity(at value: ParameterValue) -> Double {
        let place = axis.place(of: value)
        let stretch = axis.stretch(of: value)
        let density = kernels.reduce(0) { sum, kernel in
            let whole = kernel.upTo - kernel.below
            let part: Double
            if let stretch {
                part =
                    Normal.mass(below: (stretch.upperBound - kernel.centre) / kernel.width)
                    - Normal.mass(below: (stretch.lowerBound - kernel.centre) / kernel.width)
            } else {
                part = Normal.density(at: (place - kernel.centre) / kernel.width) / kernel.width
            }
            return sum + kernel.weight * part / whole
        }
        return log(max(density, .leastNormalMagnitude))
    }
}

/// Counts of each value, with a prior that gives all the same.
struct CategoricalEstimate: DensityEstimate {
    private let values: [ParameterValue]
    private let probabilities: [Double]

    init(_ values: [ParameterValue], _ seen: [ParameterValue]) {
        self.values = values
        let weights = kernelWeights(seen.count)
        let prior = (weights.last ?? 1) / Double(values.count)
        var probabilities = values.map { _ in prior }
        for (value, weight) in zip(seen, weights) {
            if let index = values.firstIndex(of: value) { probabilities[index] += weight }
        }
        let sum = probabilities.reduce(0, +)
        self.probabilities = probabilities.map { $0 / sum }
    }

    func draw(using chance: inout SplitMix64) -> ParameterValue {
        var rest = chance.unit()
        for (value, probability) in zip(values, probabilities) {
            rest -= probability
            if rest < 0 { return value }
        }
        return values[values.count - 1]
    }

    func logDensity(at value: ParameterValue) -> Double {
        values.firstIndex(of: value).map { log(probabilities[$0]) } ?? -.infinity
    }
}
