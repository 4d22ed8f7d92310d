/// A search over the parameters of a job, under `jobs.NAME.sweep`.
package struct SweepDefinition: Sendable, Equatable, Codable {
    /// What counts as better: the last value of a metric that the trials log.
    package struct Objective: Sendable, Equatable, Codable {
        package enum Direction: String, Sendable, Codable, CaseIterable { case maximize, minimize }

        package var direction: Direction
        package var metric: String

        package init(direction: Direction, metric: String) {
            self.direction = direction
            self.metric = metric
        }

        package func isBetter(_ value: Double, than other: Double) -> Bool {
            switch direction {
            case .maximize: value > other
            case .minimize: value < other
            }
        }
    }

    package enum Method: String, Sendable, Codable, CaseIterable { case grid, random, tpe }

    package enum StopRule: Sendable, Equatable, Codable {
        /// At each rung (`grace`, `grace · reduction`, `grace · reduction²`, … steps) only the best
        /// one in `reduction` goes on.
        case asha(grace: Int, reduction: Int)
        /// Stops a trial whose best value is worse than the median of the others at that step, once
        /// `trials` others have got there; never before `grace` steps.
        case median(grace: Int, trials: Int)
    }

    package var objective: Objective
    package var method: Method
    package var stop: StopRule?
    /// How many trials, at most (a grid may be smaller).
    package var trials: Int
    /// How many at a time.
    package var parallel: Int
    /// The search is repeatable where it is given and `parallel` is 1.
    package var seed: UInt64?
    /// The sweep fails once this many trials have failed.
    package var maxFailures: Int
    package var space: [SearchDimension]

    package init(
        objective: Objective, method: Method = .tpe, stop: StopRule? = nil, trials: Int,
        parallel: Int = 1, seed: UInt64? = nil, maxFailures: Int? = nil, space: [SearchDimension]
    ) {
        self.objective = objective
        self.method = method
        self.stop = stop
        self.trials = trials
        self.parallel = parallel
        self.seed = seed
        self.maxFailures = maxFailures ?? Self.defaultMaxFailures(trials: trials)
        self.space = space
    }

    /// A quarter of the trials, at least three.
    package static func defaultMaxFailures(trials: Int) -> Int { max(3, (trials + 3) / 4) }
}

/// One parameter that a sweep searches.
package struct SearchDimension: Sendable, Hashable, Codable {
    package enum Domain: Sendable, Hashable, Codable {
        /// From `low` to `high`, both included, `low < high`, both above 0 where `log` is set. With
        /// a step: `low`, `low + step`, … up to `high`; never together with `log`.
        case real(low: Double, high: Double, log: Bool, step: Double?)
        /// From `low` to `high`, both included, `low <= high`, `low >= 1` where `log` is set.
        case integer(low: Int, high: Int, log: Bool, step: Int)
        /// One of these; at least one, all different, in no order.
        case choice([ParameterValue])
    }

    package var name: String
    package var domain: Domain

    package init(name: String, domain: Domain) {
        self.name = name
        self.domain = domain
    }
}

extension SearchDimension.Domain {
    /// How many different values there are; `nil` where they cannot be counted.
    package var cardinality: Int? {
        switch self {
        case .real(_, _, _, nil): nil
        case .real(let low, let high, _, .some(let step)):
            Int(min(1e15, ((high - low) / step + 1e-9).rounded(.down))) + 1
        case .integer(let low, let high, _, let step): (high - low) / step + 1
        case .choice(let values): values.count
        }
    }
}
