import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

struct ScoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Score a file or folder of rows with a registered version.",
        discussion: """
            Example: aloft score churn-model@champion --input rows.parquet --output scores --wait

            It runs as a job, with the same file of the model that deployments serve. Rows are Parquet,
            CSV or JSON lines; each part of the results lands whole, and the same command again goes
            on where an attempt ended. Paths are on the server's machine.
            """)

    @Argument(help: "NAME@ALIAS or NAME/VERSION.")
    var model: String

    @Option(help: ArgumentHelp("The rows: a file, or a folder of files.", valueName: "path"))
    var input: String

    @Option(help: ArgumentHelp("The folder for the results.", valueName: "folder"))
    var output: String

    @Option(help: "parquet, csv or jsonl; else the input's.")
    var format: String?

    @Option(help: "Rows in one file of results.")
    var partRows: Int?

    @Option(help: "Higher goes first.")
    var priority: Int?

    @Flag(help: "Wait for the end; fail if the job does.")
    var wait = false

    @Flag(name: .shortAndLong, help: "Print the progress while it runs, then do as --wait.")
    var follow = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let client = try options.client()
        let reply = try await client.call(
            ScoreTable.self,
            body: .init(
                model: model, input: Self.absolute(input), output: Self.absolute(output),
                format: format, partRows: partRows, priority: priority))
        let job = reply.job
        if follow {
            Terminal.note("job \(JobOutput.short(job)) scores with \(reply.model)/\(reply.version)")
            try await JobOutput.follow(job.id.rawValue, with: client)
        }
        if wait || follow {
            try await JobOutput.waitForEnd(job, with: client, printsJSON: options.json)
        } else if options.json {
            try Terminal.json(reply)
        } else {
            Terminal.line(job.id.rawValue)
            Terminal.note("Follow it: aloft logs \(JobOutput.short(job)) -f")
        }
    }

    private static func absolute(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.path
    }
}
