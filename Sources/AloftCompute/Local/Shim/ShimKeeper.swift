import AloftDomain
import AloftProcess
import CProcess
import Foundation

/// One thread's work: prepares, runs and ends one attempt.
final class ShimKeeper {
    let folder: AttemptFolder
    let order: ShimOrder
    let watch: ChildWatch
    let log: JobLog
    let isolation: IsolationPolicy
    private var environment: ContentDigest?
    private var group: (any Confinement)?

    var launch: JobLaunch { order.launch }

    init(folder: AttemptFolder, order: ShimOrder) throws {
        self.folder = folder
        self.order = order
        isolation = order.isolation ?? .off
        let limits = order.limits ?? JobLimits()
        log = try JobLog(
            file: STDOUT_FILENO, limitBytes: limits.logBytes, masked: order.launch.masked ?? [])
        watch = try ChildWatch(folder: folder, grace: order.launch.stopGrace, log: log)
        watch.isGuarded = isolation.kind == .namespaces
    }

    /// Never fails: what goes wrong is how the attempt ended.
    func run() -> AttemptReport {
        // Made for all of the attempt: what builds its packages is held to the same limits, and its
        // time counts.
        group = Confinements.make(for: launch.attempt, resources: launch.resources)
        defer { group?.remove() }
        watch.confine(
            by: group, resources: launch.resources, to: UsageLog(path: folder.usage),
            disk: FolderSize(folders: ownFolders, limitBytes: diskLimit))
        do {
            let python = try prepare()
            return try runCommand(python: python)
        } catch let interruption as ChildWatch.Interruption {
            return AttemptReport(end: interruption.end, environment: environment)
        } catch let error as ComputeError {
            return fail(error.message)
        } catch {
            return fail("\(error)")
        }
    }

    private func fail(_ reason: String) -> AttemptReport {
        say(reason)
        return AttemptReport(
            end: .failed(.notStarted(reason: reason)), environment: environment)
    }

    /// A line of ours in the job's log.
    func say(_ text: String) { log.say(text) }

    private var diskLimit: Int64 { (order.limits ?? JobLimits()).diskBytes }
    private var ownFolders: [String] {
        [folder.work, folder.checkpoints, folder.build, folder.home]
    }

    private func prepare() throws -> BuiltEnvironment? {
        let files = FileManager.default
        try files.createDirectory(atPath: folder.work, withIntermediateDirectories: true)
        try files.createDirectory(atPath: folder.checkpoints, withIntermediateDirectories: true)
        for path in [folder.build, folder.home] {
            try files.createDirectory(
                atPath: path, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        // For people; not worth the wait for the disk.
        _ = files.createFile(
            atPath: folder.isolation, contents: Data(isolation.kind.rawValue.utf8),
            attributes: [.posixPermissions: 0o600])
        if let snapshot = launch.snapshot { try unpack(snapshot) }
        guard let python = launch.python else { return nil }
        let builder = EnvironmentBuilder(
            keeper: self, python: python, folder: order.environments, uv: order.uv,
            allowsAnySource: order.allowsAnySource ?? false)
        let built = try builder.build()
        environment = built.digest
        return built
    }

    private static let snapshotLimits = ArchiveLimits(bytes: 8 << 30)

    private func unpack(_ snapshot: JobLaunch.Snapshot) throws {
        guard let actual = FileDigest.compute(path: snapshot.path) else {
            throw ComputeError.unpackFailed(reason: "the blob \(snapshot.digest) is gone")
        }
        guard actual == snapshot.digest else {
            throw ComputeError.digestMismatch(expected: snapshot.digest, actual: actual)
        }
        do {
            try TarUnpacker.unpack(
                snapshot.path, into: folder.work, limits: Self.snapshotLimits,
                pulse: { [watch] in try watch.pause(.zero) })
        } catch let failure as ArchiveFailure {
            throw ComputeError.unpackFailed(reason: failure.reason)
        }
    }

    /// Runs a program that prepares the attempt to its end and returns its exit status. It is isolated
    /// and limited like the command: what it runs may be anybody's. Its output goes to the job's log, or
    /// to the file `output`.
    ///
    /// - Parameters:
    ///   - reads: what it needs of the data folder.
    ///   - writes: what it writes there beside the attempt's own.
    func run(
        _ program: String, _ arguments: [String], in folder: String? = nil, output: String? = nil,
        reads: [String] = [], writes: [String] = []
    ) throws -> Int32 {
        guard let executable = Executable.find(program, path: order.variables["PATH"]) else {
            throw ComputeError.cannotStart(reason: "\(program) is not installed on this machine")
        }
        var variables = order.variables.filter { !Self.isSecret($0.key) }
        if isolation.kind != .none {
            // Packages cannot be linked from one mount to another.
            variables["UV_LINK_MODE"] = variables["UV_LINK_MODE"] ?? "copy"
        }
        if isolation.kind != .none || variables["HOME"] == nil { tellHome(&variables) }
        let child = try start(
            Spawn(
                executable: executable, arguments: arguments, variables: variables,
                folder: folder ?? self.folder.build, output: output,
                outputDescriptor: output == nil ? log.writer : nil,
                isolation: isolation.isolation(
                    reads: reads, writes: ownFolders + writes, isBuild: true)))
        switch try watch.wait(for: child) {
        case .exited(let code): return code
        case .signalled(let number): return 128 + number
        }
    }

    private func runCommand(python: BuiltEnvironment?) throws -> AttemptReport {
        let begin = ChildWatch.childrenCPUSeconds
        let child = try start(
            Spawn(
                executable: "/bin/sh", arguments: ["-c", launch.command],
                variables: commandVariables(python: python), folder: folder.work,
                outputDescriptor: log.writer,
                isolation: isolation.isolation(
                    reads: python.map { [$0.path] } ?? [],
                    writes: [folder.work, folder.checkpoints, folder.home])))
        try DurableFile.write(["processID": child], to: folder.started)
        let end = watch.waitForTree(of: child)
        return AttemptReport(
            end: end, peakMemoryBytes: watch.peakMemoryBytes,
            cpuSeconds: ChildWatch.childrenCPUSeconds - begin, environment: environment)
    }

    /// Starts it within the attempt's limits; it ends with this process.
    private func start(_ plain: Spawn) throws -> pid_t {
        var spawn = plain
        spawn.cgroups = group?.joins ?? []
        spawn.addressSpaceBytes = group?.limitsMemory == true ? nil : addressSpace
        spawn.fileBytes = diskLimit
        spawn.diesWithParent = true
        do {
            return try spawn.start()
        } catch let failure as SpawnFailure where failure.isIsolation {
            throw ComputeError.cannotStart(
                reason: "the job cannot be isolated, so it was not started: \(failure)")
        }
    }

    /// Builds run anybody's code, and need none of these.
    private static func isSecret(_ name: String) -> Bool {
        name.contains("TOKEN") || name.hasPrefix("UV_PUBLISH_")
    }

    /// A home and a folder for temporary files of the attempt's own, where it cannot use the user's.
    private func tellHome(_ variables: inout [String: String]) {
        let isHidden = variables["HOME"].map { isolation.isHidden($0) } ?? true
        if isHidden { variables["HOME"] = folder.home }
        let temporary = variables["TMPDIR"] ?? "/tmp"
        // Landlock allows no new files beside what is hidden.
        if isolation.kind == .landlock || isolation.isHidden(temporary) {
            variables["TMPDIR"] = folder.home
        }
    }

    /// A second line of defence where no control group limits memory: programs reserve far more
    /// address space than they use, those with a GPU without bound.
    private var addressSpace: Int64? {
        guard let limit = launch.resources.memoryBytes, launch.gpuSlots.isEmpty else { return nil }
        return max(limit * 4, limit + (8 << 30))
    }

    private func commandVariables(python: BuiltEnvironment?) -> [String: String] {
        var variables = order.variables
        let threads = "\(max(1, Int(launch.resources.cpus.rounded(.up))))"
        for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
            variables[name] = threads
        }
        variables["PYTHONUNBUFFERED"] = "1"
        tellHome(&variables)
        variables.merge(launch.variables) { _, own in own }
        if let python {
            variables["VIRTUAL_ENV"] = python.path
            variables["PATH"] = "\(python.path)/bin:" + (variables["PATH"] ?? "/usr/bin:/bin")
        }
        variables["ALOFT_JOB_ID"] = launch.attempt.job.rawValue
        variables[AttemptMark.name] = AttemptMark.value(of: launch.attempt)
        variables["ALOFT_CHECKPOINT_DIR"] = folder.checkpoints
        // Unset would mean "all of them".
        variables["CUDA_VISIBLE_DEVICES"] = launch.gpuSlots.joined(separator: ",")
        return variables
    }
}

/// The variable by which the processes of an attempt are known when their keeper is gone.
enum AttemptMark {
    static let name = "ALOFT_ATTEMPT"
    static func value(of attempt: AttemptID) -> String { "\(attempt.job).\(attempt.number)" }
}
