import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

struct PredictionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predictions",
        abstract: "List predictions that deployments gave, the newest first.",
        discussion: """
            Examples:
              aloft predictions churn --errors
              aloft predictions churn --revision 3 --since 2026-11-24T12:00:00Z --limit 100

            One of them with all that it came from: aloft explain PREDICTION
            """)

    @Argument(help: "Only this deployment's.")
    var deployment: String?

    @Option(help: ArgumentHelp("Its environment.", valueName: "name"))
    var environment = EndpointName.production

    @Option(help: ArgumentHelp("Only this revision's, by its number.", valueName: "number"))
    var revision: Int?

    @Flag(help: "Only those that failed.")
    var errors = false

    @Option(help: ArgumentHelp("Only those that took longer, in milliseconds.", valueName: "ms"))
    var slower: Int?

    @Option(help: ArgumentHelp("Not before this, as 2026-11-24T12:00:00Z.", valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Not after this.", valueName: "time"))
    var until: String?

    @Option(help: "The most to list.")
    var limit = 20

    @OptionGroup var options: ServerOptions

    func run() async throws {
        guard (1...100_000).contains(limit) else {
            throw CommandFailure.usage("--limit \(limit): expected a number from 1 to 100000")
        }
        if revision != nil, deployment == nil {
            throw CommandFailure.usage("--revision needs a deployment")
        }
        let client = try options.client()
        var reply = try await page(client, before: nil, limit: min(limit, 1000))
        while reply.predictions.count < limit, let next = reply.next {
            let more = try await page(
                client, before: next, limit: min(limit - reply.predictions.count, 1000))
            reply.predictions += more.predictions
            reply.next = more.next
            if let count = more.damagedBlocks {
                reply.damagedBlocks = (reply.damagedBlocks ?? 0) + count
            }
        }
        guard !options.json else { return try Terminal.json(reply) }
        if let count = reply.damagedBlocks {
            Terminal.note("\(count) blocks of the log are damaged; what they held is not shown.")
        }
        guard !reply.predictions.isEmpty else { return Terminal.note("No predictions.") }
        Terminal.line(PredictionText.table(reply.predictions))
    }

    private func page(
        _ client: ServerClient, before: String?, limit: Int
    ) async throws -> ListPredictions.Reply {
        var query = ["limit": String(limit)]
        if let deployment {
            query["deployment"] = deployment
            query["environment"] = environment
        }
        query["revision"] = revision.map { String($0) }
        query["errors"] = errors ? "true" : nil
        query["slower"] = slower.map { String($0) }
        query["since"] = since
        query["until"] = until
        query["before"] = before
        return try await client.call(ListPredictions.self, query: query)
    }
}

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Show a prediction and all that it came from.",
        discussion: """
            Example: aloft explain 5f0c2ab14e0d77f3000000000012

            The identifier is what the reply's header X-Aloft-Prediction-Id said. It shows what was
            asked and answered, the revision and the rollout step, the model version, the run that
            trained it, and that run's code, environment and data.
            """)

    @Argument(help: "The prediction's identifier.")
    var prediction: String

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let reply = try await options.client().call(
            ShowPrediction.self, path: ["prediction": prediction])
        guard !options.json else { return try Terminal.json(reply) }
        Terminal.line(PredictionText.page(reply))
    }
}

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Ask what a prediction was asked again, of any version of the model.",
        discussion: """
            Examples:
              aloft replay 5f0c2ab14e0d77f3000000000012
              aloft replay 5f0c2ab14e0d77f3000000000012 --version 4

            The gateway beside the server loads the version for it; it gets no traffic.
            """)

    @Argument(help: "The prediction's identifier.")
    var prediction: String

    @Option(
        help: ArgumentHelp("Of the same model; else the one that answered.", valueName: "number"))
    var version: Int?

    @OptionGroup var options: ServerOptions

    func run() async throws {
        if let version, version < 1 {
            throw CommandFailure.usage("--version \(version): expected a number from 1")
        }
        let reply = try await options.client().call(
            ReplayPrediction.self, path: ["prediction": prediction], body: .init(version: version),
            timeout: .seconds(150))
        guard !options.json else { return try Terminal.json(reply) }
        Terminal.line(PredictionText.comparison(reply))
    }
}
