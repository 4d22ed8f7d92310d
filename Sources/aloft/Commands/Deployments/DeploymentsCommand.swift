import AloftClient
import AloftWire
import ArgumentParser

struct DeploymentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deployments",
        abstract: "List deployments with what is live in each environment.",
        discussion: "Example: aloft deployments --json")

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let reply = try await options.client().call(ListDeployments.self)
        guard !options.json else { return try Terminal.json(reply) }
        Terminal.line(DeploymentText.overview(reply.deployments))
    }
}
