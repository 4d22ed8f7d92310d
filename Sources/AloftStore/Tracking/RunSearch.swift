package import AloftDomain

/// How a text is compared.
package enum TextMatch: Sendable, Equatable {
    case equal(String)
    case notEqual(String)
    /// `%` stands for any text, `_` for one character.
    case like(String, ignoringCase: Bool)
    /// Found anywhere in the text; searches of traces only.
    case matching(TextPattern)
    case oneOf([String])
    case noneOf([String])
    case isNull
    case isNotNull
}

/// How a number is compared.
package struct NumberMatch: Sendable, Equatable {
    package enum Comparator: String, Sendable {
        case equal = "="
        case notEqual = "<>"
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
    }

    package var comparator: Comparator
    package var value: Double

    package init(_ comparator: Comparator, _ value: Double) {
        self.comparator = comparator
        self.value = value
    }
}

/// Which runs are wanted, in which order.
package struct RunSearch: Sendable {
    package enum TextColumn: String, Sendable {
        case id, name, userId, status, artifactUri
    }

    package enum NumberColumn: String, Sendable { case startTime, endTime }

    package enum DatasetField: Sendable { case name, digest, context }

    package enum Condition: Sendable, Equatable {
        case metric(String, NumberMatch)
        case param(String, TextMatch)
        case tag(String, TextMatch)
        case text(TextColumn, TextMatch)
        case number(NumberColumn, NumberMatch)
        case dataset(DatasetField, TextMatch)
    }

    package enum OrderKey: Sendable, Hashable {
        case metric(String)
        case param(String)
        case tag(String)
        case text(TextColumn)
        case number(NumberColumn)
    }

    /// What `OrderKey` is compared by: keys that only look alike order by different metrics.
    fileprivate enum OrderIdentity: Hashable {
        case metric(ExactText)
        case param(ExactText)
        case tag(ExactText)
        case text(TextColumn)
        case number(NumberColumn)
    }

    package struct Order: Sendable, Equatable {
        package var key: OrderKey
        package var ascending: Bool

        package init(_ key: OrderKey, ascending: Bool) {
            self.key = key
            self.ascending = ascending
        }
    }

    package var experiments: [ExperimentID]
    /// `nil` for both.
    package var stage: LifecycleStage?
    /// All must hold.
    package var conditions: [Condition]
    package var orders: [Order]
    package var limit: Int
    package var offset: Int
    /// Where the page before ended.
    package var after: SearchPosition?

    package init(
        experiments: [ExperimentID], stage: LifecycleStage? = .active, conditions: [Condition] = [],
        orders: [Order] = [], limit: Int, offset: Int = 0, after: SearchPosition? = nil
    ) {
        self.after = after
        self.experiments = experiments
        self.stage = stage
        self.conditions = conditions
        self.orders = orders
        self.limit = limit
        self.offset = offset
    }
}

extension RunSearch.OrderKey {
    private var identity: RunSearch.OrderIdentity {
        switch self {
        case .metric(let key): .metric(ExactText(key))
        case .param(let key): .param(ExactText(key))
        case .tag(let key): .tag(ExactText(key))
        case .text(let column): .text(column)
        case .number(let column): .number(column)
        }
    }

    package static func == (left: Self, right: Self) -> Bool { left.identity == right.identity }

    package func hash(into hasher: inout Hasher) { hasher.combine(identity) }
}
