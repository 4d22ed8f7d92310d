import AloftCompute
import AloftDomain
import AloftProcess
import AloftTestKit
import Foundation
import Testing

/// A local executor with folders of its own and the real shim.
final class ExecutorWorld: Sendable {
    let folder: TemporaryFolder
    let executor: LocalExecutor
    let attempt = AttemptID(job: JobID("job\(UInt32.random(in: 0...UInt32.max))"), number: 1)

    init(
        uv: String? = nil, isolation: IsolationKind = Given.best, isRequired: Bool = false,
        limits: JobLimits = JobLimits()
    ) throws {
        folder = try TemporaryFolder()
        var configuration = try Self.configuration(folder, uv: uv)
        configuration.isolation.kind = isolation
        configuration.isolation.isRequired = isRequired
        configuration.limits = limits
        executor = LocalExecutor(configuration: configuration)
    }

    private static func configuration(
        _ folder: TemporaryFolder, uv: String?
    ) throws -> LocalExecutor.Configuration {
        var variables = ProcessInfo.processInfo.environment
        variables["ALOFT_TEST"] = "yes"
        return LocalExecutor.Configuration(
            jobs: folder.path + "/jobs", environments: folder.path + "/environments",
            program: try BuiltProgram.path(), uv: uv, variables: variables,
            // Not the whole folder: tests look at what jobs write beside their own.
            isolation: IsolationPolicy(
                kind: Given.best,
                hidden: [folder.path + "/jobs", folder.path + "/environments"],
                home: variables["HOME"]))
    }

    /// As a server that was started again has it: with no memory of what the first one began.
    func anotherExecutor() throws -> LocalExecutor {
        LocalExecutor(configuration: try Self.configuration(folder, uv: nil))
    }

    var attemptFolder: String { "\(folder.path)/jobs/\(attempt.job)/\(attempt.number)" }

    func start(
        _ command: String, resources: Resources = Resources(), python: PythonEnvironment? = nil,
        snapshot: JobLaunch.Snapshot? = nil, grace: Duration = .seconds(5)
    ) async throws {
        try await executor.start(
            JobLaunch(
                attempt: attempt, command: command, variables: ["GREETING": "hello"],
                snapshot: snapshot, python: python, resources: resources, stopGrace: grace))
    }

    /// Waits for the end, at most a minute.
    func end(by executor: (any Executor)? = nil) async throws -> AttemptReport {
        var observation = AttemptObservation.absent
        _ = try await happens {
            observation = try await (executor ?? self.executor).observe(attempt)
            switch observation {
            case .ended, .lost: return true
            case .absent, .preparing, .running: return false
            }
        }
        if case .ended(let report) = observation { return report }
        Issue.record("the attempt did not end but is \(observation): \(try await log())")
        throw CancellationError()
    }

    func log() async throws -> String {
        String(
            decoding: try await executor.log(attempt, from: 0, limit: 1 << 20), as: UTF8.self)
    }

    /// Waits until the log holds `text`.
    func waitForLog(_ text: String) async throws {
        if try await happens({ try await log().contains(text) }) { return }
        Issue.record("the log never held \(text): \(try await log())")
    }

    /// Waits until `executor` sees the command run: its first words may be in the log before the
    /// shim has written that it began.
    func waitForRunning(by executor: LocalExecutor) async throws {
        var observation = AttemptObservation.absent
        _ = try await happens {
            observation = try await executor.observe(attempt)
            switch observation {
            case .running, .ended, .lost: return true
            case .absent, .preparing: return false
            }
        }
        guard case .running = observation else {
            Issue.record("it does not run but is \(observation): \(try await log())")
            return
        }
    }

    /// The shim's process id.
    func shim() throws -> pid_t {
        let data = try #require(FileManager.default.contents(atPath: attemptFolder + "/shim.json"))
        return try JSONDecoder().decode(ProcessIdentity.self, from: data).processID
    }

    /// Every process that carries this attempt's mark.
    func survivors() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { name in
            guard Int(name) != nil,
                let data = FileManager.default.contents(atPath: "/proc/\(name)/environ")
            else { return false }
            return String(decoding: data, as: UTF8.self)
                .contains("ALOFT_ATTEMPT=\(attempt.job).\(attempt.number)")
        }
    }

    func waitForNoSurvivors() async throws {
        try await eventually("nothing of the attempt to be left") { survivors().isEmpty }
    }
}

/// The `aloft` program that was built beside the tests.
enum BuiltProgram {
    static func path() throws -> String {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        var folder = program.deletingLastPathComponent()
        for _ in 0..<6 {
            let candidate = folder.appending(path: "aloft").path
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder),
                !isFolder.boolValue
            {
                return candidate
            }
            folder.deleteLastPathComponent()
        }
        throw CocoaError(.fileNoSuchFile)
    }
}
