import AloftDomain
import Foundation
import Testing

@testable import AloftSearch

private func expect(
    _ rule: inout EarlyStopping, trial: Int, _ points: [ObjectivePoint],
    _ expected: EarlyStopping.Decision, at place: SourceLocation = #_sourceLocation
) {
    let decision = rule.observe(trial: trial, points: points)
    #expect(decision == expected, sourceLocation: place)
}

struct EarlyStoppingTests {
    static let rules: [SweepDefinition.StopRule] = [
        .asha(grace: 1, reduction: 3), .median(grace: 1, trials: 3),
    ]

    @Test func `the worst of three at a rung stops, the best goes on`() {
        var rule = EarlyStopping(.asha(grace: 2, reduction: 3), direction: .maximize)
        expect(&rule, trial: 0, [.init(step: 1, value: 0.1)], .goOn)
        expect(&rule, trial: 0, [.init(step: 2, value: 0.6)], .goOn)
        expect(&rule, trial: 1, [.init(step: 2, value: 0.5)], .goOn)
        expect(&rule, trial: 2, [.init(step: 3, value: 0.4)], .stop(rung: 2))
        expect(&rule, trial: 3, [.init(step: 2, value: 0.7)], .goOn)
        expect(&rule, trial: 3, [.init(step: 5, value: 0.7)], .goOn)
        expect(&rule, trial: 4, [.init(step: 2, value: 0.5)], .stop(rung: 2))
    }

    @Test func `a jump over rungs is measured at the highest`() {
        var rule = EarlyStopping(.asha(grace: 1, reduction: 2), direction: .minimize)
        for trial in 0..<2 {
            _ = rule.observe(trial: trial, points: [.init(step: 8, value: 0.1)])
        }
        expect(&rule, trial: 2, [.init(step: 1, value: 9)], .goOn)
        expect(&rule, trial: 2, [.init(step: 9, value: 9)], .stop(rung: 8))
    }

    @Test func `a trial behind the others' median stops once enough have got there`() {
        var rule = EarlyStopping(.median(grace: 2, trials: 2), direction: .minimize)
        func course(_ value: Double) -> [ObjectivePoint] {
            (1...6).map { ObjectivePoint(step: $0, value: value) }
        }
        expect(&rule, trial: 0, course(1), .goOn)
        expect(&rule, trial: 1, course(5), .goOn)
        expect(&rule, trial: 2, course(4), .stop(rung: 2))
        expect(&rule, trial: 3, course(2), .goOn)
    }

    @Test(arguments: rules, [SweepDefinition.Objective.Direction.maximize, .minimize])
    func `what was seen in pieces, with a restart between, decides the same`(
        rule: SweepDefinition.StopRule, direction: SweepDefinition.Objective.Direction
    ) throws {
        var whole = EarlyStopping(rule, direction: direction)
        var pieces = whole
        var chance = SplitMix64(seed: 5)
        for trial in 0..<20 {
            let points = (0..<30).map { ObjectivePoint(step: $0, value: chance.unit()) }
            let expected = whole.observe(trial: trial, points: points)
            var decision = EarlyStopping.Decision.goOn
            for start in stride(from: 0, to: 30, by: 7) where decision == .goOn {
                pieces = try JSONDecoder().decode(
                    EarlyStopping.self, from: JSONEncoder().encode(pieces))
                decision = pieces.observe(
                    trial: trial, points: Array(points[start..<min(start + 7, 30)]))
            }
            #expect(decision == expected)
        }
    }

    @Test(arguments: rules)
    func `odd points do no harm`(rule: SweepDefinition.StopRule) {
        var stopping = EarlyStopping(rule, direction: .maximize)
        let points = [
            ObjectivePoint(step: -5, value: 1), ObjectivePoint(step: .max, value: .nan),
            ObjectivePoint(step: .max, value: 1), ObjectivePoint(step: .min, value: 1),
            ObjectivePoint(step: 0, value: -.infinity), ObjectivePoint(step: 0, value: 1e308),
        ]
        for trial in 0..<10 { _ = stopping.observe(trial: trial, points: points) }
    }
}
