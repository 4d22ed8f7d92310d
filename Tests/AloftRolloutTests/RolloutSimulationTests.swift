import AloftDomain
import Foundation
import Testing

@testable import AloftRollout

/// Whole rollouts on simulated traffic, each from a seed. `docs/concepts/rollouts.md` has what many
/// more of them came to.
struct RolloutSimulationTests {
    /// What both revisions are like.
    struct Scenario: Sendable, CustomTestStringConvertible {
        var name: String
        var baselineErrors = 0.005
        /// How many times more errors the candidate has.
        var errorRatio = 1.0
        /// The share of slow requests, and how many times more the candidate has.
        var baselineSlow = 0.0
        var slowRatio = 1.0
        /// Sometimes everything fails twenty times as often, whoever answers.
        var hasBursts = false
        /// Both answer uniformly between 0 and 1, the candidate so much more; `nil`: no scores.
        var scoreShift: Double?

        var testDescription: String { name }
    }

    struct Outcome {
        var wasAborted: Bool
        /// Requests that the candidate had answered when the rollout ended.
        var candidateRequests: UInt64
        /// Looks from the rollout's begin, one a second.
        var seconds: Int
    }

    struct Summary {
        var abortedShare: Double
        /// Of the aborted ones.
        var medianCandidateRequests: UInt64
        var medianSeconds: Int
        /// How long those took that were not aborted.
        var meanSecondsOfOthers: Int
    }

    private static let requestsPerLook = 400
    private static let slowSeconds = 0.02

    /// Steps 5 % and 25 %, a minute each and in doubt up to four, 200 requests a second, judged every other second.
    private func play(_ scenario: Scenario, seed: UInt64) -> Outcome {
        let policy = RolloutPolicy(
            stepsPercent: [5, 25, 100], hold: .seconds(60), falseAlarmRate: 0.01)
        let judge = RolloutJudge(policy: policy)
        var chance = SplitMix64(seed: seed)
        var answered: UInt64 = 0
        var seconds = 0
        var earlier: [StepEvidence] = []
        for step in 0..<policy.watchedSteps {
            let weight = policy.stepsPercent[step]
            var evidence = StepEvidence(
                candidate: TrafficCount(), baseline: TrafficCount(), weightPercent: weight,
                slowSeconds: Self.slowSeconds)
            watching: for second in stride(from: 2, through: 240, by: 2) {
                seconds += 2
                let burst = scenario.hasBursts && chance.next() % 10 == 0 ? 20.0 : 1
                let mine = draw(Self.requestsPerLook, weight / 100, &chance)
                let theirs = Self.requestsPerLook - mine
                let rate = scenario.baselineErrors * burst
                let slow = scenario.baselineSlow * burst
                add(
                    mine, errors: rate * scenario.errorRatio, slow: slow * scenario.slowRatio,
                    to: &evidence.candidate, &chance)
                add(theirs, errors: rate, slow: slow, to: &evidence.baseline, &chance)
                if let shift = scenario.scoreShift {
                    score(mine, shift, &evidence.candidate, &chance)
                    score(theirs, 0, &evidence.baseline, &chance)
                }
                answered += UInt64(mine)
                let verdict = judge.verdict(
                    step: step, elapsed: .seconds(second), evidence: evidence, earlier: earlier)
                switch verdict {
                case .abort:
                    return Outcome(
                        wasAborted: true, candidateRequests: answered, seconds: seconds)
                case .advance, .promote: break watching
                case .hold, .awaitTraffic: continue
                }
            }
            earlier.append(evidence)
        }
        return Outcome(wasAborted: false, candidateRequests: answered, seconds: seconds)
    }

    private func score(
        _ requests: Int, _ shift: Double, _ count: inout TrafficCount,
        _ chance: inout SplitMix64
    ) {
        for _ in 0..<requests {
            count.scores.record(Double(chance.next() >> 11) * 0x1p-53 + shift)
        }
    }

    private func add(
        _ requests: Int, errors: Double, slow: Double, to count: inout TrafficCount,
        _ chance: inout SplitMix64
    ) {
        let slowCount = draw(requests, min(slow, 1), &chance)
        count.requests += UInt64(requests)
        count.errors += UInt64(draw(requests, min(errors, 1), &chance))
        guard slow > 0 else { return }
        for _ in 0..<slowCount { count.latency.record(microseconds: 40_000) }
        for _ in slowCount..<requests { count.latency.record(microseconds: 1000) }
    }

    /// How many of `trials` succeed, each with probability `share`: by the lengths of the gaps.
    private func draw(_ trials: Int, _ share: Double, _ chance: inout SplitMix64) -> Int {
        guard share > 0 else { return 0 }
        guard share < 1 else { return trials }
        var found = 0
        var position = 0.0
        while true {
            let uniform = Double(chance.next() >> 11) * 0x1p-53
            position += (log1p(-uniform) / log1p(-share)).rounded(.down) + 1
            guard position <= Double(trials) else { return found }
            found += 1
        }
    }

    private func summary(_ scenario: Scenario, rollouts: Int) -> Summary {
        let outcomes = (0..<rollouts).map { play(scenario, seed: UInt64($0) &* 7919 &+ 1) }
        let aborted = outcomes.filter(\.wasAborted)
        let requests = aborted.map(\.candidateRequests).sorted()
        let seconds = aborted.map(\.seconds).sorted()
        return Summary(
            abortedShare: Double(aborted.count) / Double(rollouts),
            medianCandidateRequests: requests.isEmpty ? 0 : requests[requests.count / 2],
            medianSeconds: seconds.isEmpty ? 0 : seconds[seconds.count / 2],
            meanSecondsOfOthers: outcomes.count == aborted.count
                ? 0
                : outcomes.filter { !$0.wasAborted }.reduce(0) { $0 + $1.seconds }
                    / (outcomes.count - aborted.count))
    }

    static let harmless: [Scenario] = [
        Scenario(name: "no errors at all", baselineErrors: 0),
        Scenario(name: "0.5 % errors, both alike"),
        Scenario(
            name: "5 % errors, 5 % slow, both alike", baselineErrors: 0.05, baselineSlow: 0.05),
        Scenario(name: "both alike, with bursts that hit both", hasBursts: true),
        Scenario(name: "half as many errors", errorRatio: 0.5),
        Scenario(name: "scores alike", scoreShift: 0),
        Scenario(name: "scores 15 % apart, 20 % allowed", scoreShift: 0.15),
    ]

    static let harmful: [(Scenario, atLeast: Double)] = [
        (Scenario(name: "errors twice", errorRatio: 2), 0.6),
        (Scenario(name: "errors three times", errorRatio: 3), 0.95),
        (Scenario(name: "errors ten times", errorRatio: 10), 1),
        (Scenario(name: "every request fails", errorRatio: 1000), 1),
        (Scenario(name: "slow requests five times", baselineSlow: 0.01, slowRatio: 5), 1),
        (Scenario(name: "errors three times, with bursts", errorRatio: 3, hasBursts: true), 0.9),
        (Scenario(name: "scores 40 % apart", scoreShift: 0.4), 1),
    ]

    /// 1 % false alarms were promised: among 400 rollouts, 13 or more would come by chance with
    /// probability below 0.001 even if the rate were just that.
    @Test(arguments: harmless)
    func `a candidate that is no worse is hardly ever aborted`(scenario: Scenario) {
        #expect(
            summary(scenario, rollouts: scenario.scoreShift == nil ? 400 : 40)
                .abortedShare <= 0.03)
    }

    @Test(arguments: harmful)
    func `a harmful candidate is caught`(scenario: Scenario, atLeast: Double) {
        let found = summary(
            scenario, rollouts: scenario.scoreShift == nil && scenario.baselineSlow == 0 ? 60 : 20)
        #expect(found.abortedShare >= atLeast)
    }

    @Test func `a candidate that always fails is caught within seconds`() {
        let found = summary(
            Scenario(name: "every request fails", errorRatio: 1000), rollouts: 60)
        #expect(found.medianSeconds <= 4)
        #expect(found.medianCandidateRequests <= 60)
    }

    /// Prints the table of `docs/concepts/rollouts.md`: `ALOFT_ROLLOUTS=2000 swift test --filter table`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["ALOFT_ROLLOUTS"] != nil))
    func `the documentation's table`() throws {
        let text = try #require(ProcessInfo.processInfo.environment["ALOFT_ROLLOUTS"])
        let rollouts = try #require(Int(text))
        for scenario in Self.harmless + Self.harmful.map(\.0) {
            let few = scenario.scoreShift != nil || scenario.baselineSlow > 0
            let found = summary(scenario, rollouts: few ? rollouts / 10 : rollouts)
            let share = String(format: "%.2f %%", found.abortedShare * 100)
            print(
                "| \(scenario.name) | \(share) | \(found.medianCandidateRequests) | "
                    + "\(found.medianSeconds) s | \(found.meanSecondsOfOthers) |")
        }
    }
}
