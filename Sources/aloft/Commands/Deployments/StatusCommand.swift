import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Everything that runs, on one screen: jobs, sweeps, deployments, gateways.",
        discussion: "Example: aloft status")

    @OptionGroup var options: ServerOptions

    /// What `--json` prints.
    struct Overview: Encodable {
        var jobs: [JobView]
        var deployments: [DeploymentItem]
        var gateways: [ListGateways.Item]
        var desiredRevision: Int
    }

    func run() async throws {
        let client = try options.client()
        let jobs = try await client.call(ListJobs.self, query: ["live": "true"]).jobs
        let deployments = try await client.call(ListDeployments.self).deployments
        let gateways = try await client.call(ListGateways.self)
        if options.json {
            return try Terminal.json(
                Overview(
                    jobs: jobs, deployments: deployments, gateways: gateways.gateways,
                    desiredRevision: gateways.desiredRevision))
        }
        var parts = [Self.text(of: jobs)]
        parts.append(
            deployments.isEmpty
                ? "No deployments. Make one: aloft deploy NAME --model MODEL@ALIAS"
                : DeploymentText.overview(deployments))
        parts.append(contentsOf: deployments.compactMap(Self.remark))
        parts.append(Self.text(of: gateways))
        Terminal.line(parts.joined(separator: "\n\n"))
    }

    private static func text(of jobs: [JobView]) -> String {
        guard !jobs.isEmpty else { return "No jobs wait or run." }
        var table = TextTable([
            ("JOB", .left), ("NAME", .left), ("STATE", .left), ("STARTED", .left), ("FOR", .left),
            ("WAITS FOR", .left),
        ])
        for job in jobs {
            let values = job.parameters.sorted { $0.key < $1.key }
            table.add([
                String(job.id.rawValue.prefix(12)), job.name, job.state, job.startedAt ?? "-",
                values.map { "\($0.key)=\($0.value)" }.joined(separator: " "),
                JobOutput.waits(job),
            ])
        }
        return table.text
    }

    /// What the newest revision waits for, and which gateways do not answer with the live one.
    private static func remark(_ deployment: DeploymentItem) -> String? {
        let place = "\(deployment.name) in \(deployment.environment), revision "
        var lines: [String] = []
        if let revision = deployment.underWay, let reason = revision.reason {
            lines.append(place + "\(revision.number): \(reason)")
        }
        if let live = deployment.live, !live.isAnswered {
            lines.append(
                place + "\(live.number): not answered" + DeploymentText.awaited(live))
        }
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }

    private static func text(of reply: ListGateways.Reply) -> String {
        guard !reply.gateways.isEmpty else { return "No gateway is connected." }
        var table = TextTable([
            ("GATEWAY", .left), ("STATE", .left), ("DESIRED STATE", .right), ("HEARD OF", .left),
        ])
        for gateway in reply.gateways {
            let behind = reply.desiredRevision - gateway.desiredRevision
            table.add([
                gateway.gateway.rawValue, gateway.isAlive ? "alive" : "silent",
                "\(gateway.desiredRevision)" + (behind > 0 ? " (\(behind) behind)" : ""),
                gateway.reportedAt,
            ])
        }
        return table.text
    }
}
