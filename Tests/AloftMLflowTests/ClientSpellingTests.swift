import AloftDomain
import Foundation
import HTTPTypes
import Testing

/// What clients in R, Java, Go and Python write.
struct ClientSpellingTests {
    @Test func `numbers are read as other languages write them`() async throws {
        try await World.run { world in
            let run = try await world.run()
            for (key, rest) in [
                ("a", #""value": "0.5", "timestamp": "1700000000000", "step": "1e+05""#),
                ("b", #""value": "5e-1", "timestamp": "1.7e+12", "step": "0""#),
                ("c", #""value": NaN, "timestamp": 1"#),
                ("d", #""value": -Infinity, "timestamp": 1e3"#),
            ] {
                let body = #"{"run_id": "\#(run)", "key": "\#(key)", \#(rest)}"#
                #expect(try await world.post("runs/log-metric", body).status == 200, "\(rest)")
            }
            for step in ["1.5", "0x10", "1e300", "nan", ""] {
                let body =
                    #"{"run_id": "\#(run)", "key": "e", "value": 1, "timestamp": 1, "step": "\#(step)"}"#
                #expect(try await world.post("runs/log-metric", body).status == 400, "\(step)")
            }
            let batch = try await world.post(
                "runs/log-batch",
                #"{"run_id": "\#(run)", "metrics": [{"key": "f", "value": Infinity, "timestamp": 1}]}"#
            )
            #expect(batch.status == 200)
            let found = try await world.get("metrics/get-history?run_id=\(run)&metric_key=a")
            #expect(found["metrics", "0", "step"] == .int(100_000))
        }
    }

    @Test(arguments: ["tags.'my key' = 'v'", "tags.\"my key\" = 'v'", "tags.`my key` = 'v'"])
    func `keys are quoted in each way`(_ filter: String) async throws {
        try await World.run { world in
            let run = try await world.run()
            _ = try await world.post(
                "runs/set-tag", #"{"run_id": "\#(run)", "key": "my key", "value": "v"}"#)
            let text = filter.replacing("\"", with: #"\""#)
            let answer = try await world.post(
                "runs/search", #"{"experiment_ids": ["0"], "filter": "\#(text)"}"#)
            #expect(answer["runs", "0", "info", "run_id"] == .string(run), "\(answer.json)")
        }
    }

    @Test func `what clients keep in tags of their own is never cut`() async throws {
        try await World.run { world in
            let run = try await world.run()
            let entries = (0..<400).map {
                #"{\"path\": \"tables/\#($0).json\", \"type\": \"table\"}"#
            }
            let list = "[" + entries.joined(separator: ", ") + "]"
            for key in ["mlflow.loggedArtifacts", "plain"] {
                let answer = try await world.post(
                    "runs/set-tag", #"{"run_id": "\#(run)", "key": "\#(key)", "value": "\#(list)"}"#
                )
                #expect(answer.status == 200)
            }
            let data = try await world.get("runs/get?run_id=\(run)")
            let tags = (0..<3).map { data["run", "data", "tags", "\($0)"] }
            let kept = tags.first { $0["key"] == .string("mlflow.loggedArtifacts") }?["value"]
            let text = try #require(kept?.stringValue)
            #expect(try JSONDecoder().decode([JSONValue].self, from: Data(text.utf8)).count == 400)
            let plain = tags.first { $0["key"] == .string("plain") }?["value"]?.stringValue
            #expect(plain?.unicodeScalars.count == 8000)
        }
    }

    @Test func `a metric that is NaN differs from every number`() async throws {
        try await World.run { world in
            for value in [#""NaN""#, "0", "1"] {
                let run = try await world.run()
                _ = try await world.post(
                    "runs/log-metric",
                    #"{"run_id": "\#(run)", "key": "loss", "value": \#(value), "timestamp": 1}"#)
            }
            _ = try await world.run()
            for (comparator, count) in [
                ("=", 1), ("!=", 2), ("<", 0), ("<=", 1), (">", 1), (">=", 2),
            ] {
                for order in ["", #""metrics.loss DESC""#] {
                    let answer = try await world.post(
                        "runs/search",
                        """
                        {"experiment_ids": ["0"], "filter": "metrics.loss \(comparator) 0", \
                        "order_by": [\(order)]}
                        """)
                    let found = if case .array(let runs) = answer["runs"] { runs.count } else { 0 }
                    #expect(found == count, "\(comparator) \(order)")
                }
            }
        }
    }

    @Test func `latest is the newest version, and a model knows its versions`() async throws {
        try await World.run { world in
            let model = try await world.post(
                "logged-models", #"{"experiment_id": "0", "name": "l"}"#)
            let id = try #require(model["model", "info", "model_id"].stringValue)
            _ = try await world.post("registered-models/create", #"{"name": "m"}"#)
            for _ in 0..<2 {
                let answer = try await world.post(
                    "model-versions/create",
                    #"{"name": "m", "source": "models:/\#(id)", "model_id": "\#(id)"}"#)
                #expect(answer.status == 200, "\(answer.json)")
            }
            let latest = try await world.get("registered-models/alias?name=m&alias=latest")
            #expect(latest["model_version", "version"] == .string("2"))
            let tags = try await world.get("logged-models/\(id)")["model", "info", "tags", "0"]
            #expect(tags["key"] == .string("mlflow.modelVersions"))
            #expect(
                tags["value"]
                    == .string(#"[{"name": "m", "version": 1}, {"name": "m", "version": 2}]"#))
        }
    }

    @Test func `a file says its name in both ways`() async throws {
        try await World.run { world in
            for (name, header) in [
                ("a%20b.csv", #"attachment; filename="a b.csv""#),
                (
                    "%C3%BC%22.csv",
                    #"attachment; filename="__.csv"; filename*=UTF-8''%C3%BC%22%2Ecsv"#
                ),
            ] {
                let path = "/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/" + name
                _ = try await world.call(.put, path, "x", type: "text/plain")
                let answer = try await world.get(path)
                #expect(answer.headers[.contentDisposition] == header)
            }
        }
    }

    @Test func `a trace comes as a file`() async throws {
        try await World.run { world in
            let exported = try await world.call(
                .post, "/v1/traces",
                """
                {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": \
                "0123456789abcdef0123456789abcdef", "spanId": "0123456789abcdef", "name": "root", \
                "startTimeUnixNano": "1000000", "endTimeUnixNano": "2000000", "attributes": [\
                {"key": "model", "value": {"stringValue": "\\"gpt\\""}}]}]}]}]}
                """, headers: [HTTPField.Name("x-mlflow-experiment-id") ?? .server: "0"])
            #expect(exported.status == 200, "\(exported.json)")
            let id = "tr-0123456789abcdef0123456789abcdef"
            let path = "/ajax-api/2.0/mlflow/get-trace-artifact?request_id="
            let file = try await world.get(path + id)
            #expect(file.status == 200 && file["spans", "0", "name"] == .string("root"))
            #expect(try await world.get(path + "tr-none").status == 404)
            for filter in [
                "span.attributes.model = 'gpt'", "span.attributes.model RLIKE '^gpt$'",
                #"trace.text LIKE '%"gpt"%'"#, "trace.text ILIKE '%ROOT%'",
            ] {
                let text = filter.replacing("\"", with: #"\""#)
                let found = try await world.post(
                    "/api/3.0/mlflow/traces/search",
                    #"{"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": "#
                        + #"{"experiment_id": "0"}}], "filter": "\#(text)"}"#)
                #expect(found["traces", "0", "trace_id"] == .string(id), "\(filter): \(found.json)")
            }
        }
    }
}
