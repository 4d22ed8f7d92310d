import AloftClient
import AloftDomain
import AloftWire
import Foundation

/// Reads runs and models through the tracking protocol, as any of its clients does.
struct TrackingClient {
    let client: ServerClient

    struct Pair: Codable {
        var key: String
        var value: String?
    }

    struct Metric: Codable {
        var key: String
        /// A number, or the text "NaN".
        var value: JSONValue
        var step: Int64?

        var text: String {
            switch value {
            case .double(let number): NumberText.short(number)
            case .int(let number): String(number)
            case .string(let text): text
            case .null, .bool, .array, .object: ""
            }
        }
    }

    struct Run: Codable {
        struct Info: Codable {
            var runID: String
            var runName: String?
            var experimentID: String
            var status: String
            var startTime: Int64?
            var endTime: Int64?
            var artifactURI: String?
            var userID: String?
        }

        struct Values: Codable {
            var metrics: [Metric]?
            var params: [Pair]?
            var tags: [Pair]?
        }

        var info: Info
        var data: Values?
    }

    struct Experiment: Codable {
        var experimentID: String
        var name: String
    }

    struct Version: Codable {
        var name: String
        var version: String
        var currentStage: String?
        var source: String?
        var runID: String?
        var modelID: String?
        var description: String?
        var creationTimestamp: Int64?
        var tags: [Pair]?
        var aliases: [String]?
    }

    struct Model: Codable {
        struct Alias: Codable {
            var alias: String
            var version: String
        }

        var name: String
        var description: String?
        var creationTimestamp: Int64?
        var lastUpdatedTimestamp: Int64?
        var latestVersions: [Version]?
        var aliases: [Alias]?
        var tags: [Pair]?
    }

    func experiments() async throws -> [Experiment] {
        struct Reply: Decodable { var experiments: [Experiment]? }
        let reply: Reply = try await get("experiments/search", ["max_results": "50000"])
        return reply.experiments ?? []
    }

    func runs(
        experiments: [String], filter: String?, orderBy: [String], limit: Int
    ) async throws -> [Run] {
        struct Body: Encodable {
            var experimentIDs: [String]
            var filter: String?
            var orderBy: [String]
            var maxResults: Int

            enum CodingKeys: String, CodingKey {
                case experimentIDs = "experiment_ids"
                case filter
                case orderBy = "order_by"
                case maxResults = "max_results"
            }
        }
        struct Reply: Decodable { var runs: [Run]? }
        let body = Body(
            experimentIDs: experiments, filter: filter, orderBy: orderBy, maxResults: limit)
        let data = try await client.track(
            .post, "runs/search", body: try JSONEncoder().encode(body))
        return try decode(Reply.self, data).runs ?? []
    }

    /// The run whose identifier is, or alone begins with, `prefix`.
    func run(beginning prefix: String) async throws -> Run {
        let isWhole = prefix.utf8.count >= 32
        let mayBegin = prefix.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0 | 0x20)
        }
        guard !isWhole, mayBegin, !prefix.isEmpty else { return try await run(prefix) }
        let found = try await runs(
            experiments: try await experiments().map(\.experimentID),
            filter: "attributes.run_id LIKE '\(prefix)%'", orderBy: [], limit: 6)
        if let only = found.first, found.count == 1 { return try await run(only.info.runID) }
        if let exact = found.first(where: { $0.info.runID == prefix }) { return exact }
        // Deleted runs and experiments are not searched, but found by their whole identifier.
        guard !found.isEmpty else { return try await run(prefix) }
        throw CommandFailure(ambiguousPrefix("runs", prefix, found.map(\.info.runID)))
    }

    func run(_ id: String) async throws -> Run {
        struct Reply: Decodable { var run: Run }
        let reply: Reply = try await get("runs/get", ["run_id": id])
        return reply.run
    }

    func models(filter: String?, limit: Int) async throws -> [Model] {
        struct Reply: Decodable { var registeredModels: [Model]? }
        var query = ["max_results": String(limit)]
        query["filter"] = filter
        let reply: Reply = try await get("registered-models/search", query)
        return reply.registeredModels ?? []
    }

    func model(_ name: String) async throws -> Model {
        struct Reply: Decodable { var registeredModel: Model }
        let reply: Reply = try await get("registered-models/get", ["name": name])
        return reply.registeredModel
    }

    func versions(of name: String) async throws -> [Version] {
        struct Reply: Decodable { var modelVersions: [Version]? }
        let quoted = name.replacing("'", with: "''")
        let reply: Reply = try await get(
            "model-versions/search",
            ["filter": "name = '\(quoted)'", "order_by": "version_number DESC"])
        return reply.modelVersions ?? []
    }

    /// The protocol writes `run_id` where Swift writes `runID`.
    private static var decoder: JSONDecoder {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .custom { path in
            let words = (path.last?.stringValue ?? "").split(separator: "_").map(String.init)
            let rest = words.dropFirst().map { word in
                switch word {
                case "id", "uri": word.uppercased()
                case "ids": "IDs"
                default: word.capitalized
                }
            }
            return Key(stringValue: (words.first ?? "") + rest.joined())
        }
        return decoder
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private func get<Reply: Decodable>(
        _ path: String, _ query: [String: String]
    ) async throws -> Reply {
        try decode(Reply.self, await client.track(.get, path, query: query))
    }

    func post<Reply: Decodable>(_ path: String, _ body: some Encodable) async throws -> Reply {
        try decode(
            Reply.self,
            await client.track(.post, path, body: try JSONEncoder().encode(body)))
    }

    private func decode<Reply: Decodable>(_ type: Reply.Type, _ data: Data) throws -> Reply {
        do {
            return try Self.decoder.decode(type, from: data)
        } catch {
            throw CommandFailure("the server's answer cannot be read: \(error)")
        }
    }
}
