import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Give all traffic back to the revision before, in under a second.",
        discussion: """
            Example: aloft rollback churn

            Aborts the rollout under way, or returns to the revision that was live before; ends when
            the gateways have said that they answer with it.
            """)

    @Argument(help: "The deployment's name.")
    var deployment: String

    @Option(help: ArgumentHelp("staging, production or one of your own.", valueName: "name"))
    var environment = EndpointName.production

    @OptionGroup var options: ServerOptions

    /// How long gateways are waited for that are to go back to what they have in memory.
    private static let patience = Duration.seconds(5)

    func run() async throws {
        let client = try options.client()
        let reply = try await client.call(
            Rollback.self, path: ["deployment": deployment], body: .init(environment: environment))
        let revision = reply.revision
        let what =
            "\(deployment) revision \(revision.number) (\(revision.model)/\(revision.version))"
        let watch = RevisionWatch(
            client: client, deployment: deployment, environment: environment,
            isQuiet: reply.isAtOnce || options.json)
        if reply.isAtOnce {
            let settled = try await watch.waitUntilSettled(revision, within: Self.patience)
            guard !options.json else { return try Terminal.json(reply) }
            Terminal.line("\(what) has all traffic in \(environment)")
            if settled.state == "live", !settled.isAnswered {
                Terminal.note("not every gateway has said so yet" + DeploymentText.awaited(settled))
            }
            return
        }
        guard !options.json else { return try Terminal.json(reply) }
        Terminal.line("\(what) was out of memory; it is loaded again and then gets all traffic")
        let settled = try await watch.waitUntilSettled(revision)
        if let failure = watch.failure(of: settled) { throw failure }
        guard settled.state != "live" else { return }
        throw CommandFailure("revision \(settled.number) was \(settled.state)")
    }
}

struct RolloutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollout",
        abstract: "Show, promote, pause, resume or abort a rollout.",
        discussion: "Example: aloft rollout pause churn",
        subcommands: [Show.self, Promote.self, Pause.self, Resume.self, Abort.self],
        defaultSubcommand: Show.self)

    struct Place: ParsableArguments {
        @Argument(help: "The deployment's name.")
        var deployment: String

        @Option(help: ArgumentHelp("staging, production or one of your own.", valueName: "name"))
        var environment = EndpointName.production

        @OptionGroup var options: ServerOptions

        func steer(_ action: String, done: String) async throws {
            let revision = try await options.client().call(
                SteerRollout.self, path: ["deployment": deployment],
                body: .init(environment: environment, action: action))
            guard !options.json else { return try Terminal.json(revision) }
            Terminal.line("\(done) the rollout of \(deployment) revision \(revision.number)")
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a deployment's revisions with checks and the evidence of each step.",
            discussion: "Example: aloft rollout show churn --environment staging")

        @OptionGroup var place: Place

        @Option(help: "How many revisions, newest first.")
        var limit = 10

        func run() async throws {
            let reply = try await place.options.client().call(
                ShowDeployment.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment, "limit": String(limit)])
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(DeploymentText.page(reply))
        }
    }

    struct Promote: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give the new revision all traffic now.",
            discussion: "Example: aloft rollout promote churn")
        @OptionGroup var place: Place
        func run() async throws { try await place.steer("promote", done: "promoted") }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stay at the present step until told otherwise.",
            discussion: "Example: aloft rollout pause churn")
        @OptionGroup var place: Place
        func run() async throws { try await place.steer("pause", done: "paused") }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on where it was paused.",
            discussion: "Example: aloft rollout resume churn")
        @OptionGroup var place: Place
        func run() async throws { try await place.steer("resume", done: "resumed") }
    }

    struct Abort: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give all traffic back to the revision that is live.",
            discussion: "Example: aloft rollout abort churn")
        @OptionGroup var place: Place
        func run() async throws { try await place.steer("abort", done: "aborted") }
    }
}
