import AloftDomain
import Foundation
import HTTPTypes
import Testing

@testable import AloftMLflow

/// Whatever a client sends, it gets a 4xx with a name it knows, never a 5xx.
struct HostileBodyTests {
    private static let posts = [
        "experiments/create", "experiments/search", "experiments/update", "experiments/delete",
        "runs/create", "runs/update", "runs/delete", "runs/search", "runs/log-metric",
        "runs/log-parameter", "runs/set-tag", "runs/delete-tag", "runs/log-batch",
        "runs/log-inputs", "runs/outputs", "runs/log-model", "logged-models",
        "logged-models/search", "registered-models/create", "registered-models/rename",
        "registered-models/alias", "model-versions/create", "model-versions/transition-stage",
    ]

    private static let bodies = [
        "", "null", "[]", "7", "\"x\"", "{", "{\"run_id\":", "{\"run_id\": NaN}", "{'a': 1}",
        "{\"a\": 1} x", "\u{FEFF}{}", String(repeating: "[", count: 100_000),
        String(repeating: "{\"a\":", count: 5000), "{\"name\": \"\\ud800\"}",
        "{\"run_id\": {\"a\": []}, \"name\": 5, \"experiment_id\": [], \"experiment_ids\": {}}",
        "{\"run_id\": \"../../etc\", \"name\": \"a/b:c\", \"experiment_id\": \"99999999999999999999\"}",
        "{\"max_results\": -1, \"experiment_ids\": [\"0\"], \"name\": \"\"}",
        "{\"max_results\": 1e999, \"run_id\": \"\"}",
    ]

    @Test(arguments: posts)
    func `a wrong body is the client's mistake`(path: String) async throws {
        try await World.run { world in
            for body in Self.bodies {
                let answer = try await world.post(path, body)
                #expect(
                    (400..<500).contains(answer.status) || answer.status == 200,
                    "\(path) \(body.prefix(60)): \(answer.status)")
                if answer.status != 200 { #expect(!answer.errorCode.isEmpty) }
            }
        }
    }

    @Test func `random bytes are refused`() async throws {
        try await World.run { world in
            var chance = SplitMix64(seed: 3)
            for _ in 0..<200 {
                let bytes = (0..<Int.random(in: 1...200, using: &chance)).map { _ in
                    UInt8(truncatingIfNeeded: chance.next())
                }
                let answer = try await world.post(
                    "runs/log-batch", String(decoding: bytes, as: UTF8.self))
                #expect(answer.status == 400)
            }
        }
    }

    @Test(arguments: [
        "OR", "metrics.a > 1 OR metrics.b > 1", "metrics.a == 1", "metrics.a <> 1",
        "(metrics.a > 1)",
        "metrics.a > '1'", "params.a = 1", "NOT metrics.a > 1", "metrics.a > 1;",
        "lifecycle_stage = 'a'",
        "experiment_id = '0'", "nothing.a = 'b'", "metrics.a LIKE 'x'", "params.a > 'x'", "tags.a",
        "tags.a = ", "tags.a = 'x", "status IN ('a')", "run_id IN ()", "run_id IN ('a' 'b')",
        "metrics.a > nan", "params.`a = 'x'", "start_time = '5'", "AND", "tags.a = 'x' AND",
        "metrics. > 1", ".a = 'x'", "dataset.other = 'x'", "metrics.a IS NULL",
    ])
    func `a filter outside of the grammar is refused`(filter: String) async throws {
        try await World.run { world in
            let body = #"{"experiment_ids": ["0"], "filter": "\#(filter)"}"#
            let answer = try await world.post("runs/search", body)
            #expect(answer.status == 400, "\(filter): \(answer.json)")
            #expect(answer.errorCode == "INVALID_PARAMETER_VALUE")
        }
    }

    @Test(arguments: ["(", "1 ", "a,", "'b',"])
    func `a filter of many words costs little`(word: String) {
        let filter = "run_id IN (" + String(repeating: word, count: 99_000 / word.utf8.count)
        #expect {
            _ = try RunSearchParser.conditions(filter)
        } throws: { ($0 as? ProtocolError)?.message.contains("more than 10000 words") == true }
    }

    @Test func `a wrong content type and too large a batch are refused`() async throws {
        try await World.run { world in
            let wrong = try await world.call(.post, "runs/search", "{}", type: "text/plain")
            #expect(wrong.status == 400)
            let large =
                "{\"run_id\": \"a\", \"x\": \"\(String(repeating: "a", count: 1_000_001))\"}"
            #expect(try await world.post("runs/log-batch", large).status == 400)
            let run = try await world.run()
            let key = String(repeating: "k", count: 500_000)
            let answer = try await world.post(
                "runs/set-tag", #"{"run_id": "\#(run)", "key": "\#(key)", "value": "v"}"#)
            #expect(answer.status == 400)
        }
    }

    @Test(arguments: [
        "..%2f..%2fx", "%2e%2e/x", "a/%2e%2e/%2e%2e/x", "a/..%5c..%5cx", "%252e%252e/x", "%2fetc/x",
        "a%00b", "C%3a/x", "../x",
    ])
    func `no path leaves the artifact folder`(path: String) async throws {
        try await World.run { world in
            let base = "/api/2.0/mlflow-artifacts/artifacts/"
            for method in [HTTPRequest.Method.put, .get, .delete] {
                let answer = try await world.call(
                    method, base + path, method == .put ? "x" : nil, type: "text/plain")
                #expect((400..<500).contains(answer.status), "\(method) \(path)")
            }
        }
    }

    @Test func `more orders than can be sorted by are refused, and as many as can are not`()
        async throws
    {
        try await World.run { world in
            for (count, status) in [(30, 200), (31, 400), (1000, 400)] {
                let orders = (0..<count).map { "\"metrics.m\($0) DESC\"" }.joined(separator: ",")
                let body = "{\"experiment_ids\": [\"0\"], \"order_by\": [\(orders)]}"
                let answer = try await world.post("runs/search", body)
                #expect(answer.status == status)
                guard status == 400 else { continue }
                #expect(
                    answer["message"]
                        == .string(
                            "'order_by' has \(count) clauses; 30 at most can be sorted by."))
            }
            let orders = (0..<31).map { "{\"field_name\": \"metrics.m\($0)\"}" }
            let body =
                "{\"experiment_ids\": [\"0\"], \"order_by\": [\(orders.joined(separator: ","))]}"
            #expect(try await world.post("logged-models/search", body).status == 400)
        }
    }
}
