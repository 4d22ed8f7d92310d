import AloftDomain
import AloftProcess
import CProcess
import Foundation

/// One thread's work: prepares, runs and ends one attempt.
final class ShimKeeper {
    let folder: AttemptFolder
    let order: ShimOrder
    let watch: ChildWatch
    private var environment: ContentDigest?

    var launch: JobLaunch { order.launch }

    init(folder: AttemptFolder, order: ShimOrder) throws {
        self.folder = folder
        self.order = order
        watch = try ChildWatch(folder: folder, grace: order.launch.stopGrace)
    }

    /// Never fails: what goes wrong is how the attempt ended.
    func run() -> AttemptReport {
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
    func say(_ text: String) { FileHandle.standardOutput.write(Data("aloft: \(text)\n".utf8)) }

    private func prepare() throws -> BuiltEnvironment? {
        let files = FileManager.default
        try files.createDirectory(atPath: folder.work, withIntermediateDirectories: true)
        try files.createDirectory(atPath: folder.checkpoints, withIntermediateDirectories: true)
        if let snapshot = launch.snapshot { try unpack(snapshot) }
        guard let python = launch.python else { return nil }
        let builder = EnvironmentBuilder(
            keeper: self, python: python, folder: order.environments, uv: order.uv)
        let built = try builder.build()
        environment = built.digest
        return built
    }

    private func unpack(_ snapshot: JobLaunch.Snapshot) throws {
        guard let actual = FileDigest.compute(path: snapshot.path) else {
            throw ComputeError.unpackFailed(reason: "the blob \(snapshot.digest) is gone")
        }
        guard actual == snapshot.digest else {
            throw ComputeError.digestMismatch(expected: snapshot.digest, actual: actual)
        }
        let start = watch.logSize
        let status = try run(
            "tar", ["-x", "-f", snapshot.path, "--no-same-owner", "--no-same-permissions"],
            in: folder.work)
        guard status == 0 else {
            throw ComputeError.unpackFailed(reason: watch.logTail(from: start))
        }
    }

    /// Runs a program of the machine to its end and returns its exit status. Its output goes to the
    /// job's log, or to the file `output`.
    func run(
        _ program: String, _ arguments: [String], in folder: String? = nil, output: String? = nil
    ) throws -> Int32 {
        guard let executable = Executable.find(program, path: order.variables["PATH"]) else {
            throw ComputeError.cannotStart(reason: "\(program) is not installed on this machine")
        }
        let child = try Spawn(
            executable: executable, arguments: arguments, variables: order.variables,
            folder: folder, output: output, diesWithParent: true
        ).start()
        switch try watch.wait(for: child) {
        case .exited(let code): return code
        case .signalled(let number): return 128 + number
        }
    }

    private func runCommand(python: BuiltEnvironment?) throws -> AttemptReport {
        let resources = launch.resources
        let group = Confinements.make(for: launch.attempt, resources: resources)
        defer { group?.remove() }
        let begin = ChildWatch.childrenCPUSeconds
        let child = try Spawn(
            executable: "/bin/sh", arguments: ["-c", launch.command],
            variables: commandVariables(python: python), folder: folder.work,
            cgroups: group?.joins ?? [],
            addressSpaceBytes: group?.limitsMemory == true ? nil : addressSpace,
            diesWithParent: true
        ).start()
        try DurableFile.write(["processID": child], to: folder.started)
        watch.confine(by: group, resources: resources, to: UsageLog(path: folder.usage))
        let end = watch.waitForTree(of: child)
        return AttemptReport(
            end: end, peakMemoryBytes: watch.peakMemoryBytes,
            cpuSeconds: ChildWatch.childrenCPUSeconds - begin, environment: environment)
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
