import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models",
        abstract: "List registered models, show one with its versions, or register an ONNX file.",
        discussion: """
            Examples:
              aloft models
              aloft models show flight-delay
              aloft models register detector detector.onnx
            """,
        subcommands: [List.self, Show.self, Register.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List registered models.", discussion: "Example: aloft models")

        @Option(help: "Which, in the tracking protocol's words: name LIKE 'flight%'")
        var filter: String?

        @Option(help: "The most to list.")
        var limit = 100

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let tracking = TrackingClient(client: try options.client())
            let models = try await tracking.models(filter: filter, limit: limit)
            guard !options.json else { return try Terminal.json(models) }
            guard !models.isEmpty else { return Terminal.note("No registered models.") }
            var table = TextTable([
                ("MODEL", .left), ("NEWEST", .right), ("ALIASES", .left), ("UPDATED", .left),
            ])
            for model in models {
                let newest = (model.latestVersions ?? []).compactMap { Int($0.version) }.max()
                let aliases = (model.aliases ?? []).map { "\($0.alias)=\($0.version)" }
                table.add([
                    model.name, newest.map(String.init) ?? "", aliases.joined(separator: " "),
                    TrackingOutput.time(model.lastUpdatedTimestamp),
                ])
            }
            Terminal.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a model's versions, newest first.",
            discussion: "Example: aloft models show flight-delay")

        @Argument(help: "The model's name.")
        var model: String

        @OptionGroup var options: ServerOptions

        private struct Shown: Encodable {
            var model: TrackingClient.Model
            var versions: [TrackingClient.Version]
        }

        func run() async throws {
            let client = try options.client()
            let tracking = TrackingClient(client: client)
            let found = try await tracking.model(model)
            let versions = try await tracking.versions(of: model)
            guard !options.json else {
                return try Terminal.json(Shown(model: found, versions: versions))
            }
            if let description = found.description { Terminal.line(description + "\n") }
            var table = TextTable([
                ("VERSION", .right), ("ALIASES", .left), ("STAGE", .left), ("RUN", .left),
                ("CREATED", .left), ("SERVED BY", .left), ("PARITY", .right),
            ])
            var reasons: [String] = []
            for version in versions {
                let servable = try await client.call(
                    ShowServable.self, path: ["name": model, "version": version.version])
                let parity = servable.manifest?.parity.map { String(format: "%.1e", $0) } ?? ""
                let reason = servable.manifest?.reason ?? servable.reason
                if let reason { reasons.append("version \(version.version): \(reason)") }
                table.add([
                    version.version, (version.aliases ?? []).joined(separator: " "),
                    version.currentStage ?? "", String((version.runID ?? "").prefix(8)),
                    TrackingOutput.time(version.creationTimestamp), Self.servedBy(servable), parity,
                ])
            }
            Terminal.line(table.text)
            if !reasons.isEmpty { Terminal.line("\n" + reasons.joined(separator: "\n")) }
        }

        /// The runtime, or how far the conversion is.
        private static func servedBy(_ servable: ShowServable.Reply) -> String {
            guard servable.state == "ready", let manifest = servable.manifest else {
                return servable.state
            }
            return manifest.runtime == .onnx ? "ONNX Runtime" : "Python worker"
        }
    }
}
