import AloftInference
import Testing

@Suite struct BatchPolicyTests {
    private func cost(fixed: Double, each: Double) -> CallCost {
        var cost = CallCost()
        for index in 0..<200 {
            let rows = [1, 4, 9, 16][index % 4]
            cost.record(rows: rows, nanoseconds: fixed + each * Double(rows))
        }
        return cost
    }

    @Test func `the parts of a call's cost are found, and follow when they change`() {
        var cost = cost(fixed: 3e6, each: 5e5)
        #expect(abs(cost.parts.fixed - 3e6) < 1e3)
        #expect(abs(cost.parts.each - 5e5) < 1e3)
        for index in 0..<600 {
            let rows = 1 + index % 8
            cost.record(rows: rows, nanoseconds: 1e6 + 2e6 * Double(rows))
        }
        #expect(abs(cost.parts.fixed - 1e6) < 1e5)
        #expect(abs(cost.parts.each - 2e6) < 1e5)
    }

    @Test func `of calls of one size no fixed part is supposed`() {
        var cost = CallCost()
        #expect(cost.nanoseconds(rows: 4) == 0)
        for _ in 0..<10 { cost.record(rows: 2, nanoseconds: 4e6) }
        #expect(cost.parts.fixed == 0)
        #expect(cost.nanoseconds(rows: 3) == 6e6)
    }

    @Test func `a lone request is never held`() {
        let policy = BatchPolicy(maximumRows: 64, target: 1e8)
        let cost = cost(fixed: 5e6, each: 1e6)
        for waiting in 1...3 {
            #expect(policy.hold(waiting: waiting, expected: 1, oldestWait: 0, cost: cost) == 0)
            #expect(policy.hold(waiting: waiting, expected: 0, oldestWait: 0, cost: cost) == 0)
        }
    }

    @Test func `after a crowd a call is held for what a call of its own would cost, no longer`() {
        let policy = BatchPolicy(maximumRows: 64, target: 1e8)
        let cost = cost(fixed: 5e6, each: 1e6)
        let hold = policy.hold(waiting: 1, expected: 16, oldestWait: 0, cost: cost)
        #expect(abs(hold - 5e6) < 1e5)
        #expect(policy.hold(waiting: 16, expected: 16, oldestWait: 0, cost: cost) == 0)
        #expect(policy.hold(waiting: 1, expected: 16, oldestWait: 6e6, cost: cost) == 0)
    }

    @Test func `the window and the batch follow the latency target`() {
        let cost = cost(fixed: 5e6, each: 1e6)
        let tight = BatchPolicy(maximumRows: 64, target: 2.2e7)
        #expect(tight.rowLimit(cost) == 6 || tight.rowLimit(cost) == 5)
        #expect(tight.hold(waiting: 1, expected: 16, oldestWait: 0, cost: cost) < 1e6)
        let wide = BatchPolicy(maximumRows: 64, target: 1e9)
        #expect(wide.rowLimit(cost) == 64)
        let unbatched = BatchPolicy(maximumRows: 1, target: 1e9)
        #expect(unbatched.hold(waiting: 1, expected: 9, oldestWait: 0, cost: cost) == 0)
        #expect(unbatched.rowLimit(cost) == 1)
    }

    @Test func `a model that gains nothing by batches is not held up`() {
        let cost = cost(fixed: 0, each: 1e6)
        let policy = BatchPolicy(maximumRows: 64, target: 1e8)
        #expect(policy.hold(waiting: 1, expected: 16, oldestWait: 0, cost: cost) < 1e4)
    }
}
