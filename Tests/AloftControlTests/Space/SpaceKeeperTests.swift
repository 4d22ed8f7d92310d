import AloftArtifacts
import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftControl

struct SpaceKeeperTests {
    @Test(arguments: 0..<200)
    func `over any history all that is reachable stays and all else goes`(seed: Int) async throws {
        let world = try SpaceWorld(seed: UInt64(seed))
        for round in 0..<3 {
            for _ in 0..<14 { try await world.step() }
            let ages: [TimeInterval] = [0, 86400, 7 * 86400, 30 * 86400]
            try await world.free(
                olderThan: ages[world.below(ages.count)],
                crashes: round == 1 ? 1 + world.below(3) : 0)
        }
    }

    @Test func `a file of what was deleted by the thousand shrinks`() async throws {
        let world = try SpaceWorld(seed: 1)
        let at = world.now
        try await world.store.write { db in
            for number in 0..<300 {
                let id = RunID("run\(number)")
                try TrackingQueries.createRun(
                    db, NewRun(id: id, experiment: ExperimentID("0"), name: "r", startTime: 0))
                try TrackingQueries.setTag(
                    db, id, NamedText(key: "note", value: String(repeating: "x", count: 5000)))
                try TrackingQueries.deleteRun(db, id, at: at)
            }
        }
        let before = try await world.store.size().bytes
        try await world.free(olderThan: 0, crashes: 0)
        #expect(try await world.store.size().bytes < before / 2)
    }

    @Test func `only one call frees at a time and the report says why something stays`()
        async throws
    {
        let world = try SpaceWorld(seed: 2)
        let at = world.now
        try await world.store.write { db in
            let run = NewRun(
                id: RunID("kept"), experiment: ExperimentID("0"), name: "r", startTime: 0)
            try TrackingQueries.createRun(db, run)
            try RegistryQueries.ensureModel(db, name: "churn", who: .local, at: at)
            try RegistryQueries.createVersion(
                db, NewModelVersion(name: "churn", source: "runs:/kept/model"), who: .local, at: at)
            try TrackingQueries.deleteRun(db, run.id, at: at)
        }
        let keeper = SpaceKeeper(
            store: world.store, artifacts: world.artifacts, blobs: world.blobs,
            time: world.time.source)
        let report = try await keeper.show(olderThan: 0)
        #expect(report.lines.isEmpty)
        #expect(report.kept.map(\.what) == ["run kept"])
        #expect(report.kept.first?.why == "churn version 1 uses it")
    }
}
