package import AloftDomain

/// Every point of a finite space once, the last dimension changing fastest.
package struct GridSearch: SearchMethod {
    private let space: SearchSpace
    private var index = 0

    package init(space: SearchSpace) { self.space = space }

    package mutating func suggest(after history: [Observation]) -> [ParameterValue]? { next() }

    mutating func next() -> [ParameterValue]? {
        var rest = index
        var point: [ParameterValue] = []
        for dimension in space.dimensions.reversed() {
            guard let count = dimension.domain.cardinality else { return nil }
            point.append(Self.value(rest % count, of: dimension.domain))
            rest /= count
        }
        guard rest == 0 else { return nil }
        index += 1
        return point.reversed()
    }

    private static func value(_ index: Int, of domain: SearchDimension.Domain) -> ParameterValue {
        switch domain {
        case .choice(let values): values[index]
        case .integer(let low, _, _, let step): .int(low + index * step)
        case .real(let low, let high, _, let step):
            .double(min(low + Double(index) * (step ?? 0), high))
        }
    }
}
