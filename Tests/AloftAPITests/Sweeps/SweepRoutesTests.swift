import AloftDomain
import AloftStore
import AloftWire
import Foundation
import HTTPTypes
import Testing

@testable import AloftAPI

struct SweepRoutesTests {
    static let file = """
        project: p
        jobs:
          once: { run: python once.py }
          train:
            run: python train.py ${x}
            sweep: { objective: maximize auc, trials: 5, space: { x: { int: [1, 9] } } }
        triggers: { nightly: { when: ["cron 0 3 * * *"], run: train } }
        """

    func apply(_ world: APIWorld, _ text: String, snapshot: String? = nil) async throws
        -> APIWorld.Answer
    {
        var members = ["text": text, "file": "x/aloft.yaml"]
        members["snapshot"] = snapshot
        let body = String(decoding: try JSONEncoder().encode(members), as: UTF8.self)
        return try await world.call(.put, "/api/v1/project-files", body: body)
    }

    func decode<Value: Decodable>(_ type: Value.Type, _ answer: APIWorld.Answer) throws -> Value {
        try JSONDecoder().decode(type, from: Data(answer.text.utf8))
    }

    @Test func `applying says what changed and what is not acted on`() async throws {
        let world = try APIWorld()
        let first = try decode(ApplyProjectFile.Reply.self, try await apply(world, Self.file))
        #expect(first.isNew && first.revision == 1)
        #expect(first.changes == ["+ job once", "+ job train", "+ trigger nightly"])
        #expect(first.warnings.count == 1 && first.warnings[0].hasPrefix("triggers"))
        let again = try decode(ApplyProjectFile.Reply.self, try await apply(world, Self.file))
        #expect(!again.isNew && again.revision == 1 && again.changes.isEmpty)
        let changed = Self.file.replacingOccurrences(of: "trials: 5", with: "trials: 6")
            .replacingOccurrences(of: "  once: { run: python once.py }\n", with: "")
        let second = try decode(ApplyProjectFile.Reply.self, try await apply(world, changed))
        #expect(second.revision == 2)
        #expect(second.changes == ["~ job train (sweep)", "- job once"])
        let stored = try await world.call(.get, "/api/v1/project-files/p")
        #expect(try decode(GetProjectFile.Reply.self, stored).text == changed)
    }

    @Test func `a wrong file is refused with every fault, and nothing is kept`() async throws {
        let world = try APIWorld()
        let answer = try await apply(world, "projet: p\njobs: { a: { rum: x } }")
        #expect(answer.status == 400 && answer.code == "project_file_invalid")
        #expect(answer.text.contains("x/aloft.yaml:1:1") && answer.text.contains("x/aloft.yaml:2:"))
        let missing = try await apply(world, Self.file, snapshot: String(repeating: "a", count: 64))
        #expect(missing.status == 400 && missing.code == "snapshot_not_found")
        #expect(try await world.store.read { try ProjectFileQueries.projects($0) }.isEmpty)
        #expect(try await world.call(.get, "/api/v1/project-files/p").status == 404)
    }

    @Test func `a sweep is started, shown, listed and stopped`() async throws {
        let world = try APIWorld()
        _ = try await apply(world, Self.file)
        let started = try await world.call(
            .post, "/api/v1/sweeps", body: #"{"job": "train", "trials": 3}"#)
        let sweep = try decode(SweepView.self, started)
        #expect(sweep.project == ProjectID("p") && sweep.trialLimit == 3 && sweep.state == .running)
        #expect(sweep.objective == "maximize auc" && sweep.method == "tpe" && sweep.trials == [])
        let prefix = String(sweep.id.rawValue.prefix(8))
        let shown = try await world.call(.get, "/api/v1/sweeps/\(prefix)")
        #expect(try decode(SweepView.self, shown).id == sweep.id)
        let list = try await world.call(.get, "/api/v1/sweeps?project=p")
        #expect(try decode(ListSweeps.Reply.self, list).sweeps.map(\.id) == [sweep.id])
        let stopped = try await world.call(.post, "/api/v1/sweeps/\(prefix)/stop")
        #expect(try decode(SweepView.self, stopped).state == .closing)
        let events = try await world.store.read { try EventLog.list($0, entity: "sweep", limit: 9) }
        #expect(events.map(\.what) == ["started", "closing"])
    }

    @Test func `a sweep of what cannot be swept is refused`() async throws {
        let world = try APIWorld()
        let start = { (body: String) in try await world.call(.post, "/api/v1/sweeps", body: body) }
        #expect(try await start(#"{"job": "train"}"#).code == "project_file_missing")
        _ = try await apply(world, Self.file)
        let unknown = try await start(#"{"job": "trian"}"#)
        #expect(unknown.status == 404 && unknown.text.contains("did you mean train"))
        #expect(try await start(#"{"job": "once"}"#).code == "job_has_no_sweep")
        #expect(try await start(#"{"job": "train", "trials": 0}"#).code == "sweep_invalid")
        #expect(try await start(#"{"job": 3}"#).status == 400)
        #expect(try await world.call(.get, "/api/v1/sweeps/nothing").code == "sweep_not_found")
        _ = try await apply(world, "project: q")
        let several = try await start(#"{"job": "train"}"#)
        #expect(several.status == 400 && several.text.contains("--project"))
    }

    @Test func `a job's token starts no sweep and applies no file`() async throws {
        let world = try APIWorld(access: .tokenRequired)
        let secret = try await world.makeToken(.job, name: "j")
        for path in ["/api/v1/sweeps", "/api/v1/sweeps/x/stop"] {
            let answer = try await world.call(
                .post, path, body: #"{"job": "train"}"#, authorization: "Bearer \(secret)")
            #expect(answer.status == 403)
        }
        let answer = try await world.call(
            .put, "/api/v1/project-files", body: #"{"text": "project: p"}"#,
            authorization: "Bearer \(secret)")
        #expect(answer.status == 403)
    }
}
