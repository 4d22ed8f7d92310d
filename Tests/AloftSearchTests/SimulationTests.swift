import AloftDomain
import Foundation
import Testing

@testable import AloftSearch

/// Whole sweeps on problems whose answer is known.
struct SimulationTests {
    /// Branin's function on [-5, 10] × [0, 15]; its least value is 0.397887.
    static func branin(_ point: [ParameterValue]) -> Double {
        let (x, y) = (number(point[0]), number(point[1]))
        let ring = y - 5.1 / (4 * .pi * .pi) * x * x + 5 / .pi * x - 6
        return ring * ring + 10 * (1 - 1 / (8 * .pi)) * cos(x) + 10
    }

    /// A learner's loss: a log scale, whole numbers and a choice.
    static func learner(_ point: [ParameterValue]) -> Double {
        let rate = log10(number(point[0]))
        let depth = number(point[1])
        let penalty = point[2] == .text("good") ? 0 : 0.3
        return pow(rate + 2, 2) * 0.5 + pow(depth - 6, 2) * 0.02 + penalty
    }

    static let braninSpace = [
        SearchDimension(name: "x", domain: .real(low: -5, high: 10, log: false, step: nil)),
        SearchDimension(name: "y", domain: .real(low: 0, high: 15, log: false, step: nil)),
    ]
    static let learnerSpace = [
        SearchDimension(name: "rate", domain: .real(low: 1e-5, high: 1, log: true, step: nil)),
        SearchDimension(name: "depth", domain: .integer(low: 1, high: 16, log: false, step: 1)),
        SearchDimension(
            name: "kind",
            domain: .choice([.text("bad"), .text("worse"), .text("good"), .text("worst")])),
    ]

    static func number(_ value: ParameterValue) -> Double {
        switch value {
        case .int(let number): Double(number)
        case .double(let number): number
        case .bool, .text: 0
        }
    }

    /// The best loss after `trials`, `parallel` at a time.
    static func best(
        _ method: SweepDefinition.Method, _ space: [SearchDimension],
        _ loss: ([ParameterValue]) -> Double, trials: Int, parallel: Int, seed: UInt64
    ) -> Double {
        var searcher = Searcher(makeSweep(method, space: space), seed: seed)
        var history: [Observation] = []
        while history.count < trials {
            let start = history.count
            for _ in 0..<min(parallel, trials - start) {
                guard let point = searcher.suggest(after: history) else { break }
                history.append(Observation(point: point, outcome: .pending))
            }
            for number in start..<history.count {
                history[number].outcome = .finished(loss(history[number].point))
            }
        }
        return history.map { loss($0.point) }.min() ?? .infinity
    }

    static let problems:
        [(name: String, space: [SearchDimension], loss: @Sendable ([ParameterValue]) -> Double)] = [
            ("branin", braninSpace, { branin($0) }), ("learner", learnerSpace, { learner($0) }),
        ]

    /// Over two dozen seeds, a model of the losses finds clearly better points than chance does.
    @Test(
        arguments: SweepDefinition.Method.allCases.filter { $0 != .grid && $0 != .random }, [1, 4])
    func `a method that learns beats random search`(
        method: SweepDefinition.Method, parallel: Int
    ) {
        for problem in Self.problems {
            let results = (0..<24).map { seed in
                let run = { (method: SweepDefinition.Method) in
                    Self.best(
                        method, problem.space, problem.loss, trials: 60, parallel: parallel,
                        seed: UInt64(seed))
                }
                return (learnt: run(method), random: run(.random))
            }
            let learnt = results.map(\.learnt).sorted()[12]
            let random = results.map(\.random).sorted()[12]
            let wins = results.count { $0.learnt < $0.random }
            #expect(learnt < random, "\(problem.name): median \(learnt) against \(random)")
            #expect(wins >= 15, "\(problem.name): \(wins) of 24")
        }
    }

    /// 64 trials of 81 steps, eight at a time; each loss falls towards its own floor, with noise.
    @Test(arguments: 0..<20) func `ASHA saves most steps and keeps a good trial`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        let floors = (0..<64).map { _ in chance.unit() }
        let speeds = (0..<64).map { _ in 0.05 + 0.2 * chance.unit() }
        var stopping = EarlyStopping(.asha(grace: 3, reduction: 3), direction: .minimize)
        var waiting = Array(0..<64)
        var running: [(trial: Int, step: Int)] = []
        var steps = 0
        var finished: [Int] = []
        while !waiting.isEmpty || !running.isEmpty {
            while running.count < 8, let next = waiting.popLast() { running.append((next, 0)) }
            running = running.compactMap { entry in
                let (trial, step) = (entry.trial, entry.step + 1)
                steps += 1
                let loss =
                    floors[trial] + exp(-speeds[trial] * Double(step)) + 0.02
                    * (chance.unit() - 0.5)
                let point = ObjectivePoint(step: step, value: loss)
                guard stopping.observe(trial: trial, points: [point]) == .goOn else { return nil }
                if step == 81 { finished.append(trial) }
                return step == 81 ? nil : (trial, step)
            }
        }
        let best = finished.min { floors[$0] < floors[$1] }
        let rank = floors.count { $0 < floors[best ?? 0] }
        #expect(steps < 64 * 81 / 2, "\(steps) of \(64 * 81) steps")
        #expect(best != nil && rank < 8, "the best that finished is number \(rank + 1)")
    }
}
