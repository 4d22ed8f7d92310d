/// One measured value of one metric. The latest of a series is the greatest by step, then
/// timestamp, then value.
package struct MetricPoint: Sendable, Hashable {
    /// NaN is a value like any other; infinities are stored as the largest finite numbers.
    package var value: Double
    /// Milliseconds since 1970.
    package var timestamp: Int64
    package var step: Int64

    package init(value: Double, timestamp: Int64, step: Int64) {
        self.value =
            value.isInfinite
            ? (value < 0 ? -.greatestFiniteMagnitude : .greatestFiniteMagnitude) : value
        self.timestamp = timestamp
        self.step = step
    }

    /// A number that orders values with NaN below all others.
    private var rank: Double { value.isNaN ? -.infinity : value }

    /// The order in which the latest is the last.
    package static func isEarlier(_ left: Self, _ right: Self) -> Bool {
        if left.step != right.step { return left.step < right.step }
        if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
        return left.rank < right.rank
    }

    /// The order in which a history is read: by timestamp, then step, then value.
    package static func isReadBefore(_ left: Self, _ right: Self) -> Bool {
        if left.timestamp != right.timestamp { return left.timestamp < right.timestamp }
        if left.step != right.step { return left.step < right.step }
        return left.rank < right.rank
    }

    /// Whether both say the same; two NaN do.
    package func isRepeat(of other: Self) -> Bool {
        step == other.step && timestamp == other.timestamp
            && (value == other.value || value.isNaN && other.value.isNaN)
    }
}

/// What a point was measured on, where its client says so.
package struct MetricContext: Sendable, Hashable {
    package var model: LoggedModelID?
    package var datasetName: String?
    package var datasetDigest: String?

    package init(
        model: LoggedModelID? = nil, datasetName: String? = nil, datasetDigest: String? = nil
    ) {
        self.model = model
        self.datasetName = datasetName
        self.datasetDigest = datasetDigest
    }

    package static let none = MetricContext()
}

/// Points of one metric with one context, in any order.
package struct MetricSeries: Sendable, Equatable {
    package var key: String
    package var context: MetricContext
    package var points: [MetricPoint]

    package init(key: String, context: MetricContext = .none, points: [MetricPoint]) {
        self.key = key
        self.context = context
        self.points = points
    }
}

/// A name with a text: a tag or a param.
package struct NamedText: Sendable, Hashable, Codable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }
}
