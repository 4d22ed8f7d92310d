import AloftCompute
import AloftControl
import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import Synchronization
import Testing

struct JobControllerTests {
    @Test func `a job runs to its end, its run follows, and its token dies with it`()
        async throws
    {
        let world = try JobWorld()
        try await world.queue("good", "exit 0")
        let controller = world.controller()
        _ = try await controller.runOnce()
        #expect(try await world.run("good") == .scheduled)
        _ = try await controller.runOnce()
        let attempt = AttemptID(job: JobID("good"), number: 1)
        let token = try #require(
            world.executor.launch(of: attempt)?.variables["MLFLOW_TRACKING_TOKEN"])
        #expect(
            try await world.store.read { try TokenQueries.find($0, secret: token)?.name } == "good")
        _ = try await controller.runOnce()
        #expect(try await world.run("good") == .running)
        try await world.settle(controller)
        #expect(try await world.job("good").outcome == .succeeded)
        #expect(try await world.run("good") == .finished)
        #expect(try await world.store.read { try TokenQueries.find($0, secret: token) } == nil)
        let attempts = try await world.store.read {
            try JobQueries.attempts($0, of: JobID("good"))
        }
        #expect(attempts.map(\.usage) == [AttemptUsage(peakMemoryBytes: 1 << 20, cpuSeconds: 0.25)])
    }

    @Test func `a secret variable is opened for its command alone`() async throws {
        let world = try JobWorld()
        let sealed = try VariableSealer(key: "key").sealed(["API_TOKEN": "hunter2", "N": "1"])
        try await world.queue("good", "exit 0", variables: sealed)
        let controller = world.controller()
        _ = try await controller.runOnce()
        _ = try await controller.runOnce()
        let launch = try #require(
            world.executor.launch(of: AttemptID(job: JobID("good"), number: 1)))
        #expect(launch.variables["API_TOKEN"] == "hunter2" && launch.variables["N"] == "1")
        #expect(launch.masked?.contains("hunter2") == true)
        let lost = try VariableSealer(key: "other").sealed(["API_TOKEN": "hunter2"])
        try await world.queue("lost", "exit 0", variables: lost)
        try await world.settle(controller)
        guard case .failed(.notStarted(let reason)) = try await world.job("lost").outcome else {
            Issue.record("it ran")
            return
        }
        #expect(reason.contains("API_TOKEN") && reason.contains("Apply the project file again"))
    }

    @Test(arguments: ["exit 0", "exit 3"])
    func `a job that registers makes its run's model a version, if it succeeds`(command: String)
        async throws
    {
        let world = try JobWorld()
        try await world.queue("train", command, registers: "delay")
        try await world.logModel("m-1", by: "train")
        try await world.settle(world.controller())
        let version = try await world.store.read {
            try RegistryQueries.version($0, "delay", of: RunID("run-train"))
        }
        #expect(version?.source == (command == "exit 0" ? "models:/m-1" : nil))
    }

    @Test func `a version that the script registered itself is not made again`() async throws {
        let world = try JobWorld()
        try await world.queue("train", "exit 0", registers: "delay")
        try await world.logModel("m-1", by: "train")
        let now = world.time.now
        try await world.store.write { db in
            try RegistryQueries.ensureModel(
                db, name: "delay", project: ProjectID("flights"), who: .local, at: now)
            try RegistryQueries.createVersion(
                db,
                NewModelVersion(
                    name: "delay", source: "models:/m-1", run: RunID("run-train"),
                    loggedModel: LoggedModelID("m-1")), who: .local, at: now)
        }
        try await world.settle(world.controller())
        let versions = try await world.store.read { try RegistryQueries.versions($0, of: "delay") }
        #expect(versions.map(\.version) == [1])
    }

    @Test func `a job that registers but logged no model says so in its events`() async throws {
        let world = try JobWorld()
        try await world.queue("train", "exit 0", registers: "delay")
        try await world.settle(world.controller())
        #expect(try await world.job("train").outcome == .succeeded)
        let events = try await world.store.read {
            try EventLog.list($0, entity: "job", entityID: "train", limit: 100)
        }
        #expect(events.last?.what == "registeredNothing")
        #expect(events.last?.why?.contains("delay") == true)
    }

    @Test func `a command that fails is not repeated`() async throws {
        let world = try JobWorld()
        try await world.queue("bad", "exit 3")
        try await world.settle(world.controller())
        #expect(try await world.job("bad").outcome == .failed(.exited(code: 3)))
        #expect(try await world.run("bad") == .failed)
        #expect(world.executor.starts == [AttemptID(job: JobID("bad"), number: 1): 1])
    }

    @Test(arguments: ["sleep", "deaf", "stuck"])
    func `a stop reaches the command`(command: String) async throws {
        let world = try JobWorld()
        try await world.queue("long", command)
        let controller = world.controller()
        for _ in 0..<4 { _ = try await controller.runOnce() }
        let now = world.time.now
        try await world.store.write { db in
            _ = try JobQueries.requestStop(
                db, JobID("long"), reason: "enough", at: now, by: .local)
        }
        try await world.settle(controller)
        #expect(try await world.job("long").outcome == .stopped)
        #expect(try await world.run("long") == .killed)
    }

    @Test func `a lost attempt is tried again, as often as the job allows`() async throws {
        let world = try JobWorld()
        try await world.queue("cursed", "lose")
        try await world.settle(world.controller())
        #expect(try await world.job("cursed").outcome == .failed(.lost(reason: "it was lost")))
        #expect(world.executor.starts.count == 3)
        #expect(world.executor.starts.values.allSatisfy { $0 == 1 })
    }

    @Test func `an executor that does not answer loses its attempts when their lease is over`()
        async throws
    {
        let world = try JobWorld()
        try await world.queue("far", "sleep")
        let controller = world.controller()
        for _ in 0..<4 { _ = try await controller.runOnce() }
        world.executor.isUnreachable = true
        _ = try await controller.runOnce()
        #expect(try await world.job("far").state.name == .running)
        world.time.advance(by: .seconds(121))
        _ = try await controller.runOnce()
        #expect(try await world.job("far").state == .queued(attempt: 2))
    }

    @Test func `a clock that is set back by a day holds up no job and no lease`() async throws {
        let world = try JobWorld()
        let clock = SetBackClock()
        // Real timers, and a wall clock that somebody sets.
        let controller = world.controller(
            time: TimeSource(clock: ContinuousClock(), now: { clock.now }))
        let running = Task { try await controller.run() }
        func wait(for name: String, _ holds: (JobRecord) -> Bool) async throws {
            while true {
                let seen = world.store.changes.count()
                if holds(try await world.job(name)) { return }
                await world.store.changes.wait(
                    after: seen, of: .jobs, upTo: .seconds(600))
            }
        }
        try await world.queue("far", "sleep")
        try await wait(for: "far") { $0.state.name == .running }
        clock.setBack()
        try await world.queue("good", "exit 0")
        try await wait(for: "good") { $0.outcome == .succeeded }
        // The lease of before ended tomorrow; it is given up in time nonetheless.
        try await wait(for: "far") { ($0.state.leaseUntil ?? .distantFuture) <= clock.now + 121 }
        running.cancel()
        _ = try? await running.value
    }

    private final class SetBackClock: Sendable {
        private let day = Mutex<TimeInterval>(0)
        var now: Date { Date() - day.withLock { $0 } }
        func setBack() { day.withLock { $0 = 86_400 } }
    }

    @Test func `a lease is renewed while the attempt is seen`() async throws {
        let world = try JobWorld()
        try await world.queue("long", "sleep")
        let controller = world.controller()
        for _ in 0..<10 {
            _ = try await controller.runOnce()
            world.time.advance(by: .seconds(50))
        }
        let until = try #require(try await world.job("long").state.leaseUntil)
        #expect(until > world.time.now)
    }

    @Test func `a job that the executor refuses fails with the reason`() async throws {
        let world = try JobWorld()
        try await world.queue("refused", "exit 0")
        world.executor.refusal = .cannotStart(reason: "no room on the disk")
        try await world.settle(world.controller())
        #expect(
            try await world.job("refused").outcome
                == .failed(.notStarted(reason: "no room on the disk")))
        #expect(try await world.run("refused") == .failed)
    }

    @Test func `a job larger than the pool fails at once`() async throws {
        let world = try JobWorld()
        try await world.queue("huge", "exit 0", cpus: 64)
        _ = try await world.controller().runOnce()
        guard case .failed(.notStarted(let reason)) = try await world.job("huge").outcome else {
            Issue.record("it waits for ever")
            return
        }
        #expect(reason.contains("64.0 processor cores"))
    }

    @Test func `a job that cannot be begun holds up no other`() async throws {
        let world = try JobWorld()
        try await world.queue("broken", "broken")
        try await world.queue("good", "exit 0")
        try await world.settle(world.controller(), looks: 6)
        #expect(try await world.job("good").outcome == .succeeded)
        #expect(try await world.job("broken").state.name == .starting)
    }

    @Test func `no more of a group run than may`() async throws {
        let world = try JobWorld()
        for number in 1...4 {
            try await world.queue(
                "trial\(number)", "sleep", cpus: 0.1, group: JobGroup(name: "sweep", parallel: 2))
        }
        let controller = world.controller()
        for _ in 0..<5 { _ = try await controller.runOnce() }
        let live = try await world.store.read { try JobQueries.live($0) }
        #expect(live.map(\.state.name) == [.running, .running, .queued, .queued])
    }
}

/// The controller is killed after each of its effects in turn; the file is opened again and another
/// goes on: the end is the same, and no attempt began twice.
struct JobCrashTests {
    private func fill(_ world: JobWorld) async throws {
        try await world.queue("good", "exit 0")
        try await world.queue("bad", "exit 2")
        try await world.queue("cursed", "lose")
        try await world.queue("long", "deaf")
        try await world.queue("huge", "exit 0", cpus: 9)
    }

    private func stopLong(_ world: JobWorld) async throws {
        let now = world.time.now
        try await world.store.write { db in
            _ = try JobQueries.requestStop(
                db, JobID("long"), reason: "enough", at: now, by: .local)
        }
    }

    /// Goes on until all have ended; `long` is stopped once it runs.
    private func finish(_ world: JobWorld, _ controller: JobController) async throws {
        for _ in 0..<80 {
            _ = try await controller.runOnce()
            if try await world.job("long").state.name == .running { try await stopLong(world) }
            if try await world.store.read({ try JobQueries.live($0) }).isEmpty { return }
            world.time.advance(by: .milliseconds(250))
        }
    }

    private static let mostEffects = 60

    @Test func `the kills below reach past the last effect`() async throws {
        let world = try JobWorld()
        try await fill(world)
        try await finish(world, world.controller(killedAfter: Self.mostEffects))
        #expect(try await world.store.read { try JobQueries.live($0) }.isEmpty)
    }

    @Test(arguments: 0...mostEffects)
    func `a kill after any effect changes nothing in the end`(effects: Int) async throws {
        let world = try JobWorld()
        try await fill(world)
        do {
            try await finish(world, world.controller(killedAfter: effects))
        } catch is EffectHook.Killed {
            try world.reopen()
            try await finish(world, world.controller())
        }
        #expect(try await world.job("good").outcome == .succeeded)
        #expect(try await world.job("bad").outcome == .failed(.exited(code: 2)))
        #expect(try await world.job("cursed").outcome == .failed(.lost(reason: "it was lost")))
        #expect(try await world.job("long").outcome == .stopped)
        #expect(try await world.job("huge").outcome != nil)
        #expect(world.executor.starts.values.allSatisfy { $0 == 1 })
        #expect(world.executor.starts.count == 6)
        for (name, status) in [
            ("good", RunStatus.finished), ("bad", .failed), ("cursed", .failed), ("long", .killed),
            ("huge", .failed),
        ] {
            #expect(try await world.run(name) == status)
        }
        let tokens = try await world.store.read { db in
            try ["good", "bad", "cursed", "long"].map { name in
                try (1...3).contains { number in
                    let attempt = AttemptID(job: JobID(name), number: number)
                    let secret = JobTokens.secret(key: "key", attempt: attempt)
                    return try TokenQueries.find(db, secret: secret) != nil
                }
            }
        }
        #expect(tokens.allSatisfy { !$0 })
    }
}
