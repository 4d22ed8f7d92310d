import AloftClient
import AloftDomain
import AloftRollout
import AloftWire
import ArgumentParser
import Foundation

struct ABCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ab",
        abstract: "Plan, start, show and end an A/B experiment between two versions.",
        discussion: """
            Example: aloft ab start churn --model churn-model/7 --split 50%

            An experiment is a split that no time ends: `aloft ab promote` gives the candidate all
            traffic, `aloft ab abort` takes it away. Harm beyond doubt still aborts it by itself.
            """,
        subcommands: [
            Plan.self, Start.self, RolloutCommand.Show.self, RolloutCommand.Promote.self,
            RolloutCommand.Abort.self,
        ])

    struct Plan: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say how many requests it takes to see a difference.",
            discussion: """
                Example: aloft ab plan --baseline 0.05 --lift 10% --power 0.8

                Two shares, compared two-sided (Fleiss, Levin and Paik, 2003, sections 4.2 and 4.5).
                Asks no server.
                """)

        @Option(help: "The share to be expected of the present revision: 0.05 or 5%.")
        var baseline: String

        @Option(help: "How much more, relative, is to be seen: 10%.")
        var lift: String

        @Option(help: "The chance to see it if it is there.")
        var power = "0.8"

        @Option(help: "The chance to see a difference that is not there.")
        var alpha = "0.05"

        @Option(help: "The candidate's part of the requests.")
        var split = "50%"

        @Option(help: "Requests a second, to say how long it takes.")
        var rate: Double?

        @Flag(help: "Print JSON.")
        var json = false

        struct Answer: Encodable {
            var baselineRequests: Int
            var candidateRequests: Int
            var total: Int
            var seconds: Double?
        }

        func run() throws {
            if let rate, !(rate > 0 && rate.isFinite) {
                throw CommandFailure.usage("--rate \(rate): expected requests a second, above 0")
            }
            let size: SampleSize
            do {
                size = try SampleSize(
                    baseline: Self.share(baseline, "--baseline"),
                    lift: Self.share(lift, "--lift"), power: Self.share(power, "--power"),
                    alpha: Self.share(alpha, "--alpha"),
                    candidateShare: Self.share(split, "--split"))
            } catch let invalid as SampleSize.Invalid {
                throw CommandFailure.usage(invalid.message)
            }
            let seconds = rate.map { Double(size.total) / $0 }
            guard !json else {
                return try Terminal.json(
                    Answer(
                        baselineRequests: size.baselineRequests,
                        candidateRequests: size.candidateRequests, total: size.total,
                        seconds: seconds))
            }
            Terminal.line(
                "\(size.total) requests: \(size.baselineRequests) for the present revision, "
                    + "\(size.candidateRequests) for the candidate")
            if let seconds {
                Terminal.line(String(format: "at this rate: %.1f hours", seconds / 3600))
            }
        }

        /// `0.05` or `5%`.
        static func share(_ text: String, _ option: String) throws -> Double {
            if let percent = Quantity.percent(text) { return percent / 100 }
            guard let number = Quantity.number(text) else {
                throw CommandFailure.usage("\(option) \(text): expected a share: 0.05 or 5%")
            }
            return number
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Split the traffic between the live version and another, until told otherwise.",
            discussion: "Example: aloft ab start churn --model churn-model/7 --split 50%")

        @Argument(help: "The deployment's name.")
        var deployment: String

        @Option(help: ArgumentHelp("The version: NAME@ALIAS or NAME/VERSION.", valueName: "model"))
        var model: String

        @Option(help: "The candidate's part of the requests.")
        var split = "50%"

        @Option(help: ArgumentHelp("staging, production or one of your own.", valueName: "name"))
        var environment = EndpointName.production

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let percent = try Plan.share(split, "--split") * 100
            let reply = try await options.client().call(
                Deploy.self, path: ["deployment": deployment],
                body: .init(model: model, environment: environment, experimentPercent: percent))
            guard !options.json else { return try Terminal.json(reply.revision) }
            guard reply.isNew else {
                throw CommandFailure(
                    "\(model) is \(reply.revision.state) in \(environment) already")
            }
            Terminal.line(
                "\(deployment) revision \(reply.revision.number) gets "
                    + "\(DeploymentText.percent(percent)) of the traffic once it is warm")
        }
    }
}
