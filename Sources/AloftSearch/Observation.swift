package import AloftDomain

/// One trial as a search method sees it. Its number is its place in the history.
package struct Observation: Sendable, Equatable, Codable {
    package enum Outcome: Sendable, Equatable, Codable {
        /// Still running; nothing is known of it.
        case pending
        case finished(Double)
        /// Stopped early after `resource` steps with this value.
        case stopped(Double, resource: Int)
        case failed
    }

    /// One value a dimension, in the space's order.
    package var point: [ParameterValue]
    package var outcome: Outcome

    package init(point: [ParameterValue], outcome: Outcome) {
        self.point = point
        self.outcome = outcome
    }
}

/// A way to search a space. Pure and seeded: what comes next depends on the saved state and the
/// history and on nothing else, so a restart continues the same sequence.
package protocol SearchMethod: Sendable, Codable, Equatable {
    /// The next point to try, or `nil` when every point of a finite space was tried.
    ///
    /// - Parameter history: every trial so far, oldest first, those still running included. Each call
    ///   has the same trials as the last and perhaps more, with what became of them.
    mutating func suggest(after history: [Observation]) -> [ParameterValue]?
}

/// The search of one sweep: its method with all that it remembers.
package struct Searcher: Sendable, Codable, Equatable {
    private enum Method: Sendable, Codable, Equatable {
        case grid(GridSearch)
        case random(RandomSearch)
        case tpe(TreeParzenSearch)
    }

    private var method: Method

    /// - Parameter seed: the same seed and history give the same points.
    package init(_ sweep: SweepDefinition, seed: UInt64) {
        let space = SearchSpace(sweep.space)
        method =
            switch sweep.method {
            case .grid: .grid(GridSearch(space: space))
            case .random: .random(RandomSearch(space: space, seed: seed))
            case .tpe:
                .tpe(
                    TreeParzenSearch(
                        space: space, direction: sweep.objective.direction, seed: seed))
            }
    }
}

extension Searcher: SearchMethod {
    package mutating func suggest(after history: [Observation]) -> [ParameterValue]? {
        switch method {
        case .grid(var search):
            defer { method = .grid(search) }
            return search.suggest(after: history)
        case .random(var search):
            defer { method = .random(search) }
            return search.suggest(after: history)
        case .tpe(var search):
            defer { method = .tpe(search) }
            return search.suggest(after: history)
        }
    }
}
