import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftStore

struct SweepQueriesTests {
    let now = Date(timeIntervalSince1970: 1_700_000_000)

    static let definition = JobDefinition(
        name: "train", run: CommandTemplate("python train.py ${x}"),
        sweep: SweepDefinition(
            objective: .init(direction: .maximize, metric: "auc"), trials: 4,
            space: [
                SearchDimension(name: "x", domain: .real(low: 0, high: 1, log: false, step: nil))
            ]))

    func makeSweep(_ id: String) -> NewSweep {
        NewSweep(
            id: SweepID(id), project: ProjectID("flights"), definition: Self.definition,
            fileRevision: 1, snapshot: nil, searcher: "{}", stopping: nil)
    }

    @Test func `a file is stored once however often it is applied`() async throws {
        let world = try TemporaryStore()
        let apply = { (text: String) in
            try await world.store.write { [now] db in
                try ProjectFileQueries.apply(
                    db, project: ProjectID("p"), text: text, snapshot: nil, at: now, by: .local)
            }
        }
        #expect(try await apply("project: p").isNew)
        #expect(try await !apply("project: p").isNew)
        let second = try await apply("project: p # changed")
        #expect(second.isNew && second.record.revision == 2)
        let current = try await world.store.read {
            try ProjectFileQueries.current($0, ProjectID("p"))
        }
        #expect(current == second.record)
        #expect(
            try await world.store.read { try ProjectFileQueries.projects($0) } == [ProjectID("p")])
    }

    @Test func `an update of an older revision changes nothing`() async throws {
        let world = try TemporaryStore()
        let new = makeSweep("s1")
        try await world.store.write { [now] db in
            try SweepQueries.insert(db, new, at: now, by: .local)
            let stored = try SweepQueries.find(db, new.id)
            var sweep = try #require(stored)
            #expect(sweep.definition == Self.definition)
            let before = sweep
            _ = try sweep.lifecycle.apply(.stopRequested)
            #expect(try SweepQueries.update(db, sweep, at: now, by: .local))
            #expect(try !SweepQueries.update(db, before, at: now, by: .local))
            #expect(try SweepQueries.find(db, new.id)?.state == .closing(.stopped))
            #expect(
                try EventLog.list(db, entity: "sweep", limit: 10).map(\.what) == [
                    "started", "closing",
                ])
        }
    }

    @Test(arguments: [
        SweepLifecycle.State.running, .closing(.stopped), .closing(.failed(reason: "r")),
        .ended(.succeeded, best: 2), .ended(.stopped, best: nil),
        .ended(.failed(reason: "r"), best: 1),
    ])
    func `every state of a sweep comes back`(state: SweepLifecycle.State) async throws {
        let world = try TemporaryStore()
        let new = makeSweep("s1")
        try await world.store.write { [now] db in
            try SweepQueries.insert(db, new, at: now, by: .local)
            let stored = try SweepQueries.find(db, new.id)
            var sweep = try #require(stored)
            sweep.lifecycle = SweepLifecycle(state: state)
            #expect(try SweepQueries.update(db, sweep, at: now, by: .local))
            #expect(try SweepQueries.find(db, new.id)?.state == state)
            let live = try SweepQueries.live(db).count
            if case .ended = state { #expect(live == 0) } else { #expect(live == 1) }
        }
    }

    static let last = TrialObjective(value: 0.5, step: 7)

    @Test(arguments: [
        TrialLifecycle.State.stopping(rung: 3), .cancelling, .ended(.succeeded(last)),
        .ended(.stoppedEarly(last, rung: 3)), .ended(.failed(reason: "exit 1")), .ended(.cancelled),
    ])
    func `every state of a trial comes back`(state: TrialLifecycle.State) async throws {
        let world = try TemporaryStore()
        let new = makeSweep("s1")
        try await world.store.write { [now] db in
            try SweepQueries.insert(db, new, at: now, by: .local)
            var trial = TrialRecord(
                sweep: new.id, number: 1, point: [.double(1), .int(1), .text("a")], run: RunID("r"),
                job: JobID("j"), createdAt: now.stamp)
            try TrialQueries.insert(db, trial, project: new.project, at: now, by: .local)
            #expect(try TrialQueries.list(db, of: new.id) == [trial])
            trial.lifecycle = TrialLifecycle(state: state)
            try TrialQueries.update(db, trial, project: new.project, at: now, by: .local)
            #expect(try TrialQueries.list(db, of: new.id).map(\.state) == [state])
        }
    }

    @Test func `a sweep is found by the beginning of its name`() async throws {
        let world = try TemporaryStore()
        let sweeps = ["abc1", "abc2", "b"].map(makeSweep)
        try await world.store.write { [now] db in
            for sweep in sweeps { try SweepQueries.insert(db, sweep, at: now, by: .local) }
            #expect(try SweepQueries.get(db, prefix: "abc2").id == SweepID("abc2"))
            #expect(try SweepQueries.get(db, prefix: "b").id == SweepID("b"))
            #expect(throws: SweepError.notFound("x")) { try SweepQueries.get(db, prefix: "x") }
            #expect(throws: SweepError.notFound("")) { try SweepQueries.get(db, prefix: "") }
            #expect(throws: SweepError.self) { try SweepQueries.get(db, prefix: "abc") }
        }
    }
}
