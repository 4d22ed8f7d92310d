import Foundation

/// A condition on what was measured: `val_auc >= 0.65`, `parity <= 1e-4`, `latency_p99 <= 10ms`,
/// `error_rate > 1%`, `val_auc >= production.val_auc - 0.002`.
///
/// Durations count as seconds and percentages as fractions.
package struct CheckExpression: Sendable, Hashable {
    package enum Comparison: String, Sendable, Hashable, CaseIterable {
        case atMost = "<="
        case atLeast = ">="
        case equal = "=="
        case unequal = "!="
        case less = "<"
        case greater = ">"

        package func holds(_ left: Double, _ right: Double) -> Bool {
            switch self {
            case .atMost: left <= right
            case .atLeast: left >= right
            case .equal: left == right
            case .unequal: left != right
            case .less: left < right
            case .greater: left > right
            }
        }
    }

    /// What a number of the expression is written in, and how its values are shown.
    package enum Unit: Sendable, Hashable { case number, seconds, fraction }

    /// The right-hand side.
    package enum Bound: Sendable, Hashable {
        case constant(Double)
        /// A metric of the version that serves in `environment` now, changed a little.
        case other(environment: String, metric: String, Adjustment)
    }

    package enum Adjustment: Sendable, Hashable {
        case none
        /// Added; negative for `-`.
        case plus(Double)
        case times(Double)

        package func apply(to value: Double) -> Double {
            switch self {
            case .none: value
            case .plus(let amount): value + amount
            case .times(let factor): value * factor
            }
        }
    }

    /// As written in the file.
    package let source: String
    package let metric: String
    package let comparison: Comparison
    package let bound: Bound
    package let unit: Unit

    /// What is wrong with an expression, as a sentence.
    package struct Malformed: Error, Equatable { package let message: String }

    package init(_ source: String) throws(Malformed) {
        var parser = CheckParser(source)
        let parts = try parser.parse()
        self.source = source
        metric = parts.metric
        comparison = parts.comparison
        bound = parts.bound
        unit = parts.unit
    }
}

extension CheckExpression {
    /// What a check came to.
    package enum Verdict: Sendable, Equatable {
        case held(left: Double, right: Double)
        case failed(left: Double, right: Double)
        /// The metric was not measured; `environment` is `nil` for the version under test.
        case unknown(metric: String, environment: String?)

        package var hasHeld: Bool { if case .held = self { true } else { false } }
    }

    /// Compares what `value` gives for a metric of the version under test (`environment` is `nil`) or
    /// of the version that serves in an environment. Latencies are expected in seconds. What is not
    /// a number holds no comparison.
    package func verdict(
        value: (_ metric: String, _ environment: String?) -> Double?
    ) -> Verdict {
        guard let left = value(metric, nil) else {
            return .unknown(metric: metric, environment: nil)
        }
        let right: Double
        switch bound {
        case .constant(let constant):
            right = constant
        case .other(let environment, let metric, let adjustment):
            guard let other = value(metric, environment) else {
                return .unknown(metric: metric, environment: environment)
            }
            right = adjustment.apply(to: other)
        }
        return !left.isNaN && !right.isNaN && comparison.holds(left, right)
            ? .held(left: left, right: right) : .failed(left: left, right: right)
    }

    /// A sentence with both numbers: `latency_p99 <= 10ms does not hold: 12.4ms against 10ms`.
    package func description(of verdict: Verdict) -> String {
        switch verdict {
        case .held(let left, let right):
            "\(source) holds: \(shown(left)) against \(shown(right))"
        case .failed(let left, let right):
            "\(source) does not hold: \(shown(left)) against \(shown(right))"
        case .unknown(let metric, nil):
            "\(source) cannot be decided: `\(metric)` was not measured"
        case .unknown(let metric, .some(let environment)):
            "\(source) cannot be decided: `\(metric)` of the version in \(environment) is not known"
        }
    }

    /// A value of this expression with its unit, at most five digits.
    package func shown(_ value: Double) -> String {
        func digits(_ number: Double) -> String { String(format: "%.5g", number) }
        switch unit {
        case .number: return digits(value)
        case .fraction: return digits(value * 100) + "%"
        case .seconds where abs(value) < 1e-3: return digits(value * 1e6) + "us"
        case .seconds where abs(value) < 1: return digits(value * 1e3) + "ms"
        case .seconds: return digits(value) + "s"
        }
    }

    /// 0.99 for `latency_p99`, 0.999 for `latency_p999`; `nil` where the metric is no latency.
    package var latencyFraction: Double? { Self.latencyFraction(metric) }

    package static func latencyFraction(_ metric: String) -> Double? {
        guard metric.hasPrefix("latency_p"), case let digits = metric.dropFirst(9),
            (2...4).contains(digits.count), let whole = Int(digits), whole > 0
        else { return nil }
        return Double(whole) / [2: 100.0, 3: 1000, 4: 10_000][digits.count, default: 100]
    }

    /// The environment whose version is compared with; `nil` for a constant.
    package var otherEnvironment: String? {
        if case .other(let environment, _, _) = bound { environment } else { nil }
    }
}

extension CheckExpression: CustomStringConvertible, Codable {
    package var description: String { source }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let source = try container.decode(String.self)
        do {
            try self.init(source)
        } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(source)
    }
}
