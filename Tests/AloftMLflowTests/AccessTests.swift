import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

/// Jobs of the project `demo` against what people and other jobs made.
@Suite struct AccessTests {
    @Test func `every route says what it does`() throws {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        let routes = MLflowRoutes<TestContext>(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2))
        routes.add(to: router)
        let declared = Set(
            routes.actions.all.keys.map { key in
                let words = key.split(separator: " ")
                return "\(words[0]) \(RouterPath(String(words[1])))"
            })
        let there = Set(router.routes.map { "\($0.method.rawValue) \($0.path)" })
        #expect(there.subtracting(declared).isEmpty, "routes without an action")
        #expect(there.count > 100)
    }

    @Test func `what an ordinary training script does works`() async throws {
        try await Asker.with { _, job, _ in
            let own = String(repeating: "1", count: 32)
            #expect(try await job.status(.get, "runs/get?run_id=\(own)") == 200)
            #expect(
                try await job.status(
                    .post, "runs/log-metric",
                    #"{"run_id": "\#(own)", "key": "loss", "value": 1, "timestamp": 1}"#) == 200)
            #expect(
                try await job.status(
                    .post, "runs/log-batch",
                    #"{"run_id": "\#(own)", "params": [{"key": "a", "value": "b"}]}"#) == 200)
            // An experiment of its own, a nested run, files, a model and its registration.
            #expect(try await job.status(.get, "experiments/get-by-name?experiment_name=e") == 404)
            let experiment = try await job.experiment("e")
            let nested = try await job.run(experiment)
            #expect(
                try await job.status(
                    .post, "runs/set-tag", #"{"run_id": "\#(nested)", "key": "k", "value": "v"}"#)
                    == 200)
            let files = "/api/2.0/mlflow-artifacts/artifacts/\(experiment)/\(nested)/artifacts"
            #expect(try await job.status(.put, files + "/a.txt", "text") == 200)
            #expect(try await job.status(.get, files + "/a.txt") == 200)
            #expect(try await job.status(.delete, files + "/a.txt") == 200)
            let model = try await job.call(
                .post, "logged-models",
                #"{"experiment_id": "\#(experiment)", "source_run_id": "\#(nested)"}"#)
            let info = (model.json["model"] as? [String: Any])?["info"] as? [String: Any]
            let id = info?["model_id"] as? String ?? ""
            #expect(
                try await job.status(
                    .put,
                    "/api/2.0/mlflow-artifacts/artifacts/\(experiment)/models/\(id)/artifacts/MLmodel",
                    "flavors: {}") == 200)
            #expect(
                try await job.status(
                    .patch, "logged-models/\(id)",
                    #"{"model_id": "\#(id)", "status": "LOGGED_MODEL_READY"}"#) == 200)
            for name in ["fresh", "named"] {
                #expect(
                    try await job.status(
                        .post, "registered-models/create", #"{"name": "\#(name)"}"#) == 200)
                #expect(
                    try await job.status(
                        .post, "model-versions/create",
                        #"{"name": "\#(name)", "source": "models:/\#(id)"}"#) == 200)
                #expect(
                    try await job.status(
                        .post, "registered-models/alias",
                        #"{"name": "\#(name)", "alias": "best", "version": "1"}"#) == 200)
                #expect(
                    try await job.status(
                        .post, "model-versions/set-tag",
                        #"{"name": "\#(name)", "version": "1", "key": "k", "value": "v"}"#) == 200)
            }
            #expect(
                try await job.status(.post, "runs/delete", #"{"run_id": "\#(nested)"}"#) == 200)
        }
    }

    @Test func `what others made is not a job's to change`() async throws {
        try await Asker.with { person, job, _ in
            let experiment = try await person.experiment("theirs")
            let run = try await person.run(experiment)
            let sibling = String(repeating: "2", count: 32)
            for name in ["victim", "shared"] {
                _ = try await person.call(
                    .post, "registered-models/create", #"{"name": "\#(name)"}"#)
                _ = try await person.call(
                    .post, "model-versions/create",
                    #"{"name": "\#(name)", "source": "mlflow-artifacts:/x/y"}"#)
            }
            let files = "/api/2.0/mlflow-artifacts/artifacts"
            let path = "\(files)/\(experiment)/\(run)/artifacts/model.pkl"
            let refused: [(HTTPRequest.Method, String, String?)] = [
                (.post, "runs/delete", #"{"run_id": "\#(run)"}"#),
                (.post, "runs/delete", #"{"run_id": "\#(sibling)"}"#),
                (.post, "runs/update", #"{"run_id": "\#(sibling)", "status": "FAILED"}"#),
                (.post, "runs/log-batch", #"{"run_id": "\#(run)"}"#),
                (.post, "runs/set-tag", #"{"run_uuid": "\#(run)", "key": "a", "value": "b"}"#),
                (.get, "runs/get?run_id=\(run)", nil),
                (.get, "metrics/get-history?run_id=\(run)&metric_key=a", nil),
                (.post, "runs/search", #"{"experiment_ids": ["\#(experiment)"]}"#),
                (.post, "runs/create", #"{"experiment_id": "\#(experiment)"}"#),
                (.post, "runs/create", "{}"),
                (.post, "experiments/delete", #"{"experiment_id": "\#(experiment)"}"#),
                (.post, "experiments/update", #"{"experiment_id": \#(experiment)}"#),
                (
                    .post, "experiments/create",
                    #"{"name": "trap", "artifact_location": "mlflow-artifacts:/0/\#(run)"}"#
                ),
                (.put, path, "x"), (.get, path, nil), (.delete, path, nil),
                (.delete, "\(files)/0", nil), (.delete, "\(files)/\(experiment)/\(run)", nil),
                (.put, "\(files)/\(experiment)/loose", "x"), (.get, "\(files)?path=", nil),
                (.put, "\(files)/0/\(String(repeating: "2", count: 32))/artifacts/a", "x"),
                (
                    .post, "\(files.dropLast("artifacts".count))mpu/create/\(experiment)/\(run)",
                    #"{"path": "a", "num_parts": 1}"#
                ),
                (
                    .post, "/ajax-api/2.0/mlflow/upload-artifact?run_uuid=\(run)&path=x.html", "x"
                ),
                (
                    .post, "registered-models/alias",
                    #"{"name": "victim", "alias": "champion", "version": "1"}"#
                ),
                (.delete, "registered-models/delete", #"{"name": "victim"}"#),
                (.post, "registered-models/rename", #"{"name": "victim", "new_name": "mine"}"#),
                (.patch, "registered-models/update", #"{"name": "victim", "description": "d"}"#),
                (.post, "model-versions/create", #"{"name": "victim", "source": "s3://a/b"}"#),
                (.delete, "model-versions/delete", #"{"name": "victim", "version": "1"}"#),
                (
                    .post, "model-versions/transition-stage",
                    #"{"name": "victim", "version": "1", "stage": "Production"}"#
                ),
                (.get, "model-versions/get?name=victim&version=1", nil),
                (.get, "/model-versions/get-artifact?name=victim&version=1&path=a", nil),
                (
                    .post, "webhooks",
                    #"{"name": "w", "url": "https://1.1.1.1/", "events": [{"entity": "registered_model", "action": "created"}]}"#
                ),
                (.get, "webhooks", nil),
            ]
            for (method, path, body) in refused {
                let answer = try await job.call(method, path, body)
                #expect(answer.status == 403, "\(method) \(path)")
                #expect(answer.json["error_code"] as? String == "PERMISSION_DENIED", "\(path)")
            }
            // A version is not made of what the job may not read.
            _ = try await job.call(.post, "registered-models/create", #"{"name": "loot"}"#)
            for source in [
                "runs:/\(run)/model", "mlflow-artifacts:/\(experiment)/\(run)/artifacts",
                "models:/victim/1", "mlflow-artifacts://host/\(experiment)/\(run)/artifacts",
            ] {
                let body = #"{"name": "loot", "source": "\#(source)"}"#
                #expect(
                    try await job.status(.post, "model-versions/create", body) == 403, "\(source)")
            }
        }
    }

    @Test func `a job names no model of another project`() async throws {
        try await Asker.with { person, job, store in
            let experiment = try await person.experiment("theirs")
            let made = try await person.call(
                .post, "logged-models", #"{"experiment_id": "\#(experiment)", "name": "m"}"#)
            let info = (made.json["model"] as? [String: Any])?["info"] as? [String: Any]
            let model = try #require(info?["model_id"] as? String)
            let run = String(repeating: "1", count: 32)
            let metric = #""key": "a", "value": 1, "timestamp": 1, "step": 1, "model_id""#
            let calls: [(path: String, fields: (String) -> String)] = [
                ("runs/log-metric", { #""run_id": "\#(run)", \#(metric): "\#($0)""# }),
                (
                    "runs/log-batch",
                    { #""run_id": "\#(run)", "metrics": [{\#(metric): "\#($0)"}]"# }
                ),
                (
                    // Read in the other way, for the tag.
                    "runs/log-batch",
                    {
                        #""run_id": "\#(run)", "tags": [{"key": "a", "value": "b"}], "metrics": [{\#(metric): "\#($0)"}]"#
                    }
                ),
                (
                    "runs/outputs",
                    { #""run_id": "\#(run)", "models": [{"model_id": "\#($0)", "step": 0}]"# }
                ),
                (
                    "runs/log-inputs",
                    { #""run_id": "\#(run)", "models": [{"model_id": "\#($0)"}]"# }
                ),
            ]
            for (path, fields) in calls {
                let answer = try await job.call(.post, path, "{\(fields(model))}")
                #expect(answer.status == 403, "\(path): \(answer.json)")
                #expect(answer.json["error_code"] as? String == "PERMISSION_DENIED")
                #expect(
                    try await person.status(.post, path, "{\(fields(model))}") == 200, "\(path)")
            }
            // Its own it may name.
            let own = try await store.read { db in
                try TrackingQueries.run(db, RunID(run))?.info.experiment.rawValue ?? ""
            }
            let mine = try await job.call(
                .post, "logged-models", #"{"experiment_id": "\#(own)", "name": "m"}"#)
            let details = (mine.json["model"] as? [String: Any])?["info"] as? [String: Any]
            let its = try #require(details?["model_id"] as? String)
            for (path, fields) in calls {
                #expect(try await job.status(.post, path, "{\(fields(its))}") == 200, "\(path)")
            }
        }
    }

    @Test func `neither a model nor a trace opens what another project logged`() async throws {
        try await Asker.with { person, job, store in
            let theirs = try await person.experiment("theirs")
            let victim = try await person.run(theirs)
            let run = String(repeating: "1", count: 32)
            let own = try await store.read { db in
                try TrackingQueries.run(db, RunID(run))?.info.experiment.rawValue ?? ""
            }
            // A version of such a model would open its run.
            #expect(
                try await job.status(
                    .post, "logged-models",
                    #"{"experiment_id": "\#(own)", "name": "m", "source_run_id": "\#(victim)"}"#)
                    == 403)
            let location =
                #"{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "\#(own)"}}"#
            let trace = "tr-" + String(repeating: "7", count: 32)
            let info = """
                {"trace_id": "\(trace)", "trace_location": \(location), "state": "OK", \
                "request_time": "2026-01-01T00:00:00Z"}
                """
            #expect(
                try await job.status(
                    .post, "/api/3.0/mlflow/traces", #"{"trace": {"trace_info": \#(info)}}"#) == 200
            )
            let place = "mlflow-artifacts:/\(theirs)/\(victim)/artifacts"
            _ = try await job.call(
                .patch, "/api/3.0/mlflow/traces/\(trace)/tags",
                #"{"key": "mlflow.artifactLocation", "value": "\#(place)"}"#)
            let file = "/ajax-api/3.0/mlflow/get-trace-artifact?request_id=\(trace)"
            #expect(try await job.status(.get, file) == 403)
        }
    }

    @Test func `lists hold a job's own project only`() async throws {
        try await Asker.with { person, job, _ in
            _ = try await person.experiment("theirs")
            _ = try await person.call(
                .post, "registered-models/create", #"{"name": "victim"}"#)
            let found = try await job.call(.post, "experiments/search", #"{"max_results": 100}"#)
            let names = (found.json["experiments"] as? [[String: Any]] ?? []).map {
                $0["name"] as? String ?? ""
            }
            #expect(names == ["demo/train"])
            let models = try await job.call(.get, "registered-models/search")
            #expect((models.json["registered_models"] as? [Any] ?? []).isEmpty)
            let all = try await person.call(.get, "registered-models/search")
            #expect((all.json["registered_models"] as? [Any] ?? []).count == 1)
        }
    }

    @Test func `who may read a model may read its files, wherever they were logged`() async throws {
        try await Asker.with { person, job, store in
            let experiment = try await person.experiment("theirs")
            let run = try await person.run(experiment)
            let path =
                "/api/2.0/mlflow-artifacts/artifacts/\(experiment)/\(run)/artifacts/model/MLmodel"
            #expect(try await person.status(.put, path, "flavors: {}") == 200)
            #expect(try await job.status(.get, path) == 403)
            let now = Date(timeIntervalSince1970: 2)
            try await store.write { db in
                _ = try RegistryQueries.createModel(
                    db, name: "ours", project: ProjectID("demo"), who: .local, at: now)
            }
            let body = """
                {"name": "ours", "run_id": "\(run)",
                 "source": "mlflow-artifacts:/\(experiment)/\(run)/artifacts/model"}
                """
            #expect(try await person.status(.post, "model-versions/create", body) == 200)
            #expect(try await job.status(.get, path) == 200)
            #expect(try await job.status(.put, path, "other") == 403)
        }
    }

    @Test func `a gateway's token opens nothing of the tracking protocol`() async throws {
        try await Asker.with { person, job, _ in
            let gateway = Asker(client: job.client, name: "gateway")
            let run = try await person.run("0")
            for (method, path, body) in [
                (HTTPRequest.Method.post, "runs/delete", #"{"run_id": "\#(run)"}"#),
                (.get, "experiments/search?max_results=5", nil), (.post, "runs/search", "{}"),
                (.get, "registered-models/search", nil),
                (.delete, "/api/2.0/mlflow-artifacts/artifacts/0/nothing", nil),
                (.put, "/api/2.0/mlflow-artifacts/artifacts/0/x", "x"),
                (.post, "runs/log-batch", #"{"run_id": "\#(run)"}"#),
            ] {
                #expect(try await gateway.status(method, path, body) == 403, "\(path)")
            }
            #expect(try await gateway.status(.get, "/version") == 200)
        }
    }
}
