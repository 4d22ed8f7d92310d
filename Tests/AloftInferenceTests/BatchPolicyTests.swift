import AloftInference
import Testing

@Suite struct BatchPolicyTests {
    private func learned(fixed: Double, each: Double) -> BatchCostModel {
        var cost = BatchCostModel()
        for index in 0..<200 {
            let rows = [1, 4, 9, 16][index % 4]
            cost.record(size: rows, nanoseconds: fixed + each * Double(rows))
        }
        return cost
    }

    private func cost(fixed: Double, each: Double) -> BatchCost {
        BatchCost(fixedNanoseconds: fixed, eachNanoseconds: each)
    }

    @Test func `the parts of a call's cost are found, and follow when they change`() {
        var cost = learned(fixed: 3e6, each: 5e5)
        #expect(abs(cost.ofRows(elements: 1).fixedNanoseconds - 3e6) < 1e3)
        #expect(abs(cost.ofRows(elements: 1).eachNanoseconds - 5e5) < 1e3)
        #expect(abs(cost.ofRows(elements: 8).eachNanoseconds - 4e6) < 1e4)
        for index in 0..<600 {
            let rows = 1 + index % 8
            cost.record(size: rows, nanoseconds: 1e6 + 2e6 * Double(rows))
        }
        #expect(abs(cost.ofRows(elements: 1).fixedNanoseconds - 1e6) < 1e5)
        #expect(abs(cost.ofRows(elements: 1).eachNanoseconds - 2e6) < 1e5)
    }

    @Test func `of calls of one size no fixed part is supposed`() {
        var cost = BatchCostModel()
        #expect(cost.ofRows(elements: 1) == BatchCost(fixedNanoseconds: 0, eachNanoseconds: 0))
        for _ in 0..<10 { cost.record(size: 2, nanoseconds: 4e6) }
        #expect(cost.ofRows(elements: 1).fixedNanoseconds == 0)
        #expect(cost.ofRows(elements: 1).nanoseconds(rows: 3) == 6e6)
    }

    @Test func `what is known of other sizes outlasts any number of calls of one`() {
        var cost = learned(fixed: 3e6, each: 5e5)
        for index in 0..<100_000 {
            cost.record(size: 9, nanoseconds: 7.5e6 + Double(index % 3 - 1) * 1e5)
        }
        #expect(abs(cost.ofRows(elements: 1).fixedNanoseconds - 3e6) < 3e5)
        #expect(abs(cost.ofRows(elements: 1).eachNanoseconds - 5e5) < 5e4)
    }

    @Test func `under overload batches are the shortest that keep most of the throughput`() {
        let policy = BatchPolicy(maximumRows: 64, targetNanoseconds: 1e8)
        let cost = cost(fixed: 5e6, each: 2.8e6)
        let (usual, short) = (policy.rowLimit(cost), policy.rowLimit(cost, isOverloaded: true))
        #expect(usual == 16 && short == 9)
        func throughput(_ rows: Int) -> Double { Double(rows) / cost.nanoseconds(rows: rows) }
        #expect(throughput(short) >= 0.92 * throughput(usual))
        #expect(throughput(short - 1) < 0.92 * throughput(usual))
        // Nothing is gained by batches, or all: two rows, or the most.
        #expect(policy.rowLimit(self.cost(fixed: 0, each: 1e6), isOverloaded: true) == 2)
        #expect(policy.rowLimit(self.cost(fixed: 1e6, each: 0), isOverloaded: true) == 64)
    }

    @Test func `a lone request is never held`() {
        let policy = BatchPolicy(maximumRows: 64, targetNanoseconds: 1e8)
        let cost = cost(fixed: 5e6, each: 1e6)
        for waiting in 1...3 {
            #expect(
                policy.holdNanoseconds(
                    waiting: waiting, expected: 1, oldestWaitNanoseconds: 0, cost: cost) == 0)
            #expect(
                policy.holdNanoseconds(
                    waiting: waiting, expected: 0, oldestWaitNanoseconds: 0, cost: cost) == 0)
        }
    }

    @Test func `after a burst a call is held for what a call of its own would cost, no longer`() {
        let policy = BatchPolicy(maximumRows: 64, targetNanoseconds: 1e8)
        let cost = cost(fixed: 5e6, each: 1e6)
        let hold = policy.holdNanoseconds(
            waiting: 1, expected: 16, oldestWaitNanoseconds: 0, cost: cost)
        #expect(abs(hold - 5e6) < 1e5)
        #expect(
            policy.holdNanoseconds(waiting: 16, expected: 16, oldestWaitNanoseconds: 0, cost: cost)
                == 0)
        #expect(
            policy.holdNanoseconds(waiting: 1, expected: 16, oldestWaitNanoseconds: 6e6, cost: cost)
                == 0)
    }

    @Test func `the window and the batch follow the latency target`() {
        let cost = cost(fixed: 5e6, each: 1e6)
        let tight = BatchPolicy(maximumRows: 64, targetNanoseconds: 2.2e7)
        #expect(tight.rowLimit(cost) == 6 || tight.rowLimit(cost) == 5)
        #expect(
            tight.holdNanoseconds(waiting: 1, expected: 16, oldestWaitNanoseconds: 0, cost: cost)
                < 1e6)
        let wide = BatchPolicy(maximumRows: 64, targetNanoseconds: 1e9)
        #expect(wide.rowLimit(cost) == 64)
        let unbatched = BatchPolicy(maximumRows: 1, targetNanoseconds: 1e9)
        #expect(
            unbatched.holdNanoseconds(waiting: 1, expected: 9, oldestWaitNanoseconds: 0, cost: cost)
                == 0)
        #expect(unbatched.rowLimit(cost) == 1)
    }

    @Test func `a model that gains nothing by batches is not held up`() {
        let cost = cost(fixed: 0, each: 1e6)
        let policy = BatchPolicy(maximumRows: 64, targetNanoseconds: 1e8)
        #expect(
            policy.holdNanoseconds(waiting: 1, expected: 16, oldestWaitNanoseconds: 0, cost: cost)
                < 1e4)
    }
}
