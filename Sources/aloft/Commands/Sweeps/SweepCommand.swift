import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Search the parameters of a job, and look after searches.",
        discussion: """
            Example: aloft sweep train --trials 20 --wait
            """,
        subcommands: [Start.self, List.self, Show.self, Stop.self], defaultSubcommand: Start.self)

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Search the parameters of a job of the project file.",
            discussion: """
                Example: aloft sweep train --trials 20 --wait

                The server tries points of the space, stops trials that fall behind, and at the end
                registers the best trial's model if the job says so. With --wait the exit status is
                0 only if the sweep succeeded; ending this command does not end the sweep.
                """)

        @Argument(help: "A job with a `sweep` section.")
        var job: String

        @Option(help: "How many trials, in place of what the file says.")
        var trials: Int?

        @Option(help: "How many trials at a time, in place of what the file says.")
        var parallel: Int?

        @Option(help: "Makes the search repeatable where trials do not run in parallel.")
        var seed: UInt64?

        @Option(help: "The project; else that of ./aloft.yaml, else the only one there is.")
        var project: String?

        @Flag(help: "Wait for the end, and show each trial.")
        var wait = false

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let project =
                try project.map { ProjectID($0) } ?? ProjectFileSource.currentProject()
            let client = try options.client()
            let sweep = try await client.call(
                StartSweep.self,
                body: .init(
                    project: project, job: job, trials: trials, parallel: parallel, seed: seed))
            guard wait else {
                if options.json { return try Terminal.json(sweep) }
                Terminal.line(sweep.id.rawValue)
                return Terminal.note("watch it with `aloft sweep show \(sweep.id) --wait`")
            }
            try await SweepWatch(client: client, json: options.json).follow(sweep)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List sweeps, newest first.",
            discussion: "Example: aloft sweep list --project flights")

        @Option(help: "Only this project's.")
        var project: String?

        @Option(help: "At most so many.")
        var limit = 20

        @OptionGroup var options: ServerOptions

        func run() async throws {
            var query = ["limit": String(limit)]
            query["project"] = project
            let reply = try await options.client().call(ListSweeps.self, query: query)
            guard !options.json else { return try Terminal.json(reply) }
            var table = TextTable([
                ("SWEEP", .left), ("PROJECT", .left), ("JOB", .left), ("STATE", .left),
                ("BEST", .right), ("STARTED", .left),
            ])
            for sweep in reply.sweeps {
                table.add([
                    String(sweep.id.rawValue.prefix(12)), sweep.project.rawValue, sweep.job,
                    sweep.state.rawValue, sweep.best.map { "trial \($0)" } ?? "", sweep.createdAt,
                ])
            }
            Terminal.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a sweep and its trials.",
            discussion: "Example: aloft sweep show 3f2a")

        @Argument(help: "The sweep, or the begin of its identifier.")
        var sweep: String

        @Flag(help: "Wait for the end, and show each trial.")
        var wait = false

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let client = try options.client()
            let found = try await client.call(GetSweep.self, path: ["sweep": sweep])
            guard !wait else {
                return try await SweepWatch(client: client, json: options.json).follow(found)
            }
            guard !options.json else { return try Terminal.json(found) }
            Terminal.line(SweepText.summary(found))
            Terminal.line(SweepText.table(found))
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a sweep and the trials that are under way.",
            discussion: "Example: aloft sweep stop 3f2a")

        @Argument(help: "The sweep, or the begin of its identifier.")
        var sweep: String

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let reply = try await options.client().call(StopSweep.self, path: ["sweep": sweep])
            guard !options.json else { return try Terminal.json(reply) }
            Terminal.line(
                "\(reply.id) is \(reply.state == .closing ? "stopping" : reply.state.rawValue)")
        }
    }
}
