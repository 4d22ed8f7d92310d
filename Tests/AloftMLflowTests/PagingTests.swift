import AloftDomain
import Foundation
import HTTPTypes
import Testing

/// Pages go on where the one before ended, whatever is added and deleted meanwhile.
struct PagingTests {
    private enum Kind: String, CaseIterable {
        case runs, experiments, models, versions, traces, loggedModels
        // By values that may be missing.
        case orderedTraces, orderedModels

        var list: String {
            switch self {
            case .runs: "runs"
            case .experiments: "experiments"
            case .models: "registered_models"
            case .versions: "model_versions"
            case .traces, .orderedTraces: "traces"
            case .loggedModels, .orderedModels: "models"
            }
        }
    }

    private static func make(_ kind: Kind, _ number: Int, in world: World) async throws {
        let answer: World.Answer
        switch kind {
        case .runs:
            answer = try await world.post(
                "runs/create", #"{"experiment_id": "0", "start_time": \#(number)}"#)
        case .experiments:
            answer = try await world.post("experiments/create", #"{"name": "e\#(number)"}"#)
        case .models:
            // The newest first, as the others are.
            answer = try await world.post(
                "registered-models/create", #"{"name": "m\#(1000 - number)"}"#)
        case .versions:
            _ = try await world.post("registered-models/create", #"{"name": "v"}"#)
            answer = try await world.post(
                "model-versions/create", #"{"name": "v", "source": "mlflow-artifacts:/x"}"#)
        case .traces, .orderedTraces:
            answer = try await world.post(
                "/api/3.0/mlflow/traces",
                """
                {"trace": {"trace_info": {"trace_id": "tr-\(number)", "request_time": \
                "2026-01-01T00:\(String(format: "%02d", number)):00Z", "trace_location": {"type": \
                "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}}}}
                """)
        case .loggedModels, .orderedModels:
            answer = try await world.post(
                "logged-models", #"{"experiment_id": "0", "name": "l\#(number)"}"#)
        }
        #expect(answer.status == 200, "\(kind) \(number): \(answer.json)")
    }

    private static func page(
        _ kind: Kind, _ token: String, in world: World
    ) async throws -> World.Answer {
        let rest = #""max_results": 3, "page_token": "\#(token)"}"#
        let query =
            "?max_results=3&page_token="
            + (token.addingPercentEncoding(
                withAllowedCharacters: .alphanumerics) ?? "")
        return switch kind {
        case .runs: try await world.post("runs/search", #"{"experiment_ids": ["0"], "# + rest)
        case .experiments: try await world.post("experiments/search", "{" + rest)
        case .models: try await world.get("registered-models/search" + query)
        case .versions: try await world.get("model-versions/search" + query)
        case .traces, .orderedTraces:
            try await world.post(
                "/api/3.0/mlflow/traces/search",
                #"{"locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": "#
                    + #"{"experiment_id": "0"}}], "#
                    + (kind == .traces ? "" : #""order_by": ["timestamp_ms DESC"], "#) + rest)
        case .loggedModels, .orderedModels:
            try await world.post(
                "logged-models/search",
                #"{"experiment_ids": ["0"], "#
                    + (kind == .loggedModels
                        ? ""
                        : #""order_by": [{"field_name": "metrics.none"}, {"field_name": "source_run_id"}], "#)
                    + rest)
        }
    }

    @Test(arguments: Kind.allCases)
    private func `what comes in between moves no page`(_ kind: Kind) async throws {
        try await World.run { world in
            for number in 0..<8 { try await Self.make(kind, number, in: world) }
            var seen: [JSONValue] = []
            var token = ""
            for number in 8..<30 {
                let answer = try await Self.page(kind, token, in: world)
                #expect(answer.status == 200, "\(answer.json)")
                guard case .array(let items) = answer[kind.list] else { break }
                // A version's aliases and times are its own: what names it is not changed by others.
                seen += items.map { Self.name(of: $0) }
                guard let next = answer["next_page_token"].stringValue, !next.isEmpty else { break }
                token = next
                try await Self.make(kind, number, in: world)
            }
            #expect(Set(seen).count == seen.count, "\(kind) listed twice: \(seen)")
            // Default is an experiment too.
            #expect(seen.count == (kind == .experiments ? 9 : 8), "\(kind): \(seen)")
        }
    }

    private static func name(of item: JSONValue) -> JSONValue {
        let info = item["info"] ?? item
        for key in ["run_id", "model_id", "experiment_id", "trace_id", "version", "name"] {
            if let value = info[key], value != .string("") { return value }
        }
        return item
    }

    @Test func `deleting page by page shows all`() async throws {
        try await World.run { world in
            for number in 0..<10 { try await Self.make(.runs, number, in: world) }
            var token = ""
            var deleted = 0
            repeat {
                let answer = try await Self.page(.runs, token, in: world)
                guard case .array(let runs) = answer["runs"] else { break }
                for run in runs {
                    guard let id = run["info"]?["run_id"]?.stringValue else { continue }
                    _ = try await world.post("runs/delete", #"{"run_id": "\#(id)"}"#)
                    deleted += 1
                }
                token = answer["next_page_token"].stringValue ?? ""
            } while !token.isEmpty
            #expect(deleted == 10)
        }
    }

    @Test func `a token of another search is refused`() async throws {
        try await World.run { world in
            for number in 0..<5 { try await Self.make(.runs, number, in: world) }
            let token =
                try await Self.page(.runs, "", in: world)["next_page_token"].stringValue ?? ""
            #expect(!token.isEmpty)
            for (order, token) in [
                (#""metrics.m""#, token), ("", "x"), ("", "eyJvZmZzZXQiOiAzfQ=="),
            ] {
                let answer = try await world.post(
                    "runs/search",
                    #"{"experiment_ids": ["0"], "order_by": [\#(order)], "page_token": "\#(token)"}"#
                )
                #expect(answer.status == 400 && answer.errorCode == "INVALID_PARAMETER_VALUE")
            }
        }
    }

    @Test func `restoring an experiment leaves deleted what was deleted before`() async throws {
        try await World.run { world in
            let (kept, gone) = (try await world.run(), try await world.run())
            _ = try await world.post("runs/delete", #"{"run_id": "\#(gone)"}"#)
            for call in ["delete", "restore"] {
                let answer = try await world.post("experiments/\(call)", #"{"experiment_id": "0"}"#)
                #expect(answer.status == 200)
            }
            for (run, stage) in [(kept, "active"), (gone, "deleted")] {
                let answer = try await world.get("runs/get?run_id=\(run)")
                #expect(answer["run", "info", "lifecycle_stage"] == .string(stage))
            }
        }
    }
}
