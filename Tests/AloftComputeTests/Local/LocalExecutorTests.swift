import AloftCompute
import AloftDomain
import AloftProcess
import AloftTestKit
import Foundation
import Testing

@Suite(.serialized) struct LocalExecutorTests {
    /// A child in a session of its own, and one whose parents are gone: neither is in the process
    /// group of the command.
    private static let escapes = """
        setsid sh -c 'echo setsid; sleep 300' &
        (sh -c 'sh -c "echo orphan; sleep 301" & exit 0' &)
        """

    @Test func `a command runs in a folder of its own and leaves its status and output`()
        async throws
    {
        let world = try ExecutorWorld()
        #expect(try await world.executor.observe(world.attempt) == .absent)
        try await world.start("echo $GREETING; pwd; echo error >&2; exit 5")
        let report = try await world.end()
        #expect(report.end == .exited(code: 5))
        #expect(report.cpuSeconds >= 0)
        #expect(report.peakMemoryBytes > 0)
        let log = try await world.log()
        #expect(log.contains("hello\n"))
        #expect(log.contains(world.attemptFolder + "/work"))
        #expect(log.contains("error\n"))
        // The order held the job's token.
        #expect(!FileManager.default.fileExists(atPath: world.attemptFolder + "/order.json"))
    }

    @Test func `an attempt that is started twice runs once`() async throws {
        let world = try ExecutorWorld()
        let counter = world.folder.path + "/count"
        try await world.start("echo x >> \(counter)")
        try await world.start("echo x >> \(counter)")
        let other = try world.anotherExecutor()
        try await other.start(
            JobLaunch(attempt: world.attempt, command: "echo x >> \(counter)"))
        _ = try await world.end()
        try await world.start("echo x >> \(counter)")
        // Whatever was started carries the attempt's mark until it has ended.
        try await world.waitForNoSurvivors()
        #expect(try String(contentsOfFile: counter, encoding: .utf8) == "x\n")
    }

    @Test func `what a command leaves behind ends with it`() async throws {
        let world = try ExecutorWorld()
        try await world.start(Self.escapes + "\nsleep 0.5; exit 0")
        #expect(try await world.end().end == .exited(code: 0))
        #expect(try await world.log().contains("orphan"))
        try await world.waitForNoSurvivors()
    }

    @Test func `a stop ends the whole tree, those that are deaf to SIGTERM too`() async throws {
        let world = try ExecutorWorld()
        try await world.start(
            "trap '' TERM\n" + Self.escapes + "\nwhile true; do sleep 0.1; done",
            grace: .seconds(60))
        try await world.waitForLog("orphan")
        try await world.waitForLog("setsid")
        try await world.executor.stop(world.attempt, grace: .milliseconds(300))
        #expect(try await world.end().end == .stopped)
        try await world.waitForNoSurvivors()
    }

    @Test func `a command that is told to end may tidy up`() async throws {
        let world = try ExecutorWorld()
        try await world.start(
            "trap 'echo tidy; exit 0' TERM; echo ready; while true; do sleep 0.1; done")
        try await world.waitForLog("ready")
        try await world.executor.stop(world.attempt, grace: .seconds(30))
        #expect(try await world.end().end == .stopped)
        #expect(try await world.log().contains("tidy"))
    }

    @Test func `a command over its time is ended`() async throws {
        let world = try ExecutorWorld()
        try await world.start(
            "sleep 300", resources: Resources(timeLimit: .milliseconds(400)))
        #expect(
            try await world.end().end == .failed(.timedOut(limit: .milliseconds(400))))
        try await world.waitForNoSurvivors()
    }

    @Test func `a command over its memory is ended and says so`() async throws {
        let world = try ExecutorWorld()
        let limit: Int64 = 64 << 20
        try await world.start(
            "exec python3 -c 'b = bytearray(400 << 20); print(len(b)); import time; time.sleep(9)'",
            resources: Resources(memoryBytes: limit))
        #expect(try await world.end().end == .failed(.outOfMemory(limitBytes: limit)))
    }

    @Test func `a signal that nobody asked for is a failure`() async throws {
        let world = try ExecutorWorld()
        try await world.start("kill -SEGV $$")
        #expect(try await world.end().end == .failed(.signalled(number: SIGSEGV)))
    }

    @Test func `another server adopts what runs and learns its status`() async throws {
        let world = try ExecutorWorld()
        let gate = world.folder.path + "/gate"
        try await world.start("echo up; while [ ! -e \(gate) ]; do sleep 0.05; done; exit 7")
        try await world.waitForLog("up")
        let next = try world.anotherExecutor()
        try await world.waitForRunning(by: next)
        _ = FileManager.default.createFile(atPath: gate, contents: nil)
        #expect(try await world.end(by: next).end == .exited(code: 7))
    }

    @Test func `an attempt whose keeper is killed is lost, and nothing of it is left`()
        async throws
    {
        let world = try ExecutorWorld()
        try await world.start(Self.escapes + "\necho up; sleep 300")
        try await world.waitForLog("up")
        try await world.waitForLog("orphan")
        kill(try world.shim(), SIGKILL)
        var observation = try await world.executor.observe(world.attempt)
        _ = try await happens {
            observation = try await world.executor.observe(world.attempt)
            return observation != .running && observation != .preparing
        }
        guard case .lost = observation else {
            Issue.record("\(observation)")
            return
        }
        try await world.executor.forget(world.attempt)
        try await world.waitForNoSurvivors()
    }

    @Test func `SIGTERM to the keeper loses the attempt, so that it is tried again`()
        async throws
    {
        let world = try ExecutorWorld()
        try await world.start("echo up; sleep 300")
        try await world.waitForLog("up")
        kill(try world.shim(), SIGTERM)
        guard case .interrupted = try await world.end().end else {
            Issue.record("not interrupted")
            return
        }
    }

    @Test func `what is used is sampled while it runs`() async throws {
        let world = try ExecutorWorld()
        try await world.start(
            "exec python3 -c 'import time; b = b\"x\" * (80 << 20); e = time.time() + 2.4\nwhile time.time() < e: pass'"
        )
        let report = try await world.end()
        #expect(report.end == .exited(code: 0))
        #expect(report.cpuSeconds > 0.5)
        #expect(report.peakMemoryBytes > 80 << 20)
        let samples = try await world.executor.usage(world.attempt)
        #expect(!samples.isEmpty)
        #expect(samples.contains { $0.memoryBytes > 80 << 20 })
        #expect(samples.contains { $0.cpus > 0.1 })
    }

    @Test func `code is unpacked from a snapshot that has its digest`() async throws {
        let world = try ExecutorWorld()
        let source = world.folder.path + "/source"
        try FileManager.default.createDirectory(
            atPath: source, withIntermediateDirectories: true)
        try Data("print('from the snapshot')".utf8)
            .write(to: URL(fileURLWithPath: source + "/main.py"))
        let tar = world.folder.path + "/code.tar"
        let pack = Spawn(
            executable: "/bin/tar", arguments: ["-c", "-f", tar, "-C", source, "."], variables: [:])
        #expect(try pack.run() == 0)
        let digest = try #require(FileDigest.compute(path: tar))
        try await world.start(
            "python3 main.py", snapshot: JobLaunch.Snapshot(digest: digest, path: tar))
        #expect(try await world.end().end == .exited(code: 0))
        #expect(try await world.log().contains("from the snapshot"))
        #expect(!FileManager.default.fileExists(atPath: world.attemptFolder + "/work"))

        let damaged = try ExecutorWorld()
        let other = try #require(ContentDigest(hex: String(repeating: "0", count: 64)))
        try await damaged.start("true", snapshot: JobLaunch.Snapshot(digest: other, path: tar))
        guard case .failed(.notStarted(let reason)) = try await damaged.end().end else {
            Issue.record("it started")
            return
        }
        #expect(reason.contains("damaged"))
    }
}
