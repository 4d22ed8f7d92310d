import AloftDomain
import AloftStore
import Foundation
import HTTPTypes
import Testing

/// What a model's name holds belongs to whoever has the name.
@Suite struct NameHoldTests {
    private static let files = "/api/2.0/mlflow-artifacts/artifacts"

    /// What the job made: a run with a logged model and a version of each in `model`.
    private struct Made {
        var run = ""
        var loggedModel = ""
        var experiment = ""

        var runFile: String {
            "\(NameHoldTests.files)/\(experiment)/\(run)/artifacts/model/MLmodel"
        }
        var otherFile: String { "\(NameHoldTests.files)/\(experiment)/\(run)/artifacts/log.txt" }
        var modelFile: String {
            "\(NameHoldTests.files)/\(experiment)/models/\(loggedModel)/artifacts/MLmodel"
        }
    }

    private func make(_ model: String, _ job: Asker) async throws -> Made {
        var made = Made()
        made.experiment = try await job.experiment("e")
        made.run = try await job.run(made.experiment)
        let reply = try await job.call(
            .post, "logged-models",
            #"{"experiment_id": "\#(made.experiment)", "source_run_id": "\#(made.run)"}"#)
        let info = (reply.json["model"] as? [String: Any])?["info"] as? [String: Any]
        made.loggedModel = try #require(info?["model_id"] as? String)
        _ = try await job.call(.post, "registered-models/create", #"{"name": "\#(model)"}"#)
        for source in ["models:/\(made.loggedModel)", "runs:/\(made.run)/model"] {
            let body = #"{"name": "\#(model)", "source": "\#(source)"}"#
            #expect(try await job.status(.post, "model-versions/create", body) == 200)
        }
        return made
    }

    private func takeOver(_ name: String, _ store: Store, at seconds: Double = 5) async throws {
        try await store.write { db in
            let owner = NameOwner(kind: .model, name: name, project: ProjectID("demo"))
            try NameOwnerQueries.takeOver(
                db, owner, for: ProjectID("credit"), at: Date(timeIntervalSince1970: seconds),
                by: .local)
        }
    }

    @Test(arguments: ["fresh", "named"])
    func `what a job made is not its own once another project took the model over`(
        _ model: String
    ) async throws {
        try await Asker.with { _, job, store in
            let made = try await make(model, job)
            let version = #""name": "\#(model)", "version": "1""#
            let calls: [(HTTPRequest.Method, String, String?)] = [
                (.post, "model-versions/set-tag", #"{\#(version), "key": "k", "value": "v"}"#),
                (.patch, "model-versions/update", #"{\#(version), "description": "d"}"#),
                (.delete, "model-versions/delete-tag", #"{\#(version), "key": "k"}"#),
                (.post, "registered-models/alias", #"{\#(version), "alias": "champion"}"#),
                (
                    .post, "model-versions/transition-stage",
                    #"{\#(version), "stage": "Production"}"#
                ),
                (
                    .post, "model-versions/create",
                    #"{"name": "\#(model)", "source": "runs:/\#(made.run)/model"}"#
                ),
                (.put, made.runFile, "flavors: {}"), (.put, made.modelFile, "flavors: {}"),
                (
                    .patch, "logged-models/\(made.loggedModel)/tags",
                    #"{"tags": [{"key": "a", "value": "b"}]}"#
                ),
                (.delete, made.runFile, nil), (.delete, made.modelFile, nil),
                (.delete, "logged-models/\(made.loggedModel)", nil),
                (.delete, "model-versions/delete", "{\(version)}"),
            ]
            for (method, path, body) in calls.dropLast(4) {
                #expect(try await job.status(method, path, body) == 200, "\(method) \(path)")
            }
            try await takeOver(model, store)
            for (method, path, body) in calls {
                #expect(try await job.status(method, path, body) == 403, "\(method) \(path)")
            }
            // Its run is its own, but for the files of the version.
            #expect(try await job.status(.put, made.otherFile, "text") == 200)
            let tag = #"{"run_id": "\#(made.run)", "key": "k", "value": "v"}"#
            #expect(try await job.status(.post, "runs/set-tag", tag) == 200)
            #expect(try await job.status(.get, made.runFile) == 200)
        }
    }

    @Test func `a person's word given after the change of hands holds`() async throws {
        try await Asker.with { _, job, store in
            try await takeOver("named", store, at: 0.5)
            _ = try await make("named", job)
        }
    }

    @Test func `a model is not renamed to what is another project's`() async throws {
        try await Asker.with { person, job, store in
            for name in ["theirs", "nobodys"] {
                _ = try await person.call(
                    .post, "registered-models/create", #"{"name": "\#(name)"}"#)
            }
            _ = try await job.call(.post, "registered-models/create", #"{"name": "jobs"}"#)
            try await takeOver("theirs", store)
            try await takeOver("free", store)
            _ = try await person.call(
                .delete, "registered-models/delete", #"{"name": "theirs"}"#)
            for (asker, name) in [(person, "nobodys"), (person, "jobs"), (job, "jobs")] {
                for owned in ["theirs", "free"] {
                    let answer = try await asker.call(
                        .post, "registered-models/rename",
                        #"{"name": "\#(name)", "new_name": "\#(owned)"}"#)
                    #expect(answer.status == 403, "\(name) to \(owned): \(answer.json)")
                }
            }
            // A model of that name is its project's from the start.
            _ = try await person.call(.post, "registered-models/create", #"{"name": "free"}"#)
            let project = try await store.read { try RegistryQueries.model($0, "free").project }
            #expect(project == ProjectID("credit"))
            for (old, new) in [("free", "other"), ("other", "theirs")] {
                #expect(
                    try await person.status(
                        .post, "registered-models/rename",
                        #"{"name": "\#(old)", "new_name": "\#(new)"}"#) == 200)
            }
        }
    }
}
