import AloftDomain
import ArgumentParser
import Foundation

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "List runs, or show one.",
        discussion: """
            Examples:
              aloft runs --experiment flights/train --order-by "metrics.val_auc DESC"
              aloft runs --filter "metrics.val_auc > 0.7 AND params.max_depth = '6'"
              aloft runs show 0c1b…
            """,
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List runs, newest first.",
            discussion: "Example: aloft runs --order-by \"metrics.val_auc DESC\" --limit 10")

        @Option(help: "Only this experiment's, by name.")
        var experiment: String?

        @Option(help: "Which, in the tracking protocol's words: metrics.loss < 0.1")
        var filter: String?

        @Option(help: "In which order: metrics.loss ASC")
        var orderBy: [String] = []

        @Option(help: "Which metrics to show; else as many as fit.")
        var metric: [String] = []

        @Option(help: "The most to list.")
        var limit = 20

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let tracking = TrackingClient(client: try options.client())
            let all = try await tracking.experiments()
            var wanted = all
            if let experiment {
                wanted = all.filter { $0.name == experiment }
                if wanted.isEmpty {
                    let near = nearest(to: experiment, among: all.map(\.name))
                    throw CommandFailure(
                        "there is no experiment '\(experiment)'"
                            + (near.map { "; did you mean '\($0)'?" } ?? ""))
                }
            }
            let runs = try await tracking.runs(
                experiments: wanted.map(\.experimentID), filter: filter, orderBy: orderBy,
                limit: limit)
            guard !options.json else { return try Terminal.json(runs) }
            guard !runs.isEmpty else { return Terminal.note("No runs.") }
            let names = Dictionary(
                all.map { ($0.experimentID, $0.name) }, uniquingKeysWith: { first, _ in first })
            Terminal.line(table(runs, experiments: names))
        }

        /// The metrics that most of the runs have, since a column that is empty shows nothing.
        private static func mostLogged(_ runs: [TrackingClient.Run], count: Int) -> [String] {
            var counts: [String: Int] = [:]
            for metric in runs.flatMap({ $0.data?.metrics ?? [] })
            where !metric.key.hasPrefix("system/") { counts[metric.key, default: 0] += 1 }
            return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                .prefix(count).map(\.key)
        }

        private func table(
            _ runs: [TrackingClient.Run], experiments: [String: String]
        ) -> String {
            var keys = metric
            if keys.isEmpty { keys = Self.mostLogged(runs, count: 4) }
            var table = TextTable(
                [("RUN", .left), ("NAME", .left), ("EXPERIMENT", .left), ("STATUS", .left)]
                    + keys.map { ($0, .right) } + [("STARTED", .left)])
            for run in runs {
                let metrics = Dictionary(
                    (run.data?.metrics ?? []).map { ($0.key, $0.text) },
                    uniquingKeysWith: { first, _ in first })
                table.add(
                    [
                        run.info.runID, run.info.runName ?? "",
                        experiments[run.info.experimentID] ?? run.info.experimentID,
                        run.info.status.lowercased(),
                    ] + keys.map { metrics[$0] ?? "" } + [TrackingOutput.time(run.info.startTime)])
            }
            return table.text
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one run: params, latest metrics, tags.",
            discussion: "Example: aloft runs show 0c1b5d…")

        @Argument(help: "The run's identifier, or the begin of it.")
        var run: String

        @OptionGroup var options: ServerOptions

        func run() async throws {
            let tracking = TrackingClient(client: try options.client())
            let found = try await tracking.run(beginning: run)
            guard !options.json else { return try Terminal.json(found) }
            var table = TextTable([("KIND", .left), ("KEY", .left), ("VALUE", .left)])
            table.add(["run", "id", found.info.runID])
            table.add(["run", "name", found.info.runName ?? ""])
            table.add(["run", "status", found.info.status.lowercased()])
            table.add(["run", "started", TrackingOutput.time(found.info.startTime)])
            table.add(["run", "ended", TrackingOutput.time(found.info.endTime)])
            table.add(["run", "artifacts", found.info.artifactURI ?? ""])
            for param in found.data?.params ?? [] {
                table.add(["param", param.key, param.value ?? ""])
            }
            for metric in found.data?.metrics ?? [] {
                table.add(["metric", metric.key, "\(metric.text) at step \(metric.step ?? 0)"])
            }
            for tag in found.data?.tags ?? [] {
                table.add(["tag", tag.key, String((tag.value ?? "").prefix(200))])
            }
            Terminal.line(table.text)
        }
    }
}

/// How the tracking commands show things.
enum TrackingOutput {
    static func time(_ milliseconds: Int64?) -> String {
        guard let milliseconds, milliseconds > 0 else { return "" }
        return Date(millisecondsSince1970: milliseconds).formatted(.iso8601)
    }
}
