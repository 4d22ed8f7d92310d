import AloftDomain
import Testing

@testable import AloftRollout

struct RolloutJudgeTests {
    private func policy(
        _ abort: [String] = ["error_rate > 1%", "latency_p99 > 20ms"], early: Bool = false
    ) throws -> RolloutPolicy {
        RolloutPolicy(
            stepsPercent: [5, 25, 100], hold: .seconds(60),
            abort: try abort.map { try CheckExpression($0) }, mayAdvanceEarly: early)
    }

    private func traffic(_ requests: UInt64, errors: UInt64 = 0, slow: UInt64 = 0) -> TrafficCount {
        var latency = LatencyHistogram()
        for number in 0..<requests { latency.record(microseconds: number < slow ? 50_000 : 1000) }
        return TrafficCount(requests: requests, errors: errors, latency: latency)
    }

    private func evidence(
        _ candidate: TrafficCount, _ baseline: TrafficCount = TrafficCount(), slow: Double? = nil
    ) -> StepEvidence {
        StepEvidence(candidate: candidate, baseline: baseline, weightPercent: 5, slowSeconds: slow)
    }

    @Test func `a good step is held, then left`() throws {
        let judge = RolloutJudge(policy: try policy())
        let good = evidence(traffic(1000), traffic(19_000))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(20), evidence: good)
                == .hold(left: .seconds(40)))
        guard case .advance = judge.verdict(step: 0, elapsed: .seconds(60), evidence: good) else {
            Issue.record("did not advance")
            return
        }
        guard case .promote = judge.verdict(step: 1, elapsed: .seconds(61), evidence: good) else {
            Issue.record("was not promoted")
            return
        }
    }

    @Test func `a step without traffic passes with its time and says so`() throws {
        let judge = RolloutJudge(policy: try policy())
        let verdict = judge.verdict(
            step: 0, elapsed: .seconds(60), evidence: evidence(TrafficCount()))
        guard case .advance(let reason) = verdict else {
            Issue.record("did not advance")
            return
        }
        #expect(reason.contains("without traffic: nothing was seen"))
        let refused = evidence(TrafficCount(refused: 30))
        #expect(judge.sensitivity(refused) == "no request came, so nothing could be shown")
        guard
            case .advance(let told) = judge.verdict(
                step: 0, elapsed: .seconds(60), evidence: refused)
        else {
            Issue.record("did not advance")
            return
        }
        #expect(told.contains("30 requests were refused"))
    }

    @Test func `a step waits for its requests, however long that takes`() throws {
        var wanting = try policy([], early: true)
        wanting.atLeast = 100
        let judge = RolloutJudge(policy: wanting)
        for seconds in [60, 86_400] {
            #expect(
                judge.verdict(
                    step: 0, elapsed: .seconds(seconds), evidence: evidence(traffic(99)))
                    == .awaitTraffic(seen: 99, needed: 100))
        }
        guard
            case .advance = judge.verdict(
                step: 0, elapsed: .seconds(60), evidence: evidence(traffic(100)))
        else {
            Issue.record("did not advance")
            return
        }
        wanting.atLeast = 5000
        #expect(
            RolloutJudge(policy: wanting).verdict(
                step: 0, elapsed: .seconds(1), evidence: evidence(traffic(4000), traffic(80_000)))
                == .hold(left: .seconds(59)), "not early either")
        guard
            case .abort = RolloutJudge(policy: wanting).verdict(
                step: 0, elapsed: .seconds(1),
                evidence: evidence(traffic(40, errors: 40), traffic(800)))
        else {
            Issue.record("harm does not wait")
            return
        }
    }

    @Test func `what a sample could have shown is the fewest failures that abort`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let some = evidence(traffic(1000), traffic(19_000, errors: 95))
        let text = try #require(judge.sensitivity(some))
        let few = try #require(text.split(separator: " ").compactMap { UInt64($0) }.last)
        func verdict(_ errors: UInt64) -> RolloutVerdict {
            judge.verdict(
                step: 0, elapsed: .seconds(60),
                evidence: evidence(traffic(1000, errors: errors), traffic(19_000, errors: 95)))
        }
        guard case .abort = verdict(few) else {
            Issue.record("\(text): \(few) do not abort")
            return
        }
        if case .abort = verdict(few - 1) { Issue.record("\(text): one less aborts too") }
        #expect(
            judge.sensitivity(evidence(traffic(1), traffic(19)))
                == "1 requests are too few: had all of them failed, that would not have aborted it")
    }

    @Test func `comparisons over several steps say so`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let found = judge.comparisons(
            evidence(traffic(30), traffic(70)), earlier: [evidence(traffic(40), traffic(60))])
        #expect(found.first?.reason.hasPrefix("errors in 2 steps: 0% of 70 against") == true)
    }

    @Test func `clear errors abort at once`() throws {
        let judge = RolloutJudge(policy: try policy())
        let verdict = judge.verdict(
            step: 0, elapsed: .seconds(2), evidence: evidence(traffic(20, errors: 10)))
        #expect(verdict == .abort(reason: "error_rate > 1%: 50% of 20 requests against 1%"))
    }

    @Test func `what the candidate alone refuses speaks against it like errors`() throws {
        let refusing = TrafficCount(contested: 20)
        let verdict = RolloutJudge(policy: try policy()).verdict(
            step: 0, elapsed: .seconds(2), evidence: evidence(refusing, traffic(380)))
        let refused = "(20 refused with 400 that the revision before takes)"
        #expect(
            verdict
                == .abort(
                    reason: "error_rate > 1%: 100% of 20 requests against 1% \(refused)"))
        // Without a condition the comparison with the revision before tells.
        let plain = RolloutJudge(policy: try policy([])).verdict(
            step: 0, elapsed: .seconds(2), evidence: evidence(refusing, traffic(380)))
        guard case .abort(let reason) = plain else {
            Issue.record("did not abort")
            return
        }
        #expect(reason.hasSuffix(refused))
        // Where both refuse alike neither is worse.
        let both = RolloutJudge(policy: try policy([])).verdict(
            step: 0, elapsed: .seconds(2),
            evidence: evidence(TrafficCount(contested: 5), TrafficCount(contested: 95)))
        guard case .hold = both else {
            Issue.record("aborted")
            return
        }
    }

    @Test func `one error among few does not abort before the end of the step`() throws {
        let judge = RolloutJudge(policy: try policy())
        let few = evidence(traffic(50, errors: 1), traffic(950, errors: 9))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(2), evidence: few)
                == .hold(left: .seconds(58)))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(60), evidence: few)
                == .abort(reason: "error_rate > 1%: 2% of 50 requests against 1%"))
    }

    @Test func `slow answers abort with both numbers`() throws {
        let judge = RolloutJudge(policy: try policy())
        let verdict = judge.verdict(
            step: 0, elapsed: .seconds(2), evidence: evidence(traffic(200, slow: 40)))
        guard case .abort(let reason) = verdict else {
            Issue.record("did not abort: \(verdict)")
            return
        }
        #expect(reason.hasPrefix("latency_p99 > 20ms: "))
        #expect(reason.hasSuffix("of 200 requests against 20ms"))
    }

    @Test func `a latency in the bucket of its bound is not above it`() throws {
        let judge = RolloutJudge(policy: try policy(["latency_p99 > 1ms"]))
        let verdict = judge.verdict(
            step: 0, elapsed: .seconds(60), evidence: evidence(traffic(1000)))
        guard case .advance = verdict else {
            Issue.record("\(verdict)")
            return
        }
    }

    @Test func `a candidate that fails more often than its baseline is aborted`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let worse = evidence(traffic(1000, errors: 30), traffic(19_000, errors: 95))
        let verdict = judge.verdict(step: 0, elapsed: .seconds(5), evidence: worse)
        #expect(
            verdict
                == .abort(
                    reason: "errors: 3% of 1000 against 0.5% of 19000 for the revision before"))
    }

    @Test func `errors that both have do not abort`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let same = evidence(traffic(1000, errors: 200), traffic(19_000, errors: 3800))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(5), evidence: same)
                == .hold(left: .seconds(55)))
    }

    @Test func `slow requests are compared where a bound was fixed before the step`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let candidate = traffic(1000, slow: 200)
        let baseline = traffic(19_000, slow: 100)
        #expect(judge.comparisons(evidence(candidate, baseline)).count == 1)
        let found = judge.comparisons(evidence(candidate, baseline, slow: 0.02))
        #expect(found.map(\.isWorse) == [false, true])
    }

    @Test func `enough good traffic ends a step early if that was asked for`() throws {
        let judge = RolloutJudge(policy: try policy(["error_rate > 1%"], early: true))
        let hold = judge.verdict(step: 0, elapsed: .seconds(2), evidence: evidence(traffic(200)))
        #expect(hold == .hold(left: .seconds(58)))
        let verdict = judge.verdict(
            step: 0, elapsed: .seconds(2), evidence: evidence(traffic(1500)))
        guard case .advance(let reason) = verdict else {
            Issue.record("did not advance")
            return
        }
        #expect(reason.hasPrefix("ahead of time"))
    }

    @Test func `counts since a reading are what came between, or all after a reset`() {
        let first = traffic(10, errors: 1)
        var second = first
        second.add(traffic(5, errors: 2))
        #expect(second.since(first) == traffic(5, errors: 2))
        #expect(first.since(second) == first)
    }

    @Test func `a step in doubt is held beyond its time, but not for ever`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let doubtful = evidence(traffic(600, errors: 9), traffic(11_400, errors: 57))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(60), evidence: doubtful)
                == .hold(left: .seconds(180)))
        guard
            case .advance = judge.verdict(step: 0, elapsed: .seconds(240), evidence: doubtful)
        else {
            Issue.record("did not advance")
            return
        }
    }

    @Test func `what earlier steps saw counts on`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let step = evidence(traffic(600, errors: 11), traffic(11_400, errors: 57))
        let alone = judge.comparisons(step)[0]
        let after = judge.comparisons(step, earlier: [step])[0]
        #expect(!alone.isWorse)
        #expect(after.isWorse)
        #expect(after.log10Evidence > alone.log10Evidence)
    }

    @Test func `scores that moved abort, scores alike and few do not`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        func scored(_ count: Int, from low: Double) -> TrafficCount {
            var traffic = TrafficCount(requests: UInt64(count))
            for number in 0..<count {
                traffic.scores.record(low + Double(number) / Double(count) / 2)
            }
            return traffic
        }
        let baseline = scored(10_000, from: 0.1)
        let moved = evidence(scored(1000, from: 0.4), baseline)
        guard case .abort(let reason) = judge.verdict(step: 0, elapsed: .zero, evidence: moved)
        else {
            Issue.record("did not abort")
            return
        }
        #expect(reason.hasPrefix("scores: "))
        for fine in [scored(1000, from: 0.1), scored(5, from: 0.4)] {
            #expect(
                judge.verdict(step: 0, elapsed: .zero, evidence: evidence(fine, baseline))
                    == .hold(left: .seconds(60)))
        }
        var deaf = try policy([])
        deaf.scoreShift = nil
        #expect(
            RolloutJudge(policy: deaf).verdict(step: 0, elapsed: .zero, evidence: moved)
                == .hold(left: .seconds(60)))
    }

    private func answering(_ kinds: (AnswerKind, Int)...) -> TrafficCount {
        var traffic = TrafficCount()
        for (kind, count) in kinds {
            traffic.requests += UInt64(count)
            for number in 0..<count {
                let isLabel = kind.form == .labels
                traffic.scores.record(
                    isLabel ? Double(number % 2) : Double(number) / Double(count), of: kind)
            }
        }
        return traffic
    }

    @Test func `what cannot be compared speaks for neither, and is told`() throws {
        let names = RolloutNames(candidate: "version 2", baseline: "version 1")
        let judge = RolloutJudge(policy: try policy([]), names: names)
        let probabilities = AnswerKind(form: .row, width: 2, output: "probabilities")
        let labels = AnswerKind(form: .labels)
        let words = "scores are not comparable: version 1 answers probabilities, version 2 labels"
        let other = evidence(answering((labels, 2000)), answering((probabilities, 20_000)))
        let found = judge.comparisons(other).filter { !$0.isCompared }
        #expect(found.map(\.reason) == [words])
        #expect(found.allSatisfy { !$0.isWorse && !$0.isInDoubt })
        guard
            case .advance(let reason) = judge.verdict(
                step: 0, elapsed: .seconds(60), evidence: other)
        else {
            Issue.record("did not advance")
            return
        }
        #expect(reason.hasSuffix("; \(words)"))
        #expect(judge.remark(other) == "; \(words)")
        // A client that asks for labels of both, beside others: they asked other things.
        let mixed = evidence(
            answering((labels, 2000)), answering((probabilities, 9000), (labels, 9000)))
        #expect(judge.comparisons(mixed).contains { !$0.isCompared })
        // Of texts there is nothing to compare, and nothing to say.
        let texts = AnswerKind(form: .texts)
        let spoken = evidence(answering((texts, 50)), answering((texts, 500)))
        #expect(judge.comparisons(spoken).map(\.what) == ["errors"])
    }

    @Test func `scores of one kind are compared with those of the same`() throws {
        let judge = RolloutJudge(policy: try policy([]))
        let (first, other) = (
            AnswerKind(form: .row, width: 2, output: "probabilities"), AnswerKind(form: .number)
        )
        let alike = evidence(
            answering((first, 1000), (other, 1000)), answering((first, 9000), (other, 9000)))
        #expect(
            judge.comparisons(alike).map(\.what)
                == ["errors", "scores, probabilities", "scores, one number"]
                || judge.comparisons(alike).map(\.what)
                    == ["errors", "scores, one number", "scores, probabilities"]
        )
        // A model in Python names no outputs, so width and form decide.
        let unnamed = AnswerKind(form: .row, width: 2)
        let twice = evidence(answering((unnamed, 1000)), answering((first, 9000)))
        #expect(judge.comparisons(twice).map(\.what) == ["errors", "scores"])
        for wrong in [
            AnswerKind(form: .row, width: 3), AnswerKind(form: .row, width: 2, output: "margins"),
        ] {
            let apart = evidence(answering((wrong, 1000)), answering((first, 9000)))
            #expect(judge.comparisons(apart).contains { !$0.isCompared })
        }
    }

    @Test func `an experiment is ended by harm or a person, never by time`() throws {
        let judge = RolloutJudge(policy: try policy().experiment(percent: 50))
        func half(_ errors: UInt64) -> StepEvidence {
            StepEvidence(
                candidate: traffic(1000, errors: errors), baseline: traffic(1000, errors: 10),
                weightPercent: 50)
        }
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(100_000), evidence: half(11))
                == .hold(left: .seconds(60)))
        guard case .abort = judge.verdict(step: 0, elapsed: .seconds(1), evidence: half(100))
        else {
            Issue.record("did not abort")
            return
        }
    }

    @Test func `without abort conditions a step ends early once it is no worse for certain`()
        throws
    {
        let judge = RolloutJudge(policy: try policy([], early: true))
        let few = evidence(traffic(100), traffic(1900))
        #expect(
            judge.verdict(step: 0, elapsed: .seconds(1), evidence: few)
                == .hold(left: .seconds(59)))
        for enough in [
            evidence(traffic(1500), traffic(28_500)),
            evidence(traffic(2000, errors: 60), traffic(38_000, errors: 1140)),
        ] {
            guard
                case .advance(let reason) = judge.verdict(
                    step: 0, elapsed: .seconds(1), evidence: enough)
            else {
                Issue.record("did not advance")
                continue
            }
            #expect(reason.hasPrefix("ahead of time"))
        }
    }
}
