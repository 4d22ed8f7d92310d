import AloftArtifacts
import AloftScheduling
import AloftTestKit
import Logging
import Synchronization
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// All loops over one store: which of them look when something is committed.
struct LoopWakingTests {
    /// How often each loop looked.
    private final class Turns: Sendable {
        private let counts = Mutex<[String: Int]>([:])

        func add(_ loop: String) { counts.withLock { $0[loop, default: 0] += 1 } }
        var all: [String: Int] { counts.withLock { $0 } }
    }

    private typealias Turn = @Sendable () async throws -> ReconcileLoop.Next

    private func loops(_ world: DeploymentWorld) throws -> [(loop: ReconcileLoop, turn: Turn)] {
        let (store, time, chance) = (world.store, world.time.source, world.chance)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let artifacts = try ArtifactFolder(
            root: world.folder.path + "/artifacts", chance: chance)
        let snapshot = try #require(ContentDigest(hex: String(repeating: "c", count: 64)))
        let jobs = JobController(
            store: store, executor: FakeExecutor(), time: time, chance: chance, logger: logger,
            configuration: .init(
                capacity: .init(cpus: 1, memoryBytes: 1 << 30), serverURL: "http://127.0.0.1:1",
                tokenKey: "key", blobPath: { "/blobs/\($0)" }))
        let sweeps = SweepController(store: store, time: time, chance: chance, logger: logger)
        let conversions = ConversionController(
            store: store,
            tools: .init(
                snapshot: { snapshot }, files: VersionFiles(artifacts: artifacts),
                lastLines: { _ in "" }), time: time, chance: chance, logger: logger)
        let webhooks = WebhookController(
            store: store, sender: WebhookSender(check: { _ in }, send: { _ in .status(200) }),
            time: time, chance: chance, logger: logger)
        let deployments = world.controller
        return [
            (deployments.loop, { try await deployments.turn() }),
            (jobs.loop, { try await jobs.turn() }), (sweeps.loop, { try await sweeps.turn() }),
            (conversions.loop, { try await conversions.turn() }),
            (
                webhooks.loop,
                {
                    _ = try await webhooks.runOnce()
                    return .whenWoken
                }
            ),
        ]
    }

    @Test func `a stream of metrics wakes no loop and nobody who follows events`() async throws {
        let world = try DeploymentWorld()
        let changes = world.store.changes
        let run = try await world.run()
        let turns = Turns()
        let (looked, look) = AsyncStream.makeStream(of: String.self)
        let loops = try loops(world)
        let tasks = loops.map { loop, turn in
            Task {
                try await loop.run {
                    turns.add(loop.name)
                    look.yield(loop.name)
                    return try await turn()
                }
            }
        }
        // The first turns, what those changed, and their pauses; then each waits with one timer.
        for _ in 0..<4 {
            await world.time.waitForSleepers(loops.count)
            world.time.advance(by: .seconds(1))
        }
        await world.time.waitForSleepers(loops.count)
        let before = turns.all
        let seen = changes.count()
        for step in 0..<300 {
            try await world.store.write(as: .metrics) { db in
                let point = MetricPoint(value: 1, timestamp: Int64(step), step: Int64(step))
                try TrackingQueries.log(db, run, [MetricSeries(key: "loss", points: [point])])
            }
        }
        #expect(changes.hasChanged(.metrics, after: seen))
        #expect(!changes.hasChanged(.all.subtracting(.metrics), after: seen))
        // Wakes are told together: who waited for points would have looked before this one's turn.
        changes.notify(.webhooks)
        var names = looked.makeAsyncIterator()
        while let name = await names.next() {
            if name == "webhooks", turns.all[name] != before[name] { break }
        }
        var after = before
        after["webhooks", default: 0] += 1
        #expect(before.count == 5)
        #expect(turns.all == after)
        for task in tasks { task.cancel() }
        for task in tasks { try await task.value }
    }
}

extension DeploymentWorld {
    /// A run that goes on.
    fileprivate func run() async throws -> RunHandle {
        let (id, now): (RunID, _) = (chance.identifier(), time.now)
        return try await store.write { db in
            try TrackingQueries.createRun(
                db,
                NewRun(
                    id: id, experiment: ExperimentID("0"), name: "r", user: "ann",
                    startTime: now.millisecondsSince1970))
        }
    }
}
