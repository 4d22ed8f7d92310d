import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import Testing

/// Every route, with every field that the protocol knows at wrong values: the answer is never a 5xx,
/// and an error always has a name.
struct HostileRouteTests {
    /// Fields of all the calls together; unknown ones are ignored.
    private static let fields = [
        "action", "alias", "archive_existing_versions", "artifact_location", "assessment",
        "assessment_id", "assessment_name", "datasets", "description", "digest", "end_time",
        "end_step", "entity", "etag", "event", "events", "experiment_id", "experiment_ids",
        "experiment_name", "filter", "key", "locations", "max_results", "max_timestamp_millis",
        "max_traces", "metric_key", "metrics", "model_id", "model_json", "models", "name",
        "new_name", "num_parts", "order_by", "page_token", "params", "part_number", "parts", "path",
        "prompt_versions", "request_ids", "request_metadata", "run_id", "run_ids", "run_link",
        "run_name", "run_uuid", "secret", "source", "source_run_id", "stage", "stages",
        "start_step", "start_time", "status", "step", "tags", "timestamp", "timestamp_ms", "trace",
        "trace_id", "trace_ids", "update_mask", "upload_id", "url", "user_id", "value", "version",
        "view_type",
    ]

    private static let values = [
        "null", "true", "-1", "0", "9223372036854775808", "1e308", "-9223372036854775808", "1.5",
        "\"\"", "\"x\"", "\"../../etc/passwd\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "[]", "[1]",
        "[\"x\"]", "[{}]", "[[]]", "{}", "{\"key\":{}}",
        "\"\(String(repeating: "k", count: 30_000))\"",
    ]

    /// Values of a query, and of the pieces of a path.
    private static let texts = [
        "", "x", "-1", "99999999999999999999", "..%2F..%2Fetc%2Fpasswd", "%2e%2e", "%00", "%ff",
        "%F0%9F%98%80", "a%20b", "%27%20OR%201=1", "True", "1e999", "tr-%3F", "m-0",
        String(repeating: "k", count: 3000),
    ]

    /// The only answer that says "not made": the client does without.
    private static let allowed501 = "presigned"

    private static func routes() throws -> [(method: HTTPRequest.Method, path: String)] {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        return router.routes.map { ($0.method, "\($0.path)") }
            .filter { !$0.1.hasPrefix("/ajax-api/2.0") || $0.1.contains("upload-artifact") }
    }

    private static func filled(_ path: String, with text: String) -> String {
        path.split(separator: "/").map { piece in
            piece.hasPrefix(":") || piece == "**" || piece.hasPrefix("{") ? text : String(piece)
        }.reduce(into: "") { $0 += "/" + $1 }
    }

    private static func check(_ answer: World.Answer, _ what: String) {
        if answer.status == 501, what.contains(allowed501) { return }
        #expect(answer.status < 500, "\(what.prefix(300)): \(answer.status)")
        guard answer.status >= 400, answer.status < 500 else { return }
        guard answer.bytes.isEmpty || answer.status == 404 && answer.json == .null else {
            #expect(!answer.errorCode.isEmpty, "\(what.prefix(300)): an error without its name")
            return
        }
    }

    @Test func `a wrong value of any field is the client's mistake`() async throws {
        let routes = try Self.routes().filter { $0.method != .get }
        try await World.run { world in
            let run = try await world.run()
            for (method, path) in routes {
                for value in Self.values {
                    // The fields that others are read after are right, so that these are read too.
                    let wrong = Self.fields.map { field in
                        let good = ["run_id": "\"\(run)\"", "experiment_id": "\"0\""][field]
                        return "\"\(field)\": \(value == "\"x\"" ? good ?? value : value)"
                    }
                    let body = "{\(wrong.joined(separator: ", "))}"
                    let answer = try await world.call(method, Self.filled(path, with: "x"), body)
                    Self.check(answer, "\(method) \(path) all = \(value)")
                }
            }
        }
    }

    @Test func `one wrong field among right ones is the client's mistake`() async throws {
        let calls: [(String, [String: String])] = [
            (
                "runs/log-metric",
                ["key": "\"a\"", "value": "1", "timestamp": "1", "step": "1"]
            ), ("runs/log-parameter", ["key": "\"a\"", "value": "\"1\""]),
            ("runs/set-tag", ["key": "\"a\"", "value": "\"1\""]),
            (
                "runs/log-batch",
                [
                    "metrics": "[{\"key\":\"a\",\"value\":1,\"timestamp\":1}]",
                    "params": "[{\"key\":\"a\",\"value\":\"1\"}]",
                ]
            ), ("runs/log-inputs", ["datasets": "[]", "models": "[]"]),
            ("runs/outputs", ["models": "[{\"model_id\":\"m-1\",\"step\":0}]"]),
            ("runs/update", ["status": "\"RUNNING\"", "end_time": "1", "run_name": "\"a\""]),
            (
                "runs/search",
                [
                    "experiment_ids": "[\"0\"]", "filter": "\"metrics.a > 0\"",
                    "order_by": "[\"metrics.a\"]", "max_results": "5", "page_token": "\"\"",
                ]
            ),
        ]
        try await World.run { world in
            let run = try await world.run()
            for (path, fields) in calls {
                for field in fields.keys {
                    for value in Self.values {
                        var members = fields
                        members["run_id"] = "\"\(run)\""
                        members[field] = value
                        let text = members.map { "\"\($0.key)\": \($0.value)" }
                        let answer = try await world.post(
                            path, "{\(text.joined(separator: ", "))}")
                        Self.check(answer, "\(path) \(field) = \(value)")
                    }
                }
            }
        }
    }

    @Test func `a wrong query or path is the client's mistake`() async throws {
        let routes = try Self.routes()
        try await World.run { world in
            for (method, path) in routes {
                for text in Self.texts {
                    let body = method == .get ? nil : "{}"
                    let place = Self.filled(path, with: text.isEmpty ? "x" : text)
                    let query = Self.fields.map { "\($0)=\(text.prefix(100))" }
                        .joined(separator: "&")
                    for uri in [place, "\(place)?\(query)"] {
                        let answer = try await world.call(method, uri, body)
                        Self.check(answer, "\(method) \(path) \(text)")
                    }
                }
            }
        }
    }

    @Test func `a body of random bytes is refused everywhere`() async throws {
        let routes = try Self.routes().filter { $0.method != .get }
        try await World.run { world in
            var chance = SplitMix64(seed: 11)
            for (method, path) in routes {
                for type in ["application/json", "application/x-protobuf", "text/plain"] {
                    let bytes = (0..<100).map { _ in UInt8(truncatingIfNeeded: chance.next()) }
                    let answer = try await world.call(
                        method, Self.filled(path, with: "x"),
                        String(decoding: bytes, as: UTF8.self), type: type,
                        headers: Self.exportHeaders)
                    Self.check(answer, "\(method) \(path) \(type)")
                }
            }
        }
    }

    private static var exportHeaders: HTTPFields {
        var headers = HTTPFields()
        if let name = HTTPField.Name("x-mlflow-experiment-id") { headers[name] = "0" }
        return headers
    }
}
