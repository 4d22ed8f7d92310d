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
            it, 1 if a check fails, the rollout is undone, a gateway cannot load the model or --timeout
            is over. A step in which no request came proves
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

    @Option(
        help: ArgumentHelp(
            "How long --wait waits at most, in seconds; else for as long as it takes.",
            valueName: "seconds"))
    var timeout: Double?

    @OptionGroup var options: ServerOptions

    func run() async throws {
        guard ModelReference(model) != nil else {
            throw CommandFailure.usage(DeploymentError.invalidReference(model).message)
        }
        let limit = try waitLimit()
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
        if wait { revision = try await watch.waitUntilSettled(revision, within: limit) }
        if options.json { try Terminal.json(revision) }
        guard wait else { return }
        if let failure = watch.failure(of: revision) { throw failure }
        guard revision.hasEnded else {
            if RevisionWatch.isSettled(revision) { return }
            throw CommandFailure(
                "\(deployment) revision \(revision.number) is not answered after \(timeout ?? 0) "
                    + "seconds, and goes on: \(RevisionWatch.line(revision))")
        }
        if revision.state == "retired" || revision.liveAt != nil { return }
        throw CommandFailure(
            "\(deployment) revision \(revision.number) was \(revision.state): "
                + (revision.reason ?? "no reason given"))
    }

    private func waitLimit() throws -> Duration? {
        guard let timeout else { return nil }
        guard wait, timeout > 0, timeout <= 31_536_000 else {
            throw CommandFailure.usage(
                "--timeout \(timeout): expected seconds above 0, at most 31536000, with --wait")
        }
        return .seconds(timeout)
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

    static func isSettled(_ revision: RevisionItem) -> Bool {
        revision.hasEnded || revision.state == "standby"
            || revision.state == "live" && revision.isAnswered
    }

    /// Why waiting on is in vain: the revision is live, and the gateways that do not answer with it could not
    /// load it. `nil` where that is not so, or one of them is still on its way.
    func failure(of revision: RevisionItem) -> CommandFailure? {
        guard revision.state == "live", !revision.isAnswered, !revision.awaited.isEmpty,
            revision.awaited.allSatisfy(\.hasFailed)
        else { return nil }
        return CommandFailure(
            "\(deployment) revision \(revision.number) (\(revision.model)/\(revision.version)) in "
                + "\(environment) is live, but not every gateway answers with it"
                + DeploymentText.awaited(revision))
    }

    /// Returns when the revision is live and every gateway answers with it or has failed to load it, or
    /// when it has ended. A server that restarts is waited for.
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
            if Self.isSettled(revision) || failure(of: revision) != nil { return revision }
            var seconds = 5
            if let end {
                let left = end - ContinuousClock.now
                guard left > .zero else { return revision }
                seconds = min(seconds, max(1, Int(bounded: left.seconds, 0...5)))
            }
            do {
                revision = try await client.call(
                    ShowRevision.self,
                    path: ["deployment": deployment, "number": String(revision.number)],
                    query: [
                        "environment": environment, "seen": String(revision.changes),
                        "answered": String(revision.isAnswered),
                        "wait": String(seconds),
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
    static func line(_ revision: RevisionItem) -> String {
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
