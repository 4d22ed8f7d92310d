import AloftClient
import AloftTransfer
import ArgumentParser
import Foundation

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write experiments, runs and models as files that a person can read.",
        discussion: """
            Examples:
              aloft export ./backup
              aloft export ./paper --experiment flights/train

            Each run gets a folder with run.json, metrics.csv and its artifacts; each experiment a
            table runs.csv. A second time only what changed is written.
            """)

    @Argument(help: "The folder to write to; made where it is not there.")
    var folder: String

    @Option(help: "Only this experiment, by name; may be given several times.")
    var experiment: [String] = []

    @OptionGroup var options: ServerOptions

    func run() async throws {
        let token = ProcessInfo.processInfo.environment["ALOFT_TOKEN"]
        let source = MLflowServerSource(
            connection: SourceConnection(
                address: try options.address(),
                access: token.map(SourceConnection.Access.token) ?? .open,
                http: ServerOptions.http), artifacts: nil)
        let progress = ProgressLine(verb: "wrote")
        let export = FolderExport(
            from: source, to: folder, experiments: Set(experiment), tell: { progress.show($0) })
        try await TransferOutput.run(progress, json: options.json) { try await export.run() }
    }
}
