import AloftDomain
import Crypto
import Foundation

/// A Python environment that is ready.
struct BuiltEnvironment: Equatable {
    let digest: ContentDigest
    /// Absolute.
    let path: String
}

/// Builds Python environments with uv: one for each lock, that is for each set of exact versions
/// and interpreter, however many jobs ask for it. A lock has the SHA-256 of each package's files: what
/// was locked once is what is installed, whatever an index says later.
///
/// In the environments' folder: `<digest>/` is an environment (whole if `<digest>/.complete`
/// exists), `<digest>.txt` its lock, `<digest>.lock` held by who builds it, and `inputs/` remembers
/// which requirements led to which lock, so that the same file means the same versions for ever.
struct EnvironmentBuilder {
    let keeper: ShimKeeper
    let python: PythonEnvironment
    let folder: String
    let uv: String?
    /// Requirements may name any source of packages.
    let allowsAnySource: Bool

    /// What locks say beside versions; another kind of lock is made anew.
    private static let lockForm = "with digests, 1"

    private var files: FileManager { .default }

    func build() throws -> BuiltEnvironment {
        guard let uv else {
            throw ComputeError.environmentFailed(
                reason:
                    "uv was not found on PATH or at .tools/uv/bin/uv; see https://docs.astral.sh/uv"
            )
        }
        try files.createDirectory(
            atPath: folder + "/inputs", withIntermediateDirectories: true)
        let requirements = try Requirements(python.requirements, work: keeper.folder.work)
        try refuseOtherSources(requirements)
        let interpreter = try findInterpreter(uv: uv)
        let input = digest([
            requirements.allText, interpreter.description, Self.lockForm, preferred ?? "",
        ])
        if let known = knownLock(of: input), isComplete(known) { return built(known) }
        // One lock at a time for the same input, so that concurrent jobs share it.
        let lock = try waitForLock("\(folder)/inputs/\(input).lock")
        defer { lock.release() }
        let digest = try knownLock(of: input) ?? compile(requirements, input, interpreter, uv: uv)
        return try install(digest, interpreter, uv: uv)
    }

    // MARK: Sources

    private func refuseOtherSources(_ requirements: Requirements) throws {
        guard !allowsAnySource else { return }
        let rule = python.sources ?? .ofJobs
        let faults = requirements.allText.split(separator: "\0").flatMap {
            rule.faults(in: String($0))
        }
        guard faults.isEmpty else {
            throw ComputeError.environmentFailed(reason: PackageSources.refusal(faults))
        }
    }

    /// Versions, with digests, of what the program itself needs for models: they are taken wherever
    /// the requirements ask for no others.
    private var preferred: String? {
        guard python.sources == .ofModels else { return nil }
        return KernelFile.read(keeper.folder.work + "/aloft_models/requirements/packages.txt")
    }

    // MARK: Interpreter

    private struct Interpreter: CustomStringConvertible {
        let path: String
        /// Implementation, version and machine: what packages are built for.
        let identity: String
        var description: String { "\(path) \(identity)" }
    }

    private func findInterpreter(uv: String) throws -> Interpreter {
        let find =
            ["python", "find", "--system", "--no-project"] + (python.version.map { [$0] } ?? [])
        let path = try output(of: uv, find, because: "no Python was found")
        let question =
            "import platform as p; print(p.python_implementation(), p.python_version(), p.machine())"
        let identity = try output(
            of: path, ["-I", "-c", question], because: "\(path) does not run")
        return Interpreter(path: path, identity: identity)
    }

    /// What a program printed, without the line's end.
    private func output(
        of program: String, _ arguments: [String], because reason: String
    ) throws -> String {
        let file = keeper.folder.build + "/answer"
        unlink(file)
        defer { unlink(file) }
        let status = try keeper.run(program, arguments, output: file)
        let text = (KernelFile.read(file) ?? "").trimmingCharacters(in: .whitespacesAndNewlines)
        guard status == 0, !text.isEmpty else {
            throw ComputeError.environmentFailed(reason: "\(reason): \(text.suffix(2000))")
        }
        return text
    }

    // MARK: Lock

    private func compile(
        _ requirements: Requirements, _ input: ContentDigest, _ interpreter: Interpreter, uv: String
    ) throws -> ContentDigest {
        keeper.say("resolving the Python packages")
        let source = keeper.folder.build + "/requirements.txt"
        let path: String
        switch python.requirements {
        case .file(let name): path = keeper.folder.work + "/" + name
        case .text(let text):
            try DurableFile.write(Data(text.utf8), to: source)
            path = source
        }
        let lock = keeper.folder.build + "/requirements.lock"
        unlink(lock)
        // Versions and digests that the output has already are kept where they fit.
        if let preferred { try DurableFile.write(Data(preferred.utf8), to: lock) }
        let sources = allowsAnySource ? ["--emit-index-url", "--emit-find-links"] : []
        try runUV(
            uv,
            [
                "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes",
                "--python", interpreter.path, "--output-file", lock,
            ] + sources + [path])
        // What ran meanwhile could have put a link in its place.
        let text = KernelFile.read(lock, following: false) ?? ""
        let digest = digest([text, interpreter.description])
        try DurableFile.write(Data(text.utf8), to: "\(folder)/\(digest).txt")
        try DurableFile.write(digest, to: "\(folder)/inputs/\(input)")
        return digest
    }

    private func knownLock(of input: ContentDigest) -> ContentDigest? {
        guard
            let digest = try? DurableFile.read(
                ContentDigest.self, at: "\(folder)/inputs/\(input)"),
            files.fileExists(atPath: "\(folder)/\(digest).txt")
        else { return nil }
        return digest
    }

    private func digest(_ parts: [String]) -> ContentDigest {
        ContentDigest(bytes: SHA256.hash(data: Data(parts.joined(separator: "\0").utf8)))
    }

    // MARK: Installation

    /// Scripts in an environment name its path, so it is built where it stays; the marker, written
    /// last, says that it is whole.
    private func install(
        _ digest: ContentDigest, _ interpreter: Interpreter, uv: String
    ) throws -> BuiltEnvironment {
        let lock = try waitForLock("\(folder)/\(digest).lock")
        defer { lock.release() }
        if isComplete(digest) { return built(digest) }
        let path = "\(folder)/\(digest)"
        keeper.say("building the Python environment \(digest.hex.prefix(12))")
        if files.fileExists(atPath: path) { try files.removeItem(atPath: path) }
        // Made here: an isolated program can only be shown what is there.
        try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        try runUV(
            uv, ["venv", "--quiet", "--allow-existing", "--python", interpreter.path, path],
            writes: [path])
        let versions = "\(folder)/\(digest).txt"
        // A folder or a repository has no digest; what it depends on is in the lock, with one.
        let check =
            PackageLock.isHashed(KernelFile.read(versions) ?? "")
            ? ["--require-hashes"] : ["--verify-hashes", "--no-deps"]
        try runUV(
            uv,
            ["pip", "install", "--python", path + "/bin/python"] + check + [
                "--requirements", versions,
            ], reads: [versions], writes: [path])
        FileSystem.sync(containing: path)
        try DurableFile.write(Data(), to: path + "/.complete")
        keeper.say("the Python environment is ready")
        return built(digest)
    }

    private func isComplete(_ digest: ContentDigest) -> Bool {
        files.fileExists(atPath: "\(folder)/\(digest)/.complete")
    }

    private func built(_ digest: ContentDigest) -> BuiltEnvironment {
        BuiltEnvironment(digest: digest, path: "\(folder)/\(digest)")
    }

    private func runUV(
        _ uv: String, _ arguments: [String], reads: [String] = [], writes: [String] = []
    ) throws {
        let start = keeper.watch.logSize
        let status = try keeper.run(uv, arguments, reads: reads, writes: writes)
        guard status == 0 else {
            throw ComputeError.environmentFailed(reason: keeper.watch.logTail(from: start))
        }
    }

    private func waitForLock(_ path: String) throws -> FileLock {
        var hasSaid = false
        while true {
            if let lock = try FileLock(tryingAt: path) { return lock }
            if !hasSaid {
                keeper.say("waiting for the Python environment, which another job builds")
            }
            hasSaid = true
            try keeper.watch.pause(.milliseconds(200))
        }
    }
}

/// The requirements and whatever they include.
struct Requirements {
    /// Every file's text, included ones after those that include them.
    let allText: String

    init(_ requirements: PythonEnvironment.Requirements, work: String) throws {
        switch requirements {
        case .text(let text):
            // A file that they name would be looked for wherever the machine keeps its own.
            if let named = RequirementLine.lines(of: text).compactMap(Self.included).first {
                throw ComputeError.environmentFailed(
                    reason:
                        "\(named.prefix(200)): requirements that are given as text have no files "
                        + "beside them; name the packages themselves")
            }
            allText = text
        case .file(let name):
            var seen: Set<String> = []
            allText = try Self.collect(name, work: work, seen: &seen)
        }
    }

    private static func collect(
        _ name: String, work: String, seen: inout Set<String>
    ) throws -> String {
        guard !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
            throw ComputeError.environmentFailed(
                reason: "\(name) is not inside the project's folder")
        }
        guard seen.insert(name).inserted else { return "" }
        guard let data = FileManager.default.contents(atPath: work + "/" + name) else {
            throw ComputeError.environmentFailed(
                reason: "there is no file \(name) in the project's folder")
        }
        guard let text = RequirementLine.text(of: data) else {
            throw ComputeError.environmentFailed(reason: "\(name) is no UTF-8 text")
        }
        let folder = (name as NSString).deletingLastPathComponent
        var all = text
        for line in RequirementLine.lines(of: text) {
            guard let included = Self.included(by: line) else { continue }
            let path = folder.isEmpty ? included : "\(folder)/\(included)"
            all += "\0" + (try collect(path, work: work, seen: &seen))
        }
        return all
    }

    /// The file that a line such as `-r base.txt` or `--constraint=versions.txt` names.
    static func included(by line: RequirementLine) -> String? {
        guard case .option(let name, let value) = line,
            ["-r", "-c", "--requirement", "--constraint"].contains(name)
        else { return nil }
        return value
    }
}
