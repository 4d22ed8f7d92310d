import AloftInference
import Testing

@Suite struct AdmissionTests {
    private let policy = AdmissionPolicy(limit: 1000, targetNanoseconds: 4e8)

    /// Of a model that takes 10 ms for a full batch of ten and 2 ms for one, and is free in so many ms.
    private func load(
        low: Int = 0, normal: Int = 0, high: Int = 0, untilFree: Double = 5, batch: Double = 10,
        isOverloaded: Bool = false, coming: Double = 0
    ) -> AdmissionPolicy.Load {
        var waiting = PriorityCounts()
        waiting[.low] = low
        waiting[.normal] = normal
        waiting[.high] = high
        return AdmissionPolicy.Load(
            waiting: waiting,
            estimate: AdmissionPolicy.LatencyEstimate(
                nanosecondsUntilFree: untilFree * 1e6, runners: 1, batchRequests: 10,
                batchNanoseconds: batch * 1e6, loneNanoseconds: batch / 5 * 1e6),
            isOverloaded: isOverloaded, coming: coming)
    }

    @Test func `under overload places are kept for those of higher priority`() {
        func verdict(_ coming: Double, isOverloaded: Bool = true) -> AdmissionPolicy.Verdict {
            let load = load(high: 4, untilFree: 7, isOverloaded: isOverloaded, coming: coming)
            return policy.decide(.normal, load, remainingNanoseconds: 1e9)
        }
        #expect(verdict(5.9) == .admit)
        #expect(verdict(6) == .refuse(retryAfterSeconds: 1))
        #expect(verdict(1e300) == .refuse(retryAfterSeconds: 1))
        #expect(verdict(6, isOverloaded: false) == .admit)
        // Who can be answered in time is not late because others will come.
        let short = load(high: 4, untilFree: 7, isOverloaded: true, coming: 100)
        for (milliseconds, verdict) in [
            (9.5, AdmissionPolicy.Verdict.refuse(retryAfterSeconds: 1)),
            (8.5, .refuseAsLate(retryAfterSeconds: 1)),
        ] {
            #expect(
                policy.decide(.normal, short, remainingNanoseconds: milliseconds * 1e6) == verdict)
        }
    }

    @Test func `while the queue is short everybody is let in`() {
        for priority in RequestPriority.allCases {
            #expect(policy.decide(priority, load(), remainingNanoseconds: 1e9) == .admit)
            #expect(policy.decide(priority, load(normal: 40), remainingNanoseconds: 1e9) == .admit)
        }
    }

    @Test func `the lower the priority, the sooner it is shed`() {
        func isAdmitted(_ priority: RequestPriority, _ count: Int) -> Bool {
            policy.decide(priority, load(high: count), remainingNanoseconds: 1e9) == .admit
        }
        // A quarter of the target is 100 ms, ten batches; half a batch is in the model.
        #expect(isAdmitted(.high, 99) && !isAdmitted(.high, 100))
        #expect(isAdmitted(.normal, 79) && !isAdmitted(.normal, 80))
        #expect(isAdmitted(.low, 49) && !isAdmitted(.low, 50))
    }

    @Test func `a short queue is let be, however slow the model`() {
        func isAdmitted(_ count: Int) -> Bool {
            policy.decide(
                .high, load(normal: count, untilFree: 0, batch: 1e4), remainingNanoseconds: 1e12)
                == .admit
        }
        #expect(isAdmitted(19) && !isAdmitted(20))
    }

    @Test func `under overload only so many wait as keep the model busy`() {
        func isAdmitted(_ priority: RequestPriority, _ count: Int, untilFree: Double) -> Bool {
            let load = load(high: count, untilFree: untilFree, isOverloaded: true)
            return policy.decide(priority, load, remainingNanoseconds: 1e9) == .admit
        }
        #expect(isAdmitted(.high, 9, untilFree: 10) && !isAdmitted(.high, 10, untilFree: 10))
        #expect(isAdmitted(.normal, 9, untilFree: 7) && !isAdmitted(.normal, 9, untilFree: 8))
        #expect(isAdmitted(.low, 9, untilFree: 5) && !isAdmitted(.low, 9, untilFree: 6))
        // A model that is free has something to do, whoever comes.
        #expect(isAdmitted(.low, 0, untilFree: 0))
    }

    @Test func `who matters less makes room for who matters more`() {
        #expect(
            policy.decide(.high, load(low: 500), remainingNanoseconds: 1e9) == .admitInPlaceOf(.low)
        )
        #expect(
            policy.decide(.normal, load(low: 500), remainingNanoseconds: 1e9)
                == .admitInPlaceOf(.low))
        #expect(
            policy.decide(.high, load(normal: 500), remainingNanoseconds: 1e9)
                == .admitInPlaceOf(.normal))
        #expect(
            policy.decide(.low, load(low: 500), remainingNanoseconds: 1e9)
                == .refuse(retryAfterSeconds: 1))
    }

    @Test func `a full queue makes room for a higher priority, and says when to come again`() {
        let policy = AdmissionPolicy(limit: 10, targetNanoseconds: 1e14)
        #expect(
            policy.decide(.high, load(low: 5, normal: 5), remainingNanoseconds: 1e9)
                == .admitInPlaceOf(.low))
        #expect(
            policy.decide(.high, load(normal: 10), remainingNanoseconds: 1e9)
                == .admitInPlaceOf(.normal))
        #expect(
            policy.decide(.normal, load(normal: 10, batch: 5e3), remainingNanoseconds: 1e12)
                == .refuse(retryAfterSeconds: 5))
    }

    @Test func `who cannot be answered before the deadline is shed at once`() {
        #expect(
            policy.decide(.high, load(high: 20), remainingNanoseconds: 2.6e7)
                == .refuseAsLate(retryAfterSeconds: 1))
        #expect(policy.decide(.high, load(high: 20), remainingNanoseconds: 2.8e7) == .admit)
        // Nobody is there: it is tried.
        #expect(policy.decide(.high, load(untilFree: 0), remainingNanoseconds: 1) == .admit)
    }

    private let patient = AdmissionPolicy(limit: 1000, targetNanoseconds: nil)

    @Test func `without a target all who come may wait, until memory says no`() {
        for (priority, count) in zip(RequestPriority.allCases, [64, 900, 999]) {
            #expect(
                patient.decide(priority, load(high: count), remainingNanoseconds: nil) == .admit)
        }
        let slow = load(high: 5, untilFree: 1e4, batch: 1e4)
        #expect(patient.decide(.low, slow, remainingNanoseconds: nil) == .admit)
        var full = load(high: 3)
        full.isFull = true
        #expect(
            patient.decide(.normal, full, remainingNanoseconds: 1e9)
                == .refuse(retryAfterSeconds: 1))
        full = load(low: 3)
        full.isFull = true
        #expect(patient.decide(.normal, full, remainingNanoseconds: nil) == .admitInPlaceOf(.low))
    }

    @Test func `without a target who names no deadline waits for two seconds, others until theirs`()
    {
        // Ninety-nine batches of 20 ms and what is left of the one in the model: 1,985 ms; then 2,005.
        #expect(patient.decide(.normal, load(high: 1), remainingNanoseconds: nil) == .admit)
        let (long, longer) = (load(high: 990, batch: 20), load(high: 999, untilFree: 25, batch: 20))
        #expect(patient.decide(.normal, long, remainingNanoseconds: nil) == .admit)
        #expect(
            patient.decide(.normal, longer, remainingNanoseconds: nil)
                == .refuseAsLate(retryAfterSeconds: 2))
        #expect(patient.decide(.normal, longer, remainingNanoseconds: 3e9) == .admit)
    }
}
