package import AloftDomain
package import AloftProcess
package import Foundation
import Synchronization

/// Runs jobs as processes of this machine, each kept by a shim that outlives the server.
///
/// Everything known of an attempt is in its folder, so that a new server finds what an old one
/// began: the shim by process and start time, the end in a file. Only the shim writes there, but for
/// the order and the request to stop.
package final class LocalExecutor: Executor {
    package struct Configuration: Sendable {
        /// The folder of attempts.
        package var jobs: String
        /// The folder of Python environments.
        package var environments: String
        /// The program whose `shim` command keeps an attempt.
        package var program: String
        package var uv: String?
        /// What every job inherits of the server's environment.
        package var variables: [String: String]
        package var isolation: IsolationPolicy
        package var limits: JobLimits
        /// Requirements may name any source of packages.
        package var allowsAnySource = false

        package init(
            jobs: String, environments: String, program: String, uv: String?,
            variables: [String: String], isolation: IsolationPolicy = .off,
            limits: JobLimits = JobLimits()
        ) {
            self.jobs = jobs
            self.environments = environments
            self.program = program
            self.uv = uv
            self.variables = variables
            self.isolation = isolation
            self.limits = limits
        }
    }

    /// How often a shim that dies before it says who it is, is tried again.
    private static let mostStarts = 3

    private struct Spawned {
        var processID: pid_t
        var starts: Int
    }

    private let configuration: Configuration
    /// Shims that this process began, so that they are reaped, and known before they say who they
    /// are.
    private let spawned = Mutex<[AttemptID: Spawned]>([:])

    package init(configuration: Configuration) { self.configuration = configuration }

    private func folder(_ attempt: AttemptID) -> AttemptFolder {
        AttemptFolder(jobs: configuration.jobs, attempt: attempt)
    }

    package func start(_ launch: JobLaunch) async throws {
        let attempt = launch.attempt
        guard try observation(of: attempt) == .absent else { return }
        let policy = configuration.isolation
        if policy.isRequired, policy.kind == .none {
            throw ComputeError.cannotStart(
                reason: "jobs may only run isolated here (--require-isolation), and this machine "
                    + "gives no isolation; `aloft doctor` says why")
        }
        let folder = folder(attempt)
        do {
            try FileManager.default.createDirectory(
                atPath: folder.path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
            try DurableFile.write(
                ShimOrder(
                    launch: launch, variables: configuration.variables,
                    environments: configuration.environments, uv: configuration.uv,
                    isolation: configuration.isolation, limits: configuration.limits,
                    allowsAnySource: configuration.allowsAnySource),
                to: folder.order)
            ReservedFile.reserve(beside: folder.stop)
            try spawn(attempt, folder)
        } catch let error as ComputeError {
            throw error
        } catch {
            throw ComputeError.cannotStart(reason: "the job cannot be started: \(error)")
        }
    }

    private func spawn(_ attempt: AttemptID, _ folder: AttemptFolder) throws {
        try spawned.withLock { spawned in
            let starts = (spawned[attempt]?.starts ?? 0) + 1
            guard starts <= Self.mostStarts else {
                let tail = FileTail.read(folder.log, from: 0, limit: 2000)
                throw ComputeError.cannotStart(
                    reason: "the job's keeper ended \(Self.mostStarts) times before it began: "
                        + String(decoding: tail, as: UTF8.self))
            }
            let processID = try Spawn(
                executable: configuration.program, arguments: ["shim", folder.path],
                variables: configuration.variables, output: folder.log
            ).start()
            spawned[attempt] = Spawned(processID: processID, starts: starts)
        }
    }

    package func observe(_ attempt: AttemptID) async throws -> AttemptObservation {
        try observation(of: attempt)
    }

    private func observation(of attempt: AttemptID) throws -> AttemptObservation {
        let folder = folder(attempt)
        // Asked before the files are read: a shim that ends meanwhile has written its last by then.
        let isOwnShimAlive = isSpawnedAlive(attempt)
        let shim = try DurableFile.read(ProcessIdentity.self, at: folder.shim)
        let isShimAlive = shim?.isAlive ?? false
        if let report = try DurableFile.read(AttemptReport.self, at: folder.exit) {
            return .ended(report)
        }
        if shim != nil, !isShimAlive {
            return .lost(reason: "the job's keeper was killed, or the machine went down")
        }
        if shim == nil { return isOwnShimAlive ? .preparing : .absent }
        return FileManager.default.fileExists(atPath: folder.started) ? .running : .preparing
    }

    /// Whether the shim that this process began still runs; reaps it if it has ended.
    private func isSpawnedAlive(_ attempt: AttemptID) -> Bool {
        spawned.withLock { spawned in
            guard let process = spawned[attempt], process.processID > 0 else { return false }
            var status: Int32 = 0
            guard waitpid(process.processID, &status, WNOHANG) != 0 else { return true }
            spawned[attempt]?.processID = 0
            return false
        }
    }

    package func stop(_ attempt: AttemptID, grace: Duration) async throws {
        let folder = folder(attempt)
        switch try observation(of: attempt) {
        case .absent, .ended, .lost: return
        case .preparing, .running: break
        }
        if !FileManager.default.fileExists(atPath: folder.stop) {
            try ReservedFile.write(
                StopOrder(graceSeconds: grace.seconds), to: folder.stop)
        }
        // Only a wake-up: the shim looks at the file.
        if let shim = try DurableFile.read(ProcessIdentity.self, at: folder.shim), shim.isAlive {
            kill(shim.processID, SIGTERM)
        }
    }

    package func log(
        _ attempt: AttemptID, from offset: Int64, limit: Int
    ) async throws -> Data {
        FileTail.read(folder(attempt).log, from: offset, limit: limit)
    }

    package func isolation(_ attempt: AttemptID) async throws -> String? {
        KernelFile.read(folder(attempt).isolation)
    }

    package func usage(_ attempt: AttemptID) async throws -> [UsageSample] {
        UsageLog.read(folder(attempt).usage)
    }

    package func forget(_ attempt: AttemptID) async throws {
        let folder = folder(attempt)
        let observation = try observation(of: attempt)
        switch observation {
        case .preparing, .running: return
        case .lost: endOrphans(of: attempt)
        case .absent, .ended: break
        }
        spawned.withLock { _ = $0.removeValue(forKey: attempt) }
        unlink(folder.order)
        unlink(folder.stop + ".reserve")
        for path in [folder.work, folder.build, folder.home]
        where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: path)
        }
    }

    /// Kills what an attempt left when its keeper was killed: its control group, and every process
    /// that carries its mark.
    private func endOrphans(of attempt: AttemptID) {
        if let group = Confinements.leftover(of: attempt) {
            group.killAll(isLast: true)
            group.remove()
        }
        let mark = "\(AttemptMark.name)=\(AttemptMark.value(of: attempt))"
        for processID in ProcessTable.read().entries.keys where processID != getpid() {
            guard let variables = KernelFile.read("/proc/\(processID)/environ"),
                variables.split(separator: "\0").contains(Substring(mark))
            else { continue }
            kill(processID, SIGKILL)
        }
    }
}
