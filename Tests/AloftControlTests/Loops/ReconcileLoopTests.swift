import AloftDomain
import AloftStore
import AloftTestKit
import Logging
import Synchronization
import Testing

@testable import AloftControl

/// How a loop wakes, waits, fails and ends, on time that stands still.
struct ReconcileLoopTests {
    private struct Broken: Error {}

    /// Runs a loop whose turns a test counts and answers.
    private final class World: Sendable {
        let changes = ChangeSignal()
        let time = ManualTime()
        private let running: Task<Void, any Error>
        private let begun: AsyncStream<Int>

        init(
            wakesOn: ChangeSignal.Entities = .jobs, leastPause: Duration = .zero,
            longestWait: Duration = .seconds(30),
            _ turn: @escaping @Sendable (Int, ChangeSignal) async throws -> ReconcileLoop.Next
        ) {
            let loop = ReconcileLoop(
                name: "test",
                pace: .init(wakesOn: wakesOn, leastPause: leastPause, longestWait: longestWait),
                changes: changes, clock: time.source.clock,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            let (stream, begin) = AsyncStream.makeStream(of: Int.self)
            begun = stream
            running = Task { [changes] in
                var number = 0
                try await loop.run {
                    number += 1
                    begin.yield(number)
                    return try await turn(number, changes)
                }
                begin.finish()
            }
        }

        /// Returns when turn `number` has begun.
        func turn(_ number: Int) async {
            for await begun in begun where begun >= number { return }
            Issue.record("the loop ended before turn \(number)")
        }

        /// Returns when the loop waits, for at least one timer.
        func rest() async { await time.waitForSleepers() }

        func end() async {
            running.cancel()
            _ = await running.result
        }

        var result: Result<Void, any Error> { get async { await running.result } }
    }

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func add() { value.withLock { $0 += 1 } }
    }

    @Test func `a commit between a turn's read and its wait makes another turn`() async {
        let world = World { number, changes in
            // As another writer would, while this turn acts on what it has read.
            if number < 5 { changes.notify(.jobs) }
            return .whenWoken
        }
        await world.turn(5)
        await world.end()
    }

    @Test func `a stream of commits becomes one turn a pause`() async {
        let turns = Counter()
        let world = World(leastPause: .milliseconds(100)) { _, _ in
            turns.add()
            return .whenWoken
        }
        await world.turn(1)
        await world.rest()
        for _ in 0..<1000 { world.changes.notify(.jobs) }
        #expect(turns.count == 1)
        world.time.advance(by: .milliseconds(100))
        await world.turn(2)
        await world.rest()
        #expect(turns.count == 2)
        await world.end()
    }

    @Test func `what is not its affair does not wake it`() async {
        let turns = Counter()
        let world = World { _, _ in
            turns.add()
            return .whenWoken
        }
        await world.turn(1)
        await world.rest()
        for _ in 0..<1000 { world.changes.notify([.metrics, .runs, .events]) }
        world.changes.notify(.jobs)
        await world.turn(2)
        #expect(turns.count == 2)
        await world.end()
    }

    @Test func `a turn says what wakes the next, and when it comes at the latest`() async {
        let world = World { number, _ in
            switch number {
            case 1: .init(wakesOn: .metrics)
            case 2: .within(.seconds(3))
            default: .whenWoken
            }
        }
        await world.turn(1)
        await world.rest()
        world.changes.notify(.jobs)
        world.changes.notify(.metrics)
        await world.turn(2)
        await world.rest()
        world.time.advance(by: .seconds(3))
        await world.turn(3)
        await world.rest()
        world.time.advance(by: .seconds(30))
        await world.turn(4)
        await world.end()
    }

    @Test func `a turn that fails is made again after pauses that grow up to a bound`() async {
        let turns = Counter()
        let world = World { number, changes in
            turns.add()
            changes.notify(.jobs)
            if number < 8 { throw Broken() }
            return .whenWoken
        }
        for (turn, pause) in zip(1..., [1, 2, 4, 5, 5, 5, 5]) {
            await world.turn(turn)
            await world.rest()
            world.time.advance(by: .milliseconds(Int64(pause) * 1000 - 1))
            #expect(turns.count == turn, "commits do not shorten the pause")
            world.time.advance(by: .milliseconds(1))
        }
        // It works again, and takes up what came meanwhile.
        await world.turn(9)
        await world.end()
    }

    @Test func `a loop that waits ends when it is cancelled, wherever it waits`() async throws {
        for fails in [false, true] {
            let world = World(leastPause: .seconds(1)) { _, _ in
                if fails { throw Broken() }
                return .whenWoken
            }
            await world.turn(1)
            await world.rest()
            await world.end()
            try await world.result.get()
        }
    }

    @Test func `a loop without entities goes by time alone`() async {
        let world = World(wakesOn: [], longestWait: .seconds(5)) { _, _ in .whenWoken }
        await world.turn(1)
        await world.rest()
        world.changes.notify()
        world.time.advance(by: .seconds(5))
        await world.turn(2)
        await world.end()
    }

    @Test func `a kill at an effect ends the loop`() async {
        let world = World { _, _ in throw EffectHook.Killed() }
        await #expect(throws: EffectHook.Killed.self) { try await world.result.get() }
    }
}
