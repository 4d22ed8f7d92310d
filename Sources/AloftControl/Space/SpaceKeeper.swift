package import AloftArtifacts
import AloftCompute
package import AloftDomain
package import AloftStore
package import AloftWire
package import Foundation
import Synchronization

/// Frees what nothing reaches any more, while the server serves. First the database cuts it off and
/// writes down its files, then the files go, then the notes: stopped anywhere, the next time ends
/// the same.
package final class SpaceKeeper: Sendable {
    /// How long something stays that nobody knows: it may be about to be used.
    package static let grace: TimeInterval = BlobStore.grace
    /// How many runs go in one transaction, so that other writes need not wait long.
    private static let batch = 50

    private let store: Store
    private let artifacts: ArtifactFolder
    private let blobs: BlobStore
    private let time: TimeSource
    /// Held while space is freed, so that no backup is made meanwhile.
    private let lockPath: String?
    private let effects: EffectHook
    private let isBusy = Mutex(false)

    package init(
        store: Store, artifacts: ArtifactFolder, blobs: BlobStore, time: TimeSource,
        lockPath: String? = nil,
        effects: EffectHook = .none
    ) {
        self.store = store
        self.artifacts = artifacts
        self.blobs = blobs
        self.time = time
        self.lockPath = lockPath
        self.effects = effects
    }

    /// What would be freed of what was deleted `age` ago or longer.
    package func show(olderThan age: TimeInterval) async throws -> SpaceReport {
        try await plan(cutoff: time.now().addingTimeInterval(-age)).report
    }

    /// Frees what was deleted at or before `cutoff`, and what nobody knows.
    ///
    /// - Returns: what is gone, with the database's size after.
    /// - Throws: `SpaceError.busy` while another call is at work.
    package func free(cutoff: Date) async throws -> SpaceReport {
        let isMine = isBusy.withLock { busy in
            defer { busy = true }
            return !busy
        }
        guard isMine else { throw SpaceError.busy }
        defer { isBusy.withLock { $0 = false } }
        let lock = try lockPath.map { path in
            guard let lock = try FileLock(tryingAt: path) else { throw SpaceError.backingUp }
            return lock
        }
        defer { lock?.release() }
        // What was cut off earlier goes first, whatever is asked for now.
        var plan = try await plan(cutoff: min(cutoff, time.now()))
        _ = try await removeGarbage()
        try await cutOff(&plan)
        plan.kept += try await removeGarbage()
        try act { for upload in plan.uploads { upload.remove(before: fresh) } }
        try act { for folder in plan.trash { folder.remove() } }
        try effects.willAct("shrink the database")
        try await store.shrink()
        plan.database = try await store.size()
        return plan.report
    }

    package func databaseBytes() async throws -> Int64 { try await store.size().bytes }

    private var fresh: Date { time.now().addingTimeInterval(-Self.grace) }

    private func plan(cutoff: Date) async throws -> SpacePlan {
        try await SpaceSurvey(store: store, artifacts: artifacts, blobs: blobs)
            .plan(cutoff: cutoff, fresh: fresh)
    }

    private func act(_ body: () throws -> Void) throws {
        try effects.willAct("remove files")
        try body()
    }

    /// Takes out of the database, and out of the plan what may not go after all.
    private func cutOff(_ plan: inout SpacePlan) async throws {
        let (cutoff, now, fresh) = (plan.cutoff, time.now(), fresh)
        var gone: Set<Int64> = []
        for numbers in batches(plan.runs.map(\.item.number)) {
            try effects.willAct("free runs")
            gone.formUnion(
                try await store.write {
                    try SpaceQueries.free($0, runs: numbers, before: cutoff, at: now)
                })
        }
        plan.runs.removeAll { !gone.contains($0.item.number) }
        gone = []
        for numbers in batches(plan.models.map(\.item.number)) {
            try effects.willAct("free models")
            gone.formUnion(
                try await store.write {
                    try SpaceQueries.free($0, models: numbers, before: cutoff, at: now)
                })
        }
        plan.models.removeAll { !gone.contains($0.item.number) }
        var experiments: [SpaceQueries.Deleted] = []
        for experiment in plan.experiments {
            try effects.willAct("free an experiment")
            if try await free(experiment, before: cutoff, at: now) {
                experiments.append(experiment)
            }
        }
        plan.experiments = experiments
        try effects.willAct("mark folders")
        let orphans = plan.folders.map { (id: $0.id, place: $0.place) }
        let marked = try await store.write {
            try SpaceQueries.mark($0, orphans: orphans, importsAfter: fresh, at: now)
        }
        plan.folders.removeAll { !marked.contains($0.place) }
        try await cutOffBlobs(&plan, at: now)
    }

    private func cutOffBlobs(_ plan: inout SpacePlan, at now: Date) async throws {
        try effects.willAct("drop servables")
        try await store.write { try SpaceQueries.dropServablesOfGoneVersions($0) }
        let spared = plan.spared
        let old = try blobs.untouched(since: fresh).filter { !spared.contains($0.digest) }
        let digests = old.map(\.digest)
        try effects.willAct("mark blobs")
        let marked = Set(
            try await store.write { try SpaceQueries.mark($0, blobs: digests, at: now) })
        plan.blobs = old.filter { marked.contains($0.digest) }
    }

    private func free(
        _ experiment: SpaceQueries.Deleted, before cutoff: Date, at now: Date
    ) async throws -> Bool {
        do {
            return try await store.write {
                try SpaceQueries.free($0, experiment: experiment.number, before: cutoff, at: now)
            }
        } catch is SpaceQueries.StillInUse {
            return false
        }
    }

    /// Removes the files that the database has cut off, then forgets them.
    ///
    /// - Returns: what could not be removed, and why; the next time tries again.
    private func removeGarbage() async throws -> [SpaceReport.Kept] {
        var kept: [SpaceReport.Kept] = []
        for garbage in try await store.read({ try SpaceQueries.garbage($0) }) {
            try effects.willAct("remove garbage")
            do {
                try await remove(garbage)
            } catch let error as CancellationError {
                throw error
            } catch {
                let why = (error as? any Refusal)?.message ?? error.localizedDescription
                kept.append(.init(what: garbage.place, why: "it cannot be removed: \(why)"))
                continue
            }
            try effects.willAct("forget garbage")
            try await store.write { try SpaceQueries.forget($0, garbage) }
        }
        return kept
    }

    private func remove(_ garbage: SpaceQueries.Garbage) async throws {
        let (artifacts, blobs, fresh) = (artifacts, blobs, fresh)
        try await BlockingWork.run {
            switch garbage.kind {
            case .folder:
                guard let path = try? ArtifactPath(garbage.place), !path.components.isEmpty else {
                    return
                }
                try artifacts.removeWithEmptyParent(path)
            case .blob:
                guard let digest = ContentDigest(hex: garbage.place) else { return }
                blobs.remove(digest, untouchedSince: fresh)
            }
        }
    }

    private func batches(_ numbers: [Int64]) -> [[Int64]] {
        stride(from: 0, to: numbers.count, by: Self.batch).map {
            Array(numbers[$0..<min($0 + Self.batch, numbers.count)])
        }
    }
}

/// What freeing space refuses, as facts.
package enum SpaceError: Refusal, Equatable {
    case busy
    case backingUp
    case invalidCutoff(String)

    package var code: String {
        switch self {
        case .busy: "space_busy"
        case .backingUp: "backup_under_way"
        case .invalidCutoff: "space_cutoff_invalid"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .busy, .backingUp: .conflict
        case .invalidCutoff: .invalid
        }
    }

    package var message: String {
        switch self {
        case .backingUp: "a backup is being made; free space when it has ended"
        case .busy: "space is being freed already; wait for that to end"
        case .invalidCutoff(let text):
            "cutoff '\(text.prefix(100))': expected a time such as 2026-01-31T12:00:00.000Z"
        }
    }
}
