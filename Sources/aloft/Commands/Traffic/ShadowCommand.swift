import AloftClient
import AloftDomain
import AloftWire
import ArgumentParser
import Foundation

struct ShadowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shadow",
        abstract: "Copy requests to another version that answers nobody, and compare.",
        discussion: "Example: aloft shadow start churn --model churn-model/7 --share 10%",
        subcommands: [Show.self, Start.self, Stop.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a deployment's shadow and the differences seen.",
            discussion: "Example: aloft shadow show churn")

        @OptionGroup var place: RolloutCommand.Place

        func run() async throws {
            let reply = try await place.options.client().call(
                ShowTraffic.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment])
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.shadow(reply))
        }
    }

    struct Start: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy a share of the requests to a version, which is deployed for it.",
            discussion: """
                Example: aloft shadow start churn --model churn-model/7 --share 10%

                The version is deployed to the environment `shadow` of the same deployment. Without
                --model the copies go to what is there, or to --to DEPLOYMENT.
                """)

        @OptionGroup var place: RolloutCommand.Place

        @Option(help: ArgumentHelp("The version: NAME@ALIAS or NAME/VERSION.", valueName: "model"))
        var model: String?

        @Option(help: ArgumentHelp("Another deployment that gets the copies.", valueName: "name"))
        var to: String?

        @Option(help: "The share of the requests that is copied.")
        var share = "10%"

        func run() async throws {
            guard model == nil || to == nil else {
                throw CommandFailure.usage("--model deploys a shadow of its own; leave out --to")
            }
            let percent = try ABCommand.Plan.share(share, "--share") * 100
            let client = try place.options.client()
            if let model {
                _ = try await client.call(
                    Deploy.self, path: ["deployment": place.deployment],
                    body: .init(model: model, environment: EndpointName.shadow, atOnce: true))
            }
            let reply = try await client.call(
                SetShadow.self, path: ["deployment": place.deployment],
                body: .init(
                    environment: place.environment, deployment: to, sharePercent: percent))
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.shadow(reply))
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Copy no more requests. The shadow's version stays deployed.",
            discussion: "Example: aloft shadow stop churn")

        @OptionGroup var place: RolloutCommand.Place

        func run() async throws {
            let reply = try await place.options.client().call(
                ClearShadow.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment])
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.shadow(reply))
        }
    }
}

struct SegmentsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "segments",
        abstract: "Show or end the segments that other deployments answer.",
        discussion: """
            Example: aloft segments show eta

            Segments are set by `segments` in the project file.
            """,
        subcommands: [Show.self, Clear.self], defaultSubcommand: Show.self)

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a deployment's tree of segments.",
            discussion: "Example: aloft segments show eta")

        @OptionGroup var place: RolloutCommand.Place

        func run() async throws {
            let reply = try await place.options.client().call(
                ShowTraffic.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment])
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.segments(reply))
        }
    }

    struct Clear: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Answer every request by the deployment itself.",
            discussion: "Example: aloft segments clear eta")

        @OptionGroup var place: RolloutCommand.Place

        func run() async throws {
            let reply = try await place.options.client().call(
                ClearSegments.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment])
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.segments(reply))
        }
    }
}

/// Shadows and segments as people read them.
enum TrafficText {
    static func shadow(_ reply: ShowTraffic.Reply) -> String {
        guard let shadow = reply.shadow else {
            return "\(reply.deployment) has no shadow in \(reply.environment)"
        }
        let target = EndpointName.text(
            deployment: shadow.deployment, environment: shadow.environment)
        let version =
            shadow.version.map { "\($0) (r\(shadow.revision ?? 0))" } ?? "nothing live yet"
        var lines = [
            "\(DeploymentText.percent(shadow.sharePercent)) of the requests go to \(target): "
                + version,
            "compared \(shadow.compared), failed \(shadow.failed), dropped \(shadow.dropped)",
            "different answers: \(shadow.differing)",
        ]
        if let mean = shadow.meanDifference {
            lines.append(
                String(
                    format: "differences: mean %.3g, largest %.3g", mean,
                    shadow.largestDifference))
        }
        if shadow.classes > 0 {
            lines.append("other class: \(shadow.otherClasses) of \(shadow.classes) rows")
        }
        return lines.joined(separator: "\n")
    }

    static func segments(_ reply: ShowTraffic.Reply) -> String {
        guard let tree = reply.segments else {
            return "\(reply.deployment) has no segments in \(reply.environment)"
        }
        var depths: [String: Int] = [:]
        var lines = ["by \(tree.source) \(tree.name); all else: \(reply.deployment)"]
        for node in tree.nodes {
            let depth = (node.parent.flatMap { depths[$0] } ?? 0) + 1
            depths[node.key] = depth
            let answer = node.deployment ?? "as around it"
            lines.append(String(repeating: "  ", count: depth) + "\(node.key): \(answer)")
        }
        return lines.joined(separator: "\n")
    }
}
