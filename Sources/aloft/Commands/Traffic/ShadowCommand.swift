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
                --model the copies go to what is there, or to --to DEPLOYMENT. With --wait the exit
                status is 0 once the gateways copy requests to it, 1 if it cannot be served.
                """)

        @OptionGroup var place: RolloutCommand.Place

        @Option(help: ArgumentHelp("The version: NAME@ALIAS or NAME/VERSION.", valueName: "model"))
        var model: String?

        @Option(help: ArgumentHelp("Another deployment that gets the copies.", valueName: "name"))
        var to: String?

        @Option(help: "The share of the requests that is copied.")
        var share = "10%"

        @Flag(help: "Wait until gateways copy requests to the version.")
        var wait = false

        func run() async throws {
            guard model == nil || to == nil else {
                throw CommandFailure.usage("--model deploys a shadow of its own; leave out --to")
            }
            let percent = try ABCommand.Plan.share(share, "--share") * 100
            let client = try place.options.client()
            var deployed: RevisionItem?
            if let model {
                deployed = try await client.call(
                    Deploy.self, path: ["deployment": place.deployment],
                    body: .init(model: model, environment: EndpointName.shadow, atOnce: true)
                ).revision
            }
            var reply = try await client.call(
                SetShadow.self, path: ["deployment": place.deployment],
                body: .init(
                    environment: place.environment, deployment: to, sharePercent: percent))
            if wait { reply = try await waitUntilCopied(reply, deployed, client) }
            guard !place.options.json else { return try Terminal.json(reply) }
            Terminal.line(TrafficText.shadow(reply))
        }

        /// The shadow's revision and the new rule must have reached every gateway.
        private func waitUntilCopied(
            _ reply: ShowTraffic.Reply, _ deployed: RevisionItem?, _ client: ServerClient
        ) async throws -> ShowTraffic.Reply {
            guard let shadow = reply.shadow else { return reply }
            var places = [(place.deployment, place.environment)]
            if deployed == nil { places.insert((shadow.deployment, shadow.environment), at: 0) }
            if let deployed {
                try await settle(deployed, (place.deployment, EndpointName.shadow), client)
            }
            for (name, environment) in places {
                let page = try await client.call(
                    ShowDeployment.self, path: ["deployment": name],
                    query: ["environment": environment, "limit": "1"])
                guard let revision = page.deployment.live ?? page.deployment.underWay else {
                    throw CommandFailure("nothing is live in \(name) \(environment) to wait for")
                }
                try await settle(revision, (name, environment), client)
            }
            return try await client.call(
                ShowTraffic.self, path: ["deployment": place.deployment],
                query: ["environment": place.environment])
        }

        private func settle(
            _ revision: RevisionItem, _ at: (deployment: String, environment: String),
            _ client: ServerClient
        ) async throws {
            let watch = RevisionWatch(
                client: client, deployment: at.deployment, environment: at.environment,
                isQuiet: place.options.json)
            let settled = try await watch.waitUntilSettled(revision)
            if let failure = watch.failure(of: settled) { throw failure }
            guard settled.hasEnded, settled.liveAt == nil else { return }
            throw CommandFailure(
                "\(at.deployment) revision \(settled.number) in \(at.environment) was "
                    + "\(settled.state): \(settled.reason ?? "no reason given")")
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
        if let reason = shadow.notComparable, shadow.incomparable > 0 {
            lines.append("not comparable: \(shadow.incomparable) answers; \(reason)")
        }
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
