import AloftDomain
import Foundation
import GRDB
import Synchronization
import Testing

@testable import AloftControl
@testable import AloftStore

/// Stops the writer at every change of a row in turn, loses all that is in memory, opens the file
/// again, and expects the same end as if nothing had happened.
struct SweepCrashTests {
    /// Counts the rows that are changed and fails the one with the number `crashAt`.
    final class Fuse: Sendable {
        private let state: Mutex<(count: Int, crashAt: Int)>

        init(crashAt: Int) { state = Mutex((0, crashAt)) }

        var count: Int { state.withLock { $0.count } }

        func blows() -> Bool {
            state.withLock { state in
                state.count += 1
                return state.count == state.crashAt
            }
        }

        /// Puts the fuse before every change of every row; it goes with the connection.
        func install(in store: Store) async throws {
            try await store.maintain { db in
                db.database.add(
                    function: DatabaseFunction("fuseBlows", argumentCount: 0) { _ in self.blows() })
                let tables = try db.values(
                    of: String.self,
                    sql: """
                        SELECT name FROM main.sqlite_master
                        WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'grdb%'
                        """)
                for table in tables {
                    for change in ["INSERT", "UPDATE", "DELETE"] {
                        try db.execute(
                            sql: """
                                CREATE TEMP TRIGGER fuse\(change)\(table) BEFORE \(change) ON main.\(table)
                                BEGIN SELECT CASE WHEN fuseBlows() THEN RAISE(ABORT, 'crash') END; END
                                """)
                    }
                }
            }
        }
    }

    struct Ending: Equatable {
        var state: SweepLifecycle.State
        var points: [[ParameterValue]]
        var outcomes: [TrialOutcome?]
        var runs: Int
        var jobs: Int
        var versions: Int
    }

    /// Runs a whole sweep; from the blown fuse on with a new connection.
    func run(crashAt: Int) async throws -> (ending: Ending, count: Int) {
        let world = try SweepWorld(seed: 9)
        world.script = { parameters, step in
            step < 4 ? 1 - abs((Double(parameters["x"] ?? "") ?? 0) - 0.3) + Double(step) : nil
        }
        try await world.apply(
            "trials: 4\n      seed: 5\n      stop: { asha: { grace: 2, reduction: 2 } }",
            more: "registers: m")
        let id = try await world.start()
        let fuse = Fuse(crashAt: crashAt)
        try await fuse.install(in: world.store)
        do {
            try await world.finish(id)
        } catch {
            #expect("\(error)".contains("crash"), "\(error)")
            try world.reopen()
            try await world.finish(id)
        }
        let trials = try await world.trials(id)
        let runs = try await world.store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM run") ?? 0
        }
        #expect(trials.map(\.number) == Array(1...trials.count))
        let jobs = try await world.jobs()
        #expect(
            Set(trials.map(\.job)) == Set(jobs.map(\.id)),
            "each trial has its job and no other is there")
        #expect(jobs.allSatisfy { $0.state.attempt == 1 }, "no trial ran twice")
        return (
            Ending(
                state: try await world.sweep(id).state, points: trials.map(\.point),
                outcomes: trials.map(\.outcome), runs: runs, jobs: jobs.count,
                versions: try await world.versions(of: "m").count), fuse.count
        )
    }

    @Test func `a crash at any change of a row changes nothing of the end`() async throws {
        let whole = try await run(crashAt: 0)
        #expect(whole.ending.points.count == 4 && whole.ending.versions == 1)
        #expect(whole.ending.runs == 4 && whole.ending.jobs == 4)
        try #require(whole.count > 100)
        try await withThrowingTaskGroup(of: (Int, Ending).self) { group in
            for crash in 1...whole.count {
                group.addTask { (crash, try await run(crashAt: crash).ending) }
                if crash % 8 == 0 {
                    while let (number, ending) = try await group.next() {
                        #expect(ending == whole.ending, "after a crash at change \(number)")
                    }
                }
            }
            for try await (number, ending) in group {
                #expect(ending == whole.ending, "after a crash at change \(number)")
            }
        }
    }
}
