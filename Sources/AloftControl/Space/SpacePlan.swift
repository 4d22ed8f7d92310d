package import AloftArtifacts
package import AloftDomain
package import AloftStore
package import AloftWire
package import Foundation

/// What may go, with what it takes. Everything here is looked at again before it goes.
package struct SpacePlan: Sendable {
    package struct Candidate: Sendable, Equatable {
        package var item: SpaceQueries.Deleted
        package var bytes: Int64
    }

    package struct Folder: Sendable, Equatable {
        package var id: String
        package var place: String
        package var bytes: Int64
        package var newest: Date
    }

    package var cutoff: Date
    package var runs: [Candidate] = []
    package var models: [Candidate] = []
    package var experiments: [SpaceQueries.Deleted] = []
    package var folders: [Folder] = []
    package var blobs: [BlobStore.Stored] = []
    /// Blobs that stay, since commits were lost that may have named them.
    package var spared: Set<ContentDigest> = []
    package var uploads: [AbandonedUpload] = []
    package var trash: [DiscardedFolder] = []
    package var garbage: [SpaceQueries.Garbage] = []
    package var garbageBytes: Int64 = 0
    package var kept: [SpaceReport.Kept] = []
    package var database = StoreSize(bytes: 0, freeBytes: 0)

    package init(cutoff: Date) { self.cutoff = cutoff }

    /// The most things that stay which are named one by one.
    private static let mostKept = 200

    /// The plan in numbers, by reason and experiment.
    package var report: SpaceReport {
        var lines: [SpaceReport.Line] = []
        func add(_ reason: SpaceReport.Reason, _ found: [Candidate]) {
            let groups = Dictionary(grouping: found, by: \.item.experiment)
            lines += groups.sorted { $0.key < $1.key }.map { name, members in
                SpaceReport.Line(
                    reason: reason, experiment: name, count: members.count,
                    bytes: members.reduce(0) { $0 + $1.bytes },
                    points: members.reduce(0) { $0 + $1.item.points })
            }
        }
        func add(_ reason: SpaceReport.Reason, _ sizes: [Int64]) {
            guard !sizes.isEmpty else { return }
            lines.append(
                SpaceReport.Line(reason: reason, count: sizes.count, bytes: sizes.reduce(0, +)))
        }
        add(.deletedRuns, runs)
        add(.deletedLoggedModels, models)
        lines += experiments.map {
            SpaceReport.Line(reason: .deletedExperiments, experiment: $0.experiment, count: 1)
        }
        add(.unknownFolders, folders.map(\.bytes))
        add(.unusedBlobs, blobs.map(\.sizeBytes))
        add(.abandonedUploads, uploads.map(\.bytes))
        add(.trash, trash.map(\.bytes))
        if !garbage.isEmpty {
            lines.append(
                SpaceReport.Line(
                    reason: .leftFromEarlier, count: garbage.count, bytes: garbageBytes))
        }
        return SpaceReport(
            cutoff: cutoff.stamp, lines: lines, kept: Array(kept.prefix(Self.mostKept)),
            databaseBytes: database.bytes, databaseFreeBytes: database.freeBytes)
    }
}
