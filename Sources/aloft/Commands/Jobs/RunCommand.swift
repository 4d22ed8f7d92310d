import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a job of the project file, or any command.",
        discussion: """
            Example: aloft run train -p learning_rate=0.1 --follow

            The job runs with the project file and code that were last sent with `aloft apply`.
            Without a project file: aloft run --command "python -c 'print(1)'" --wait
            A command starts in an empty folder; --with-files takes the files of this one along.
            With --at both take the files that a commit of this folder's git had.
            """)

    @Argument(help: "The job's name in the project file.")
    var job: String?

    @Option(name: .shortAndLong, help: ArgumentHelp("A parameter.", valueName: "name=value"))
    var parameter: [String] = []

    @Option(help: "The project; else that of aloft.yaml here, else default.")
    var project: String?

    @Option(help: "A command for /bin/sh, instead of a job.")
    var command: String?

    @Option(help: "Python packages for the command, as a requirements file.")
    var requirements: String?

    @Flag(help: "Send this folder's files along with the command (not .git and the like).")
    var withFiles = false

    @Option(
        help: ArgumentHelp(
            "Run the code of this commit, branch or tag of this folder.", valueName: "commit"))
    var at: String?

    @Option(help: "Processor cores for the command.")
    var cpus: Double?

    @Option(help: "The command's memory limit, such as 2Gi.")
    var memory: String?

    @Option(help: "The command's time limit, such as 10m.")
    var time: String?

    @Option(help: "GPUs for the command.")
    var gpus: Int?

    @Option(help: "Higher goes first.")
    var priority: Int?

    @Flag(help: "Wait for the end; fail if the job does.")
    var wait = false

    @Flag(name: .shortAndLong, help: "Print the log while it runs, then do as --wait.")
    var follow = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let client = try options.client()
        let view = try await client.call(RunJob.self, body: try await body(client))
        if follow {
            Terminal.note("job \(JobOutput.short(view)) is queued")
            try await JobOutput.follow(view.id.rawValue, with: client)
        }
        if wait || follow {
            try await JobOutput.waitForEnd(view, with: client, printsJSON: options.json)
        } else if options.json {
            try Terminal.json(view)
        } else {
            Terminal.line(view.id.rawValue)
            Terminal.note("Follow it: aloft logs \(JobOutput.short(view)) -f")
        }
    }

    private func body(_ client: ServerClient) async throws -> RunJob.Body {
        guard (job == nil) != (command == nil) else {
            throw CommandFailure.usage(
                "name a job, as in `aloft run train`, or give a command with --command")
        }
        let project =
            try self.project.map { ProjectID($0) } ?? ProjectFileSource.currentProject() ?? .default
        if let job {
            let ofCommands: [(String, Bool)] = [
                ("--requirements", requirements != nil), ("--cpus", cpus != nil),
                ("--memory", memory != nil), ("--time", time != nil), ("--gpus", gpus != nil),
                ("--with-files", withFiles),
            ]
            for (option, isGiven) in ofCommands where isGiven {
                throw CommandFailure.usage(
                    "\(option) goes with --command; what job \(job) uses is in its project file")
            }
            guard let at else {
                return RunJob.Body(
                    project: project, job: job, parameters: try parameters(), priority: priority)
            }
            let checkout = try GitFolder(here).checkout(at)
            defer { checkout.remove() }
            let (text, _) = try ProjectFileSource.read(checkout.folder + "/aloft.yaml")
            let snapshot = try await FolderUpload.send(
                checkout.folder, to: client, isQuiet: options.json)
            return RunJob.Body(
                project: project, job: job, parameters: try parameters(), snapshot: snapshot,
                code: checkout.origin, file: text, priority: priority)
        }
        guard parameter.isEmpty else {
            throw CommandFailure.usage("-p goes with a job; write the values into the command")
        }
        let requirements = try requirementsText()
        let limits = try limits()
        let files = try await files(client)
        return RunJob.Body(
            project: project, command: command, requirements: requirements,
            snapshot: files?.snapshot, code: files?.code, resources: limits, priority: priority)
    }

    private var here: String { FileManager.default.currentDirectoryPath }

    /// This folder's files, sent if they are asked for.
    private func files(
        _ client: ServerClient
    ) async throws -> (snapshot: ContentDigest, code: CodeOrigin?)? {
        let folder = here
        if let at {
            let checkout = try GitFolder(folder).checkout(at)
            defer { checkout.remove() }
            let snapshot = try await FolderUpload.send(
                checkout.folder, to: client, isQuiet: options.json)
            return (snapshot, checkout.origin)
        }
        if withFiles {
            let snapshot = try await FolderUpload.send(folder, to: client, isQuiet: options.json)
            return (snapshot, try await GitFolder(folder).origin(sendingTo: client))
        }
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        if names?.contains(where: { !$0.hasPrefix(".") }) ?? false {
            Terminal.note(
                "the command starts in an empty folder; --with-files takes this one's along")
        }
        return nil
    }

    private func parameters() throws -> [String: String] {
        var parameters: [String: String] = [:]
        for pair in parameter {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandFailure.usage("-p \(pair): expected NAME=VALUE")
            }
            parameters[String(parts[0])] = String(parts[1])
        }
        return parameters
    }

    private func requirementsText() throws -> String? {
        guard let requirements else { return nil }
        guard let text = try? String(contentsOfFile: requirements, encoding: .utf8) else {
            throw CommandFailure.usage("--requirements \(requirements): there is no such file")
        }
        return text
    }

    private func limits() throws -> RunJob.Body.Limits {
        var limits = RunJob.Body.Limits(cpus: cpus, gpus: gpus)
        if let memory {
            guard let bytes = Quantity.bytes(memory) else {
                throw CommandFailure.usage("--memory \(memory): expected a size such as 2Gi")
            }
            limits.memoryBytes = bytes
        }
        if let time {
            guard let duration = Quantity.duration(time), duration > .zero else {
                throw CommandFailure.usage("--time \(time): expected a duration such as 10m")
            }
            limits.seconds = duration.seconds
        }
        return limits
    }
}
