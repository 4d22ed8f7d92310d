import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Testing

struct RunCallTests {
    @Test func `the names of errors are what clients decide by`() async throws {
        try await World.run { world in
            let byName = try await world.get("experiments/get-by-name?experiment_name=none")
            #expect(byName.status == 404 && byName.errorCode == "RESOURCE_DOES_NOT_EXIST")
            let taken = try await world.post("experiments/create", #"{"name": "Default"}"#)
            #expect(taken.status == 400 && taken.errorCode == "RESOURCE_ALREADY_EXISTS")
            let search = try await world.post("experiments/search", "{}")
            #expect(search.status == 400)
            let alias = try await world.get("registered-models/alias?name=m&alias=a")
            #expect(alias.status == 404)
            _ = try await world.post("registered-models/create", #"{"name": "m"}"#)
            let unknown = try await world.get("registered-models/alias?name=m&alias=a")
            #expect(unknown.status == 400 && unknown.errorCode == "INVALID_PARAMETER_VALUE")
            let again = try await world.post("registered-models/create", #"{"name": "m"}"#)
            #expect(again.status == 400 && again.errorCode == "RESOURCE_ALREADY_EXISTS")
        }
    }

    @Test func `numbers may be strings of digits, values may be NaN`() async throws {
        try await World.run { world in
            let run = try await world.run()
            for value in ["\"NaN\"", "\"1.5\"", "2", "\"Infinity\"", "1e-3", "NaN"] {
                let body =
                    #"{"run_id": "\#(run)", "key": "k", "value": \#(value), "timestamp": "5"}"#
                #expect(try await world.post("runs/log-metric", body).status == 200)
            }
            for value in ["null", "\"x\"", "true", "[]", "\"0X10\""] {
                let body = #"{"run_id": "\#(run)", "key": "k", "value": \#(value), "timestamp": 5}"#
                #expect(try await world.post("runs/log-metric", body).status == 400)
            }
            let history = try await world.get("metrics/get-history?run_id=\(run)&metric_key=k")
            #expect(history["metrics", "0", "value"] == .string("NaN"))
            #expect(history["metrics", "4", "value"] == .double(.greatestFiniteMagnitude))
        }
    }

    @Test func `a batch is written whole or not at all`() async throws {
        try await World.run { world in
            let run = try await world.run()
            let good = #"{"key": "a", "value": 1, "timestamp": 1}"#
            for bad in [
                #"{"key": "b", "timestamp": 1}"#, #"{"key": "../b", "value": 1, "timestamp": 1}"#,
            ] {
                let answer = try await world.post(
                    "runs/log-batch", #"{"run_id": "\#(run)", "metrics": [\#(good), \#(bad)]}"#)
                #expect(answer.status == 400)
            }
            let params = #"[{"key": "p", "value": "1"}, {"key": "p", "value": "2"}]"#
            let twice = try await world.post(
                "runs/log-batch",
                #"{"run_id": "\#(run)", "metrics": [\#(good)], "params": \#(params)}"#)
            #expect(twice.status == 400)
            _ = try await world.post(
                "runs/log-parameter", #"{"run_id": "\#(run)", "key": "p", "value": "1"}"#)
            let changed = try await world.post(
                "runs/log-batch",
                #"{"run_id": "\#(run)", "metrics": [\#(good)], "params": [{"key": "p", "value": "2"}]}"#
            )
            #expect(changed.status == 400)
            let answer = try await world.get("runs/get?run_id=\(run)")
            #expect(answer["run", "data", "metrics"] == .null)
        }
    }

    @Test func `runs are found by what they logged and ordered by it`() async throws {
        try await World.run { world in
            var runs: [String] = []
            for index in 0..<5 {
                let run = try await world.run()
                runs.append(run)
                guard index < 4 else { continue }
                let value = index == 3 ? "\"NaN\"" : "\(index)"
                _ = try await world.post(
                    "runs/log-batch",
                    """
                    {"run_id": "\(run)", "metrics": [{"key": "m", "value": \(value), "timestamp": 1}],
                    "params": [{"key": "p", "value": "v\(index)"}], "tags": [{"key": "my tag", "value": "T"}]}
                    """)
            }
            func search(_ filter: String, _ order: String) async throws -> [String] {
                let answer = try await world.post(
                    "runs/search",
                    #"{"experiment_ids": ["0"], "filter": "\#(filter)", "order_by": ["\#(order)"]}"#
                )
                guard case .array(let found) = answer["runs"] else { return [] }
                return found.compactMap { run in
                    guard case .object(let members) = run,
                        case .object(let info)? = members["info"],
                        case .string(let id)? = info["run_id"]
                    else { return nil }
                    return id
                }
            }
            let descending = try await search("", "metrics.m DESC")
            #expect(descending == [runs[2], runs[1], runs[0], runs[3], runs[4]])
            let ascending = try await search("", "metrics.m")
            #expect(ascending == [runs[0], runs[1], runs[2], runs[3], runs[4]])
            #expect(
                try await search("metrics.m >= 1 and params.p LIKE 'v%'", "metrics.m") == [
                    runs[1], runs[2],
                ])
            #expect(try await search("params.p IS NULL", "metrics.m") == [runs[4]])
            #expect(
                try await search("tags.`my tag` = 'T' AND params.p ILIKE 'V0'", "run_id") == [
                    runs[0]
                ])
            #expect(try await search("params.p LIKE 'V%'", "run_id").isEmpty)
            let two = "run_id IN ('\(runs[0])', '\(runs[4])')"
            #expect(try await search(two, "metrics.m DESC") == [runs[0], runs[4]])
        }
    }

    @Test func `pages follow one another without a gap`() async throws {
        try await World.run { world in
            for _ in 0..<7 { _ = try await world.run() }
            var token = ""
            var seen: Set<JSONValue> = []
            repeat {
                let answer = try await world.post(
                    "runs/search",
                    #"{"experiment_ids": ["0"], "max_results": 3, "page_token": "\#(token)"}"#)
                guard case .array(let runs) = answer["runs"] else { break }
                for run in runs { #expect(seen.insert(run).inserted) }
                if case .string(let next) = answer["next_page_token"] {
                    token = next
                } else {
                    token = ""
                }
            } while !token.isEmpty
            #expect(seen.count == 7)
        }
    }

    @Test func `an artifact comes back whole or in part`() async throws {
        try await World.run { world in
            let path = "/api/2.0/mlflow-artifacts/artifacts/0/r/artifacts/a%20b/%C3%BC.txt"
            #expect(
                try await world.call(.put, path, "0123456789", type: "text/plain").status == 200)
            #expect(try await world.get(path).bytes == Data("0123456789".utf8))
            for (range, part, status) in [
                ("bytes=2-4", "234", 206), ("bytes=8-", "89", 206), ("bytes=-3", "789", 206),
                ("bytes=0-99", "0123456789", 206), ("bytes=10-", "", 416),
                ("lines=1-2", "0123456789", 200),
            ] {
                let answer = try await world.call(.get, path, headers: [.range: range])
                #expect(answer.status == status && answer.bytes == Data(part.utf8), "\(range)")
            }
            let list = try await world.get(
                "/api/2.0/mlflow-artifacts/artifacts?path=0/r/artifacts/a%20b")
            #expect(list["files", "0", "path"] == .string("ü.txt"))
            #expect(try await world.get(path + "x").status == 404)
        }
    }
}

/// Whom a call wakes.
struct RunCallWakingTests {
    @Test func `what a run logs changes points alone; of one that has ended, events too`()
        async throws
    {
        try await World.run { world in
            let run = try await world.run()
            let changes = world.temporary.store.changes
            let log = #"{"run_id":"\#(run)","key":"k","value":1,"timestamp":1,"step":1}"#
            var seen = changes.count()
            #expect(try await world.post("runs/log-metric", log).status == 200)
            #expect(changes.hasChanged(.metrics, after: seen))
            #expect(!changes.hasChanged(.all.subtracting(.metrics), after: seen))
            let end = #"{"run_id":"\#(run)","status":"FINISHED"}"#
            seen = changes.count()
            #expect(try await world.post("runs/update", end).status == 200)
            #expect(changes.hasChanged(.runs, after: seen))
            #expect(!changes.hasChanged([.jobs, .deployments, .versions], after: seen))
            seen = changes.count()
            #expect(try await world.post("runs/log-metric", log).status == 200)
            #expect(changes.hasChanged(.events, after: seen))
        }
    }
}
