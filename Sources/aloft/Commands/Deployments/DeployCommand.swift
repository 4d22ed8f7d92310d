import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Send a model version into an environment: checks, warm-up, traffic by steps.",
        discussion: """
            Example: aloft deploy churn --model churn-model@champion --wait

            Works for any registered version, whoever logged it. Checks and rollout steps come from
            the project file where it names the deployment; else there are no checks, and traffic
            moves by 10 %, 50 % and 100 %. In staging all traffic moves at once.

            With --wait the exit status is 0 once the version is live and every gateway answers with
            it, 1 if a check fails or the rollout is undone. A step in which no request came proves
            nothing; it is passed and said. --at-least makes each step wait for requests.
            """)

    @Argument(help: "The deployment's name; made on first use.")
    var deployment: String

    @Option(help: ArgumentHelp("The version: NAME@ALIAS or NAME/VERSION.", valueName: "model"))
    var model: String

    @Option(help: ArgumentHelp("staging, production or one of your own.", valueName: "name"))
    var environment = EndpointName.production

    @Flag(name: .customLong("at-once"), help: "Move all traffic in one step.")
    var atOnce = false

    @Flag(help: "Let steps end before their time once no abort condition can hold any more.")
    var early = false

    @Option(
        help: ArgumentHelp(
            "How many requests each step waits for, in place of what the project file says.",
            valueName: "requests"))
    var atLeast: Int?

    @Flag(help: "Take a version whose inputs are not those of the live one: clients must change.")
    var breaking = false

    @Flag(help: "Wait until the version is live or was refused.")
    var wait = false

    @OptionGroup var options: ServerOptions

    func run() async throws {
        guard ModelReference(model) != nil else {
            throw CommandFailure.usage(DeploymentError.invalidReference(model).message)
        }
        let client = try options.client()
        let reply = try await client.call(
            Deploy.self, path: ["deployment": deployment],
            body: .init(
                model: model, environment: environment, atOnce: atOnce, early: early,
                atLeast: atLeast, breaking: breaking ? true : nil))
        let watch = RevisionWatch(
            client: client, deployment: deployment, environment: environment,
            isQuiet: options.json)
        var revision = reply.revision
        if !options.json { Terminal.line(opening(reply)) }
        if wait { revision = try await watch.waitUntilSettled(revision) }
        if options.json { try Terminal.json(revision) }
        guard wait, revision.hasEnded else { return }
        if revision.state == "retired" || revision.liveAt != nil { return }
        throw CommandFailure(
            "\(deployment) revision \(revision.number) was \(revision.state): "
                + (revision.reason ?? "no reason given"))
    }

    private func opening(_ reply: Deploy.Reply) -> String {
        let revision = reply.revision
        let what =
            "\(deployment) revision \(revision.number) in \(environment): "
            + "\(revision.model)/\(revision.version)"
        return reply.isNew ? what : "\(what) is \(revision.state) already"
    }
}

/// Follows a revision and says what changes.
struct RevisionWatch {
    let client: ServerClient
    let deployment: String
    let environment: String
    let isQuiet: Bool

    /// Returns when the revision is live and every gateway answers with it, or when it has ended. A
    /// server that restarts is waited for.
    ///
    /// - Parameter limit: how long at most; `nil`: for as long as it takes.
    func waitUntilSettled(
        _ first: RevisionItem, within limit: Duration? = nil
    ) async throws -> RevisionItem {
        var revision = first
        var said = ""
        let end = limit.map { ContinuousClock.now + $0 }
        while true {
            said = say(revision, after: said)
            let isLive = revision.state == "live" && revision.isAnswered
            if revision.hasEnded || isLive || revision.state == "standby" { return revision }
            if let end, ContinuousClock.now >= end { return revision }
            do {
                revision = try await client.call(
                    ShowRevision.self,
                    path: ["deployment": deployment, "number": String(revision.number)],
                    query: [
                        "environment": environment, "seen": String(revision.changes),
                        "answered": String(revision.isAnswered), "wait": "5",
                    ])
            } catch let error as ClientError where error.isTransient {
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }

    private func say(_ revision: RevisionItem, after said: String) -> String {
        let text = Self.line(revision)
        guard !isQuiet, text != said else { return text }
        for line in text.split(separator: "\n") { Terminal.line("  \(line)") }
        return text
    }

    /// One line for the state, and with it what it rests on.
    private static func line(_ revision: RevisionItem) -> String {
        switch revision.state {
        case "waiting": return "waiting: " + (revision.reason ?? "its checks come next")
        case "warming":
            return "warming up: "
                + (revision.reason ?? "gateways load the model and measure its latency")
        case "rolling":
            let weight = DeploymentText.percent(revision.weightPercent)
            if revision.rollout?.state == "paused" {
                return "rolling out: \(weight) of the traffic, paused"
            }
            return "rolling out: \(weight) of the traffic"
                + (revision.reason.map { "; \($0)" } ?? "")
        case "live":
            guard revision.isAnswered else {
                return "live; waits until the gateways answer with it"
                    + DeploymentText.awaited(revision)
            }
            let checks = revision.checks.map { "check " + $0.explanation }
            return (checks + DeploymentText.unseen(revision) + ["live: all traffic"])
                .joined(separator: "\n")
        default: return revision.state + (revision.reason.map { ": \($0)" } ?? "")
        }
    }
}
