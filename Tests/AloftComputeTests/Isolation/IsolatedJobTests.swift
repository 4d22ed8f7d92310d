import AloftCompute
import AloftDomain
import AloftProcess
import AloftTestKit
import Foundation
import Testing

/// Jobs of the real shim that take what is not theirs, and that take without end.
@Suite(.serialized) struct IsolatedJobTests {
    @Test(arguments: Given.kinds)
    func `a job sees neither its order nor another's files`(kind: IsolationKind) async throws {
        let world = try ExecutorWorld(isolation: kind)
        try FileManager.default.createDirectory(
            atPath: world.folder.path + "/jobs", withIntermediateDirectories: true)
        try Data("SECRET".utf8).write(
            to: URL(fileURLWithPath: world.folder.path + "/jobs/token.key"))
        try await world.start(
            """
            cat ../order.json ../shim.json ../../../token.key && echo GOT
            find ../../.. -name '*.json' -o -name '*.key'; echo kept > $ALOFT_CHECKPOINT_DIR/state
            (echo x >> ../log) 2>/dev/null && echo GOT log; touch file && echo worked; pwd
            kill -9 $PPID; echo the keeper lives
            """)
        #expect(try await world.end().end == .exited(code: 0))
        let log = try await world.log()
        #expect(!log.contains("SECRET") && !log.contains("GOT"), "\(log)")
        #expect(log.contains("worked"))
        #expect(log.contains("the keeper lives"))
        #expect(try await world.executor.isolation(world.attempt) == kind.rawValue)
        let kept = world.folder.path + "/jobs/\(world.attempt.job)/checkpoints/state"
        #expect(try String(contentsOfFile: kept, encoding: .utf8) == "kept\n")
    }

    @Test(.enabled(if: Given.kinds.contains(.namespaces), "no namespaces here"))
    func `nothing of a job outlives its keeper, however it hides`() async throws {
        let world = try ExecutorWorld(isolation: .namespaces)
        let mark = "aloft-mark-\(UInt32.random(in: 0...UInt32.max))"
        try await world.start(
            "(env -i setsid bash -c 'exec -a \(mark) sleep 300' &); echo ready; sleep 300")
        try await world.waitForLog("ready")
        kill(try world.shim(), SIGKILL)
        try await eventually("what the command left behind to end") {
            let names = try FileManager.default.contentsOfDirectory(atPath: "/proc")
            return !names.contains { name in
                let data = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
                return data.map { String(decoding: $0, as: UTF8.self).hasPrefix(mark) } ?? false
            }
        }
        #expect(
            try await world.executor.observe(world.attempt)
                == .lost(reason: "the job's keeper was killed, or the machine went down"))
    }

    @Test func `a job is refused where isolation is required and cannot be had`() async throws {
        let world = try ExecutorWorld(isolation: IsolationKind.none, isRequired: true)
        let error = await #expect(throws: ComputeError.self) { try await world.start("true") }
        #expect(error?.message.contains("--require-isolation") == true)
    }

    /// A `uv` that never ends, as a package's setup may be.
    private static func slowUV(in folder: String) throws -> String {
        let path = folder + "/uv"
        let script = """
            #!/bin/sh
            case "$1 $2" in
                "python find") echo /usr/bin/env ;;
                *) env | grep -E 'TOKEN|GREETING' && echo GOT variables
                   cat ../order.json && echo GOT order; echo building; sleep 300 ;;
            esac
            """
        try Data(script.utf8).write(to: URL(fileURLWithPath: path))
        chmod(path, 0o755)
        return path
    }

    @Test func `the building of packages counts as the job's time and gets none of its secrets`()
        async throws
    {
        let folder = try TemporaryFolder()
        let python = folder.path + "/python"
        try Data("#!/bin/sh\necho CPython 3 x\n".utf8).write(to: URL(fileURLWithPath: python))
        chmod(python, 0o755)
        let uv = try Self.slowUV(in: folder.path)
        var script = try String(contentsOfFile: uv, encoding: .utf8)
        script = script.replacingOccurrences(of: "/usr/bin/env", with: python)
        try Data(script.utf8).write(to: URL(fileURLWithPath: uv))
        let world = try ExecutorWorld(uv: uv, isolation: Given.best)
        let limit = Duration.seconds(2)
        try await world.start(
            "true", resources: Resources(timeLimit: limit),
            python: PythonEnvironment(requirements: .text("nothing")), grace: .milliseconds(100))
        #expect(try await world.end().end == .failed(.timedOut(limit: limit)))
        let log = try await world.log()
        #expect(log.contains("building"), "\(log)")
        if Given.best != .none { #expect(!log.contains("GOT"), "\(log)") }
    }

    @Test func `of a log over its limit the first and the last part are kept`() async throws {
        let limits = JobLimits(logBytes: 64 << 10)
        let world = try ExecutorWorld(isolation: Given.best, limits: limits)
        try await world.start("echo begin; seq 1 200000; echo end")
        #expect(try await world.end().end == .exited(code: 0))
        let log = try await world.log()
        // Not as expressions of the log: a fault would print all of it.
        let begin = String(log.prefix(100))
        let end = String(log.suffix(100))
        let isCut = log.contains("bytes are cut here")
        let bytes = log.utf8.count
        #expect(begin.hasPrefix("begin\n1\n2\n"))
        #expect(end.hasSuffix("199999\n200000\nend\n"))
        #expect(isCut)
        #expect(bytes < 80 << 10)
        #expect(bytes > 40 << 10)
    }

    @Test func `a job over its disk limit ends and says why`() async throws {
        let limits = JobLimits(diskBytes: 8 << 20)
        let world = try ExecutorWorld(isolation: Given.best, limits: limits)
        try await world.start(
            "for i in 1 2 3 4; do head -c 4194304 /dev/urandom > part$i; done; sleep 300")
        #expect(
            try await world.end().end == .failed(.tooMuchDisk(limitBytes: limits.diskBytes)))
    }
}
