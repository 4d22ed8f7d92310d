import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import HTTPTypes
import Testing

/// Who did what leaves an event, and what people make bears their name.
@Suite struct AuditTests {
    private static let ann = Principal.user(name: "ann")

    private func events(_ world: World, _ entity: String) async throws -> [EventRecord] {
        let all = try await world.temporary.store.read {
            try EventLog.list($0, entity: entity, limit: 100)
        }
        #expect(all.allSatisfy { $0.who == "user:ann" })
        return all
    }

    private func ok(_ world: World, _ path: String, _ body: String) async throws -> World.Answer {
        let answer = try await world.post(path, body)
        #expect(answer.status == 200, "\(path): \(answer.json)")
        return answer
    }

    @Test func `runs that are deleted, restored, renamed or changed after their end`() async throws
    {
        try await World.run(as: Self.ann) { world in
            let id = try await world.run()
            let run = #""run_id":"\#(id)""#
            // What it logs while it runs is none.
            _ = try await ok(world, "runs/set-tag", #"{\#(run),"key":"a","value":"1"}"#)
            _ = try await ok(
                world, "runs/log-metric", #"{\#(run),"key":"auc","value":0.5,"timestamp":1}"#)
            #expect(try await events(world, "run").isEmpty)
            _ = try await ok(world, "runs/update", #"{\#(run),"status":"FINISHED","end_time":5}"#)
            _ = try await ok(
                world, "runs/log-metric", #"{\#(run),"key":"auc","value":0.9,"timestamp":2}"#)
            _ = try await ok(world, "runs/delete-tag", #"{\#(run),"key":"a"}"#)
            _ = try await ok(
                world, "runs/log-batch", #"{\#(run),"params":[{"key":"p","value":"1"}]}"#)
            _ = try await ok(world, "runs/update", #"{\#(run),"run_name":"better"}"#)
            for what in ["delete", "delete", "restore"] {
                _ = try await ok(world, "runs/\(what)", "{\(run)}")
            }
            let found = try await events(world, "run")
            #expect(found.allSatisfy { $0.entityID == id })
            #expect(
                found.map(\.what)
                    == ["changed", "changed", "changed", "renamed", "deleted", "restored"])
            guard case .object(let first)? = found.first?.payload else { return }
            #expect(first["metrics"] == .array([.string("auc")]))
        }
    }

    @Test func `a loop on one thing is a few events that say how many they stand for`() async throws
    {
        try await World.run(as: Self.ann) { world in
            let id = try await world.run()
            let run = #""run_id":"\#(id)""#
            _ = try await ok(world, "runs/update", #"{\#(run),"status":"FINISHED","end_time":5}"#)
            _ = try await ok(world, "registered-models/create", #"{"name":"m"}"#)
            for number in 0..<40 {
                _ = try await ok(
                    world, "runs/set-tag", #"{\#(run),"key":"a","value":"\#(number)"}"#)
                _ = try await ok(world, "runs/delete", "{\(run)}")
                _ = try await ok(world, "runs/restore", "{\(run)}")
                _ = try await ok(
                    world, "registered-models/rename",
                    #"{"name":"m\#(number % 2 == 0 ? "" : "2")","new_name":"m\#(number % 2 == 0 ? "2" : "")"}"#
                )
            }
            let found = try await events(world, "run")
            #expect(found.count == 3 * EventLog.mostAlone)
            #expect(found.last?.what == "restored")
            for what in ["changed", "deleted", "restored"] {
                let last = found.last { $0.what == what }
                guard case .object(let told)? = last?.payload else { continue }
                #expect(told["count"] == .int(Int64(41 - EventLog.mostAlone)), "\(what)")
                guard case .string(let first)? = told["first"] else { continue }
                #expect(first <= last?.at ?? "")
            }
            let models = try await events(world, "model").filter { $0.what == "renamed" }
            #expect(models.count == 2 * EventLog.mostAlone)
        }
    }

    @Test func `experiments, models, versions and aliases`() async throws {
        try await World.run(as: Self.ann) { world in
            let made = try await ok(world, "experiments/create", #"{"name":"e"}"#)
            guard case .string(let id) = made["experiment_id"] else { return }
            let experiment = #""experiment_id":"\#(id)""#
            _ = try await ok(world, "experiments/update", #"{\#(experiment),"new_name":"f"}"#)
            for what in ["delete", "restore"] {
                _ = try await ok(world, "experiments/\(what)", "{\(experiment)}")
            }
            #expect(
                try await events(world, "experiment").map(\.what)
                    == ["renamed", "deleted", "restored"])

            _ = try await ok(world, "registered-models/create", #"{"name":"m"}"#)
            let version = try await ok(
                world, "model-versions/create", #"{"name":"m","source":"s3://b/m"}"#)
            #expect(version["model_version", "user_id"] == .string("ann"))
            let alias = #""name":"m","alias":"champion""#
            _ = try await ok(world, "registered-models/alias", #"{\#(alias),"version":"1"}"#)
            for _ in 0..<2 {
                let gone = try await world.call(
                    .delete, "registered-models/alias", "{\(alias)}")
                #expect(gone.status == 200)
            }
            _ = try await world.call(
                .patch, "model-versions/update",
                #"{"name":"m","version":"1","description":"d"}"#)
            _ = try await world.call(
                .delete, "model-versions/delete", #"{"name":"m","version":"1"}"#)
            _ = try await world.call(.delete, "registered-models/delete", #"{"name":"m"}"#)
            #expect(
                try await events(world, "version").map(\.what)
                    == ["registered", "aliased", "aliasDeleted", "described", "deleted"])
            #expect(try await events(world, "model").map(\.what) == ["created", "deleted"])
        }
    }

    @Test func `artifacts that are deleted, or replaced after the run`() async throws {
        try await World.run(as: Self.ann) { world in
            let id = try await world.run()
            let place = "/api/2.0/mlflow-artifacts/artifacts/0/\(id)/artifacts/a.txt"
            for text in ["1", "2"] { _ = try await world.call(.put, place, text) }
            #expect(try await events(world, "artifact").isEmpty)
            _ = try await ok(
                world, "runs/update", #"{"run_id":"\#(id)","status":"FINISHED","end_time":5}"#)
            #expect(try await world.call(.put, place, "3").status == 200)
            #expect(try await world.call(.delete, place).status == 200)
            let found = try await events(world, "artifact")
            #expect(found.map(\.what) == ["replaced", "deleted"])
            #expect(found.allSatisfy { $0.entityID == "0/\(id)/artifacts/a.txt" })
        }
    }

    @Test func `a run bears the name of the token, whatever the client says`() async throws {
        let body =
            #"{"experiment_id":"0","user_id":"root","tags":[{"key":"mlflow.user","value":"root"}]}"#
        try await World.run(as: Self.ann) { world in
            let run = try await ok(world, "runs/create", body)
            #expect(run["run", "info", "user_id"] == .string("ann"))
            guard case .array(let tags) = run["run", "data", "tags"] else { return }
            #expect(
                tags.contains(.object(["key": .string("mlflow.user"), "value": .string("ann")])))
        }
        try await World.run { world in
            let run = try await ok(world, "runs/create", body)
            #expect(run["run", "info", "user_id"] == .string("root"))
        }
    }
}
