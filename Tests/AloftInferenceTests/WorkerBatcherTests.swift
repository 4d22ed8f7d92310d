import NIOCore
import Testing

@testable import AloftInference

/// What the workers of a Python model take from its queue, on a clock of its own.
@Suite struct WorkerBatcherTests {
    private struct World {
        var batcher: WorkerBatcher
        var clock = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

        init(workers: Int = 1, batchRows: Int = 64, asked: Int? = nil) {
            var settings = WorkerBatcher.Settings()
            settings.batchRows = batchRows
            settings.workers = asked
            batcher = WorkerBatcher(settings: settings, limit: 1000, limitBytes: 1 << 20)
            batcher.workers = workers
        }

        mutating func come(_ count: Int, rows: Int64 = 1) {
            for _ in 0..<count {
                let request = InferenceRequest()
                let bytes = Int(rows) * 4
                request.tensors.append(
                    place: 0, datatype: .fp32, dimensions: [rows, 1], elementCount: Int(rows),
                    byteCount: bytes
                ).initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
                let call = QueuedRequest(
                    request: request, reply: TensorSet(), deadline: .distantFuture,
                    deadlineMilliseconds: 1, namesDeadline: false, queuedAt: clock
                ) { _ in }
                _ = batcher.join(call, now: clock)
            }
        }

        /// The requests and the number of the next call; `nil` where there is none, or it is held.
        mutating func take(mayHold: Bool = false) -> (requests: Int, number: Int)? {
            guard case .run(let calls, let number, _) = batcher.next(clock, mayHold: mayHold) else {
                return nil
            }
            return (calls.count, number)
        }

        /// - Returns: whether one more worker is wished for.
        mutating func end(_ number: Int, after milliseconds: Double) -> Bool {
            clock = clock + .nanoseconds(Int64(milliseconds * 1e6))
            return batcher.ended(number, isAnswered: true, clock)
        }

        /// Calls of one row and of sixteen, so that it is known what they take.
        mutating func learn(one: Double, sixteen: Double) {
            let workers = batcher.workers
            batcher.workers = 1
            defer { batcher.workers = workers }
            for (count, time) in [(1, one), (16, sixteen)] {
                come(count)
                if let taken = take() { _ = end(taken.number, after: time) }
            }
        }
    }

    @Test func `all that wait share a call, up to the rows that may`() throws {
        var world = World()
        world.come(100)
        let taken1 = world.take()?.requests
        #expect(taken1 == 64)
        var large = World()
        large.come(3, rows: 30)
        let taken2 = large.take()?.requests
        #expect(taken2 == 2)
        large.come(1, rows: 500)
        _ = large.take()
        let taken3 = large.take()?.requests
        #expect(taken3 == 1)
        var alone = World(batchRows: 1)
        alone.come(3)
        let taken4 = alone.take()?.requests
        #expect(taken4 == 1)
    }

    @Test func `after a burst a call is held until the burst is back`() {
        var world = World()
        world.learn(one: 4, sixteen: 4.5)
        world.come(16)
        guard let burst = world.take() else {
            Issue.record("nothing to take")
            return
        }
        #expect(burst.requests == 16)
        _ = world.end(burst.number, after: 4.5)
        world.come(1)
        guard case .hold = world.batcher.next(world.clock, mayHold: true) else {
            Issue.record("the first of the burst is asked alone")
            return
        }
        #expect(world.batcher.isHolding)
        world.come(15)
        #expect(!world.batcher.isHolding)
        let taken5 = world.take(mayHold: true)?.requests
        #expect(taken5 == 16)
    }

    @Test func `rows are shared among workers where they cost, and not where the call does`() {
        var costly = World(workers: 2)
        costly.learn(one: 4, sixteen: 64)
        costly.come(16)
        let taken6 = costly.take()?.requests
        #expect(taken6 == 8)
        let taken7 = costly.take()?.requests
        #expect(taken7 == 8)
        var cheap = World(workers: 2)
        cheap.learn(one: 4, sixteen: 4.1)
        cheap.come(16)
        let taken8 = cheap.take()?.requests
        #expect(taken8 == 16)
    }

    @Test func `a backlog that lasts wishes for a worker, a batch that takes all does not`() {
        var world = World(batchRows: 1)
        var wishes: [Bool] = []
        world.come(400)
        for _ in 0..<200 {
            guard let taken = world.take() else { break }
            wishes.append(world.end(taken.number, after: 4))
        }
        // Half a second are 125 calls.
        #expect(wishes.firstIndex(of: true) == 125)
        var told = World(batchRows: 1, asked: 1)
        told.come(400)
        for _ in 0..<300 {
            if let taken = told.take() {
                let isWished = told.end(taken.number, after: 4)
                #expect(!isWished)
            }
        }
        var shared = World()
        shared.learn(one: 4, sixteen: 4.1)
        for _ in 0..<300 {
            shared.come(16)
            if let taken = shared.take() {
                let isWished = shared.end(taken.number, after: 4.1)
                #expect(!isWished)
            }
        }
    }

    @Test func `who names no deadline is told after two seconds, or sixteen calls of a slow model`()
    {
        var world = World(batchRows: 1)
        world.come(3)
        guard let first = world.take() else {
            Issue.record("nothing to take")
            return
        }
        let early = world.batcher.takeLate(world.clock + .milliseconds(1_900))
        #expect(early.isEmpty)
        let late = world.batcher.takeLate(world.clock + .milliseconds(2_100))
        #expect(late.count == 2)
        #expect(late.allSatisfy { $0.error.code == "overloaded" })
        _ = world.end(first.number, after: 1_000)
        world.come(3)
        let patient = world.batcher.takeLate(world.clock + .seconds(15))
        #expect(patient.isEmpty)
        let all = world.batcher.takeLate(world.clock + .seconds(17))
        #expect(all.count == 3)
    }

    @Test func `what waits takes no more memory than it may, but one may come in any case`() {
        var world = World()
        world.come(1, rows: 1 << 20)
        #expect(world.batcher.queue.waiting.counts.total == 1)
        world.come(1)
        #expect(world.batcher.queue.waiting.counts.total == 1)
        #expect(world.batcher.queue.reading.shed[.normal] == 1)
    }
}
