import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

struct ProcessesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ps",
        abstract: "List jobs that wait or run.",
        discussion: "Example: aloft ps --all --project flights")

    @Flag(name: .shortAndLong, help: "Also those that have ended.")
    var all = false

    @Option(help: "Only this project's.")
    var project: String?

    @Option(help: "The most to list.")
    var limit = 50

    @OptionGroup var options: ServerOptions

    func run() async throws {
        var query = ["limit": "\(limit)"]
        if !all { query["live"] = "true" }
        query["project"] = project
        let reply = try await options.client().call(ListJobs.self, query: query)
        guard !options.json else { return try Terminal.json(reply) }
        if reply.jobs.isEmpty {
            Terminal.note(all ? "No jobs." : "No job waits or runs; --all shows those that ended.")
        } else {
            Terminal.line(JobOutput.table(reply.jobs))
        }
    }
}

struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Print what a job wrote.",
        discussion: "Example: aloft logs train -f")

    @Argument(help: "A job's identifier, the begin of it, or its name for the newest.")
    var job: String

    @Flag(name: .shortAndLong, help: "Go on until the job ends.")
    var follow = false

    @Option(help: "Which attempt; else the newest.")
    var attempt: Int?

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let client = try options.client()
        if follow { return try await JobOutput.follow(try await identifier(client), with: client) }
        var offset: Int64 = 0
        while true {
            let reply = try await client.call(
                GetJobLog.self, path: ["job": job],
                query: ["offset": "\(offset)", "attempt": "\(attempt ?? 0)"])
            if options.json { try Terminal.json(reply) } else { Terminal.text(reply.text) }
            if reply.nextOffset == 0, !reply.isComplete, !options.json {
                _ = try await JobOutput.sayWait(job, with: client, after: "")
            }
            if reply.nextOffset == offset || reply.isComplete { return }
            offset = reply.nextOffset
        }
    }

    /// A name may mean another job later: following stays with the one that it means now.
    private func identifier(_ client: ServerClient) async throws -> String {
        try await client.call(GetJob.self, path: ["job": job]).job.id.rawValue
    }
}

struct StopCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stop a job and everything that it started.",
        discussion: "Example: aloft stop 3f2a9c1e")

    @Argument(help: "A job's identifier, the begin of it, or its name for the newest.")
    var job: String

    @Option(help: "Why, for the record.")
    var reason: String?

    @Flag(help: "Wait until it has ended.")
    var wait = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let client = try options.client()
        var view = try await client.call(
            StopJob.self, path: ["job": job], body: .init(reason: reason))
        while wait, view.outcome == nil {
            view = try await client.call(
                GetJob.self, path: ["job": view.id.rawValue], query: ["wait": "20"],
                timeout: .seconds(60)
            ).job
        }
        if options.json {
            try Terminal.json(view)
        } else {
            Terminal.line("job \(JobOutput.short(view)) \(JobOutput.status(view))")
        }
    }
}
