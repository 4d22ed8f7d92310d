import AloftDomain
package import AloftInference
package import AloftProcess
package import AloftWire
import Crypto
import Foundation
package import Logging
import NIOCore
import NIOPosix

/// Unpacks Python models, builds an environment for each set of requirements with uv, and starts
/// their workers.
package struct PythonEnvironments: PythonModelLoader {
    private let folder: String
    private let interpreter: String?
    private let packagePath: String
    private let uv: String?
    private let limits: PythonWorkerPool.Limits
    // text: this process's own environment
    private let environment: [String: String]
    private let isolation: IsolationPolicy
    private let sockets: String
    private let allowsAnySource: Bool
    private let logger: Logger
    /// A version that is live twice is unpacked once, and its environment built once.
    private let work = SharedWork<String>()

    /// - Parameters:
    ///   - folder: where environments and the workers' logs are kept.
    ///   - interpreter: used for every model instead of an environment of its own.
    ///   - packagePath: the folder that holds the package `aloft_models`.
    ///   - limits: of a model's workers.
    ///   - environment: variables that workers get.
    ///   - allowsAnySource: requirements may name any source of packages.
    ///   - isolation: of all that models' code and their packages do.
    ///   - socketFolder: short; made for this user where it is not there.
    package init(
        folder: String, interpreter: String?, packagePath: String, uv: String?,
        limits: PythonWorkerPool.Limits,
        // text: this process's own environment
        environment: [String: String], allowsAnySource: Bool = false,
        isolation: IsolationPolicy = .off, socketFolder: String = "/tmp/aloft-\(geteuid())",
        logger: Logger
    ) {
        self.allowsAnySource = allowsAnySource
        self.folder = folder
        self.interpreter = interpreter
        self.packagePath = packagePath
        self.uv = uv
        self.limits = limits
        self.environment = environment
        self.isolation = isolation
        sockets = socketFolder
        self.logger = logger
    }

    package func load(
        _ served: ServedRevision, archive: String, folder place: String,
        settings: WorkerBatcher.Settings
    ) async throws -> (runner: any ModelRunner, model: any RemoteModel) {
        let threads = NIOThreadPool.singleton
        let log = folder + "/worker-\(served.id.rawValue.prefix(64)).log"
        try await work.once(for: place) {
            try await threads.runIfActive { try unpack(archive, place: place) }
        }
        let model = try Self.findModel(in: place + "/model")
        var python = interpreter
        if python == nil {
            let plan = try await threads.runIfActive { try self.plan(for: model) }
            try await work.once(for: plan.place) {
                try await threads.runIfActive { try build(plan, log: log) }
            }
            python = plan.python
        }
        let chosen = python ?? ""
        let pool = try await threads.runIfActive {
            try start(served, model: model, python: chosen, log: log, settings)
        }
        return (pool, pool)
    }

    private func start(
        _ served: ServedRevision, model: String, python: String, log: String,
        _ settings: WorkerBatcher.Settings
    ) throws -> PythonWorkerPool {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        var variables = environment
        variables["PYTHONPATH"] = packagePath
        variables["PYTHONUNBUFFERED"] = "1"
        let sockets = try makeSocketFolder()
        return try PythonWorkerPool(
            command: PythonWorkerCommand(
                python: python, modelFolder: model, environment: variables,
                isolation: isolation.isolation(
                    reads: [model, packagePath, Self.environment(of: python)], writes: [sockets])),
            outputs: try ModelSignature.signatures(served.servable.manifest.outputs),
            limits: limits, settings: settings, log: log, socketFolder: sockets, logger: logger)
    }

    /// The folder of the environment that an interpreter `ENVIRONMENT/bin/python` belongs to.
    private static func environment(of python: String) -> String {
        let folder = (python as NSString).deletingLastPathComponent
        return (folder as NSString).deletingLastPathComponent
    }

    /// A folder for sockets with a short path that only this user may enter.
    private func makeSocketFolder() throws -> String {
        var facts = stat()
        mkdir(sockets, 0o700)
        // Whoever made it first must be this user.
        guard lstat(sockets, &facts) == 0, facts.st_mode & S_IFMT == S_IFDIR,
            facts.st_uid == geteuid()
        else { throw ModelFetchError.unwritable(path: sockets) }
        var template = Array("\(sockets)/XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw ModelFetchError.unwritable(path: sockets)
        }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let archiveLimits = ArchiveLimits(bytes: 64 << 30)

    /// The model's folder, unpacked beside its archive: there whole or not at all.
    private func unpack(_ archive: String, place: String) throws {
        let target = place + "/model"
        guard !FileManager.default.fileExists(atPath: target) else { return }
        // A gateway that takes this one's place may unpack into the same folder meanwhile.
        ModelStore.removeRemains(in: place)
        let temporary = place + "/model.part-\(getpid())"
        try? FileManager.default.removeItem(atPath: temporary)
        try FileManager.default.createDirectory(
            atPath: temporary, withIntermediateDirectories: true)
        do {
            try TarUnpacker.unpack(archive, into: temporary, limits: Self.archiveLimits)
        } catch let failure as ArchiveFailure {
            throw InferenceError.unloadable(
                reason: "its archive cannot be unpacked: \(failure.reason)")
        }
        do {
            try FileManager.default.moveItem(atPath: temporary, toPath: target)
        } catch {
            guard FileManager.default.fileExists(atPath: target) else { throw error }
            try? FileManager.default.removeItem(atPath: temporary)
        }
    }

    /// The folder with the file `MLmodel`: the archive's root, or one folder below.
    private static func findModel(in folder: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        for candidate in [folder] + names.map({ folder + "/" + $0 })
        where FileManager.default.fileExists(atPath: candidate + "/MLmodel") {
            return candidate
        }
        throw InferenceError.unloadable(reason: "its archive holds no MLmodel file")
    }

    /// What a worker needs beside the model's own packages.
    private static let own = "numpy\nmlflow-skinny>=3\npandas\n"
    /// What environments are besides what they are made of; another kind is made anew.
    private static let form = "with digests, 1"

    /// An environment with a model's requirements.
    private struct Plan: Sendable {
        let uv: String
        let model: String
        let requirements: ModelRequirements
        let text: String
        let preferred: String
        let place: String

        var python: String { place + "/bin/python" }
    }

    /// - Throws: `InferenceError` where no environment can be built for the model.
    private func plan(for model: String) throws -> Plan {
        guard let uv else {
            throw InferenceError.unsupportedModel(
                reason:
                    "Python models need uv to build their environment; run `make setup`, or name "
                    + "an interpreter with --python")
        }
        let requirements = ModelRequirements(folder: model)
        let text = try requirements.read(allowsAnySource: allowsAnySource)
        let preferred =
            (try? String(
                contentsOfFile: packagePath + "/aloft_models/requirements/packages.txt",
                encoding: .utf8)) ?? ""
        let parts = [text, Self.own, Self.form, preferred].joined(separator: "\0")
        let digest = ContentDigest(bytes: SHA256.hash(data: Data(parts.utf8)))
        return Plan(
            uv: uv, model: model, requirements: requirements, text: text, preferred: preferred,
            place: folder + "/" + digest.hex.prefix(32))
    }

    /// Built once for each set of requirements: first a lock, with the digest of each file, then what it
    /// says and nothing else.
    private func build(_ plan: Plan, log: String) throws {
        let (uv, model, place, python) = (plan.uv, plan.model, plan.place, plan.python)
        if FileManager.default.fileExists(atPath: place + "/.complete") { return }
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        try run(
            uv, ["venv", "--quiet", "--allow-existing", place], log: log, reads: [model],
            writes: [place],
            what: "the model's Python environment cannot be made")
        let (own, lock) = (place + "/own.in", place + "/packages.txt")
        // An earlier try could have left links in their places.
        for path in [own, lock] { unlink(path) }
        try Data(Self.own.utf8).write(to: URL(fileURLWithPath: own))
        // Versions and digests that the output has already are kept where they fit.
        try Data(plan.preferred.utf8).write(to: URL(fileURLWithPath: lock))
        let sources = allowsAnySource ? ["--emit-index-url", "--emit-find-links"] : []
        try run(
            uv,
            [
                "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes",
                "--python", python, "--output-file", lock,
            ] + sources + [own] + (plan.text.isEmpty ? [] : [plan.requirements.path]), log: log,
            reads: [model], writes: [place], what: "no versions fit the model's requirements")
        let locked = try String(contentsOfFile: lock, encoding: .utf8)
        let check =
            PackageLock.isHashed(locked) ? ["--require-hashes"] : ["--verify-hashes", "--no-deps"]
        try run(
            uv, ["pip", "install", "--quiet", "--python", python] + check + ["-r", lock], log: log,
            reads: [model], writes: [place],
            what: "the model's requirements cannot be installed")
        // What was installed could have put a link in its place.
        unlink(place + "/.complete")
        let marker = open(place + "/.complete", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard marker >= 0 else { throw ModelFetchError.unwritable(path: place) }
        close(marker)
    }

    private func run(
        _ program: String, _ arguments: [String], log: String, reads: [String],
        writes: [String], what: String
    ) throws {
        try Data().write(to: URL(fileURLWithPath: log))
        var variables = environment.filter { !$0.key.contains("TOKEN") }
        // Packages cannot be linked from one mount to another.
        if isolation.kind != .none {
            variables["UV_LINK_MODE"] = variables["UV_LINK_MODE"] ?? "copy"
        }
        let status = try Spawn(
            executable: program, arguments: arguments, variables: variables, output: log,
            isolation: isolation.isolation(reads: reads, writes: writes, isBuild: true)
        ).run()
        guard status == 0 else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw InferenceError.unloadable(reason: "\(what): \(text.suffix(1000))")
        }
    }
}
