import AloftDomain
import Foundation
import Testing

@testable import AloftSearch

/// A space with a dimension of each kind, and what makes a point good.
let mixedSpace = [
    SearchDimension(name: "rate", domain: .real(low: 1e-4, high: 1, log: true, step: nil)),
    SearchDimension(name: "share", domain: .real(low: -1, high: 1, log: false, step: nil)),
    SearchDimension(name: "stepped", domain: .real(low: 0, high: 1, log: false, step: 0.3)),
    SearchDimension(name: "depth", domain: .integer(low: 2, high: 10, log: false, step: 1)),
    SearchDimension(name: "even", domain: .integer(low: 2, high: 9, log: false, step: 2)),
    SearchDimension(name: "leaves", domain: .integer(low: 1, high: 1024, log: true, step: 1)),
    SearchDimension(name: "loss", domain: .choice([.text("gini"), .text("entropy"), .bool(true)])),
]

let finiteSpace = [
    SearchDimension(name: "a", domain: .integer(low: 1, high: 3, log: false, step: 1)),
    SearchDimension(name: "b", domain: .choice([.text("x"), .int(2)])),
    SearchDimension(name: "c", domain: .real(low: 0, high: 0.5, log: false, step: 0.25)),
]

func makeSweep(
    _ method: SweepDefinition.Method, space: [SearchDimension],
    direction: SweepDefinition.Objective.Direction = .minimize
) -> SweepDefinition {
    SweepDefinition(
        objective: .init(direction: direction, metric: "loss"), method: method, trials: 100,
        space: space)
}

/// A score with some of everything; smaller is better.
func score(_ point: [ParameterValue]) -> Double {
    point.enumerated().reduce(0) { sum, value in
        switch value.element {
        case .int(let number): sum + Double(number) / 10
        case .double(let number): sum + abs(number - 0.3)
        case .bool: sum + 1
        case .text(let text): sum + Double(text.utf8.count) / 10
        }
    }
}

/// What the trial with this number came to; every kind of outcome turns up.
func outcome(_ number: Int, _ point: [ParameterValue]) -> Observation.Outcome {
    switch number % 7 {
    case 3: .failed
    case 5: .stopped(score(point), resource: number)
    case 6: .pending
    default: .finished(score(point))
    }
}

func isAllowed(_ value: ParameterValue, by domain: SearchDimension.Domain) -> Bool {
    switch (domain, value) {
    case (.choice(let values), _): return values.contains(value)
    case (.integer(let low, let high, _, let step), .int(let number)):
        return (low...high).contains(number) && (number - low) % step == 0
    case (.real(let low, let high, _, let step), .double(let number)):
        let places = step.map { (number - low) / $0 } ?? 0
        return (low...high).contains(number) && abs(places - places.rounded()) < 1e-9
    case (.integer, _), (.real, _): return false
    }
}

/// The next point; the test ends if there is none.
func next(_ searcher: inout Searcher, _ history: [Observation]) throws -> [ParameterValue] {
    let point = searcher.suggest(after: history)
    return try #require(point)
}

/// Holds every method to the same contract.
struct SearchContractTests {
    static let methods = SweepDefinition.Method.allCases
    static let endless: [SweepDefinition.Method] = methods.filter { $0 != .grid }

    @Test(arguments: methods, 0..<5)
    func `every value is within its bounds and on its step`(
        method: SweepDefinition.Method, seed: UInt64
    ) throws {
        let space = method == .grid ? finiteSpace : mixedSpace
        var searcher = Searcher(makeSweep(method, space: space), seed: seed)
        var history: [Observation] = []
        for number in 0..<(method == .grid ? 18 : 60) {
            let point = try next(&searcher, history)
            #expect(point.count == space.count)
            for (value, dimension) in zip(point, space) {
                #expect(isAllowed(value, by: dimension.domain), "\(dimension.name): \(value)")
            }
            history.append(Observation(point: point, outcome: outcome(number, point)))
        }
    }

    @Test(arguments: methods, [0, 1, 9, 10, 11, 15])
    func `a search saved half-way goes on as if it had not been`(
        method: SweepDefinition.Method, half: Int
    ) throws {
        var searcher = Searcher(makeSweep(method, space: finiteSpace), seed: 7)
        var history: [Observation] = []
        var resumed: Searcher?
        for number in 0..<18 {
            if number == half {
                let saved = try JSONEncoder().encode(searcher)
                resumed = try JSONDecoder().decode(Searcher.self, from: saved)
            }
            let point = try next(&searcher, history)
            if number >= half {
                let again = resumed?.suggest(after: history)
                #expect(again == point)
            }
            history.append(Observation(point: point, outcome: outcome(number, point)))
        }
    }

    @Test(arguments: methods)
    func `a finite space is tried whole, no point twice, and then it ends`(
        method: SweepDefinition.Method
    ) throws {
        var searcher = Searcher(makeSweep(method, space: finiteSpace), seed: 1)
        var history: [Observation] = []
        while let point = searcher.suggest(after: history) {
            history.append(Observation(point: point, outcome: outcome(history.count, point)))
            try #require(history.count <= 18)
        }
        #expect(Set(history.map(\.point)).count == 18)
    }

    @Test(arguments: endless)
    func `the seed decides`(method: SweepDefinition.Method) {
        func first(_ seed: UInt64) -> [ParameterValue]? {
            var searcher = Searcher(makeSweep(method, space: mixedSpace), seed: seed)
            return searcher.suggest(after: [])
        }
        #expect(first(1) == first(1))
        #expect(first(1) != first(2))
    }

    @Test(arguments: endless)
    func `a log scale gives each power of ten its share`(method: SweepDefinition.Method) throws {
        let space = [
            SearchDimension(name: "r", domain: .real(low: 1e-4, high: 1, log: true, step: nil)),
            SearchDimension(name: "n", domain: .integer(low: 1, high: 10_000, log: true, step: 1)),
        ]
        var small = 0
        var few = 0
        for seed in 0..<400 {
            var searcher = Searcher(makeSweep(method, space: space), seed: UInt64(seed))
            let point = try next(&searcher, [])
            if case .double(let rate) = point[0], rate < 1e-2 { small += 1 }
            if case .int(let number) = point[1], number < 100 { few += 1 }
        }
        #expect((150...250).contains(small))
        #expect((150...250).contains(few))
    }

    @Test(arguments: endless)
    func `values that are no numbers and trials all alike do no harm`(
        method: SweepDefinition.Method
    ) throws {
        var searcher = Searcher(makeSweep(method, space: mixedSpace), seed: 3)
        var history: [Observation] = []
        let values = [Double.nan, .infinity, -.infinity, 1e308, -1e308, 0, 0, 0, 1e-300]
        for number in 0..<50 {
            let point = try next(&searcher, history)
            for (value, dimension) in zip(point, mixedSpace) {
                #expect(isAllowed(value, by: dimension.domain))
            }
            history.append(
                Observation(point: point, outcome: .finished(values[number % values.count])))
        }
    }

    @Test(arguments: endless)
    func `many trials at once keep apart`(method: SweepDefinition.Method) throws {
        let space = [
            SearchDimension(name: "x", domain: .real(low: 0, high: 1, log: false, step: nil)),
            SearchDimension(name: "y", domain: .real(low: 0, high: 1, log: false, step: nil)),
        ]
        var searcher = Searcher(makeSweep(method, space: space), seed: 11)
        var history: [Observation] = []
        for _ in 0..<30 {
            let point = try next(&searcher, history)
            history.append(Observation(point: point, outcome: .finished(score(point))))
        }
        var together: [[ParameterValue]] = []
        for _ in 0..<8 {
            let point = try next(&searcher, history)
            together.append(point)
            history.append(Observation(point: point, outcome: .pending))
        }
        #expect(Set(together).count == 8)
    }

    @Test func `a grid has its own order, the last dimension fastest`() {
        var searcher = Searcher(makeSweep(.grid, space: finiteSpace), seed: 0)
        let points = (0..<4).compactMap { _ in searcher.suggest(after: []) }
        #expect(points[0] == [.int(1), .text("x"), .double(0)])
        #expect(points[1] == [.int(1), .text("x"), .double(0.25)])
        #expect(points[3] == [.int(1), .int(2), .double(0)])
    }

    @Test func `the normal distribution's quantile undoes its mass`() {
        for place in stride(from: -8.0, through: 5.5, by: 0.25) {
            #expect(
                abs(Normal.quantile(Normal.mass(below: place)) - place) < 1e-6 * max(1, abs(place)))
        }
        #expect(Normal.quantile(0).isFinite && Normal.quantile(1).isFinite)
    }
}
