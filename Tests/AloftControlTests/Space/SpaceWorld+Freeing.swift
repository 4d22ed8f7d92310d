import AloftArtifacts
import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftControl

// Freeing, and what must be there afterwards.
extension SpaceWorld {
    /// Frees space, stopped `crashes` times on the way, each time with all in memory lost.
    func free(olderThan age: TimeInterval, crashes: Int) async throws {
        let cutoff = now.addingTimeInterval(-age)
        for _ in 0..<crashes {
            let line = DeadLine(after: below(25))
            do {
                _ = try await makeKeeper(line.hook).free(cutoff: cutoff)
            } catch is EffectHook.Killed {
                artifacts = try Self.openArtifacts(temporary)
                blobs = try Self.openBlobs(temporary)
            }
        }
        _ = try await makeKeeper().free(cutoff: cutoff)
        expectFreed(cutoff: cutoff)
        try await check()
        // Nothing is left to do.
        let left = try await makeKeeper().show(olderThan: age).lines
        #expect(left == [])
    }

    private func makeKeeper(_ effects: EffectHook = .none) -> SpaceKeeper {
        SpaceKeeper(
            store: store, artifacts: artifacts, blobs: blobs, time: time.source, effects: effects)
    }

    /// Takes out of the model what must be gone.
    private func expectFreed(cutoff: Date) {
        let heldRuns = Set(versions.compactMap(\.run))
        let heldModels = Set(versions.compactMap(\.model))
        let isPast = { (date: Date?) in date.map { $0 <= cutoff } ?? false }
        runs = runs.filter { !(isPast($0.value.deletedAt) && !heldRuns.contains($0.key)) }
        models = models.filter { id, model in
            let isOut = isPast(model.deletedAt) || isPast(experiments[model.experiment] ?? nil)
            return !isOut || heldModels.contains(id)
        }
        let fresh = now.addingTimeInterval(-SpaceKeeper.grace)
        for (number, deletedAt) in experiments where number != 0 && isPast(deletedAt) {
            let isEmpty =
                !(runs.values.contains { $0.experiment == number }
                || models.values.contains { $0.experiment == number })
            guard isEmpty else { continue }
            experiments[number] = nil
            orphans = orphans.filter { !$0.key.hasPrefix("\(number)/") }
            orphanFiles = orphanFiles.filter { !$0.key.hasPrefix("\(number)/") }
            traces = traces.filter { $0.value.experiment != number }
        }
        orphans = orphans.filter { $0.value.touched > fresh }
        orphanFiles = orphanFiles.filter { $0.value.touched > fresh }
        storedBlobs = storedBlobs.filter { $0.value.isUsed || $0.value.touched > fresh }
    }

    /// The data folder holds what the model holds, and no more.
    private func check() async throws {
        let (rows, modelRows, experimentRows) = try await store.read { db in
            (
                try db.allValues("SELECT id FROM run", of: String.self),
                try db.allValues("SELECT id FROM loggedModel", of: String.self),
                try db.allValues("SELECT number FROM experiment", of: Int64.self)
            )
        }
        #expect(Set(rows) == Set(runs.keys))
        #expect(Set(modelRows) == Set(models.keys))
        #expect(Set(experimentRows) == Set(experiments.keys))
        var files: [String: Data] = strays
        for thing in runs.values { files.merge(thing.files) { _, new in new } }
        for thing in models.values { files.merge(thing.files) { _, new in new } }
        for thing in traces.values { files.merge(thing.files) { _, new in new } }
        for (path, orphan) in orphanFiles { files[path] = orphan.data }
        for (place, orphan) in orphans { files[place + "/artifacts/x"] = orphan.data }
        let root = artifacts.location(of: try ArtifactPath(""))
        var found: [String: Data] = [:]
        for path in FileManager.default.subpaths(atPath: root) ?? [] {
            var isFolder: ObjCBool = false
            _ = FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isFolder)
            if !isFolder.boolValue {
                found[path] = FileManager.default.contents(atPath: root + "/" + path)
            }
        }
        #expect(found == files)
        #expect(Set(try blobs.list().map(\.digest)) == Set(storedBlobs.keys))
        let tails = try await store.read { db in
            try db.allRows(
                "SELECT 1 FROM metricTail t WHERE NOT EXISTS (SELECT 1 FROM run WHERE number = t.run)"
            ).count
        }
        #expect(tails == 0)
    }
}
