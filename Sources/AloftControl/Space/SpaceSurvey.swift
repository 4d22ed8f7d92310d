package import AloftArtifacts
import AloftDomain
package import AloftStore
import AloftWire
package import Foundation

/// Looks for what may go. Changes nothing.
package struct SpaceSurvey: Sendable {
    private let store: Store
    private let artifacts: ArtifactFolder
    private let blobs: BlobStore

    package init(store: Store, artifacts: ArtifactFolder, blobs: BlobStore) {
        self.store = store
        self.artifacts = artifacts
        self.blobs = blobs
    }

    /// What the database says, of one moment.
    private struct Facts: Sendable {
        var runs: [SpaceQueries.Deleted]
        var models: [SpaceQueries.Deleted]
        var experiments: [SpaceQueries.Deleted]
        var garbage: [SpaceQueries.Garbage]
        var holds: SpaceHolds
        // text: digests
        var digests: Set<String>
        var experimentPlaces: [String]
        var isImporting: Bool
        var lossAcceptedAt: Date?
    }

    /// - Parameters:
    ///   - cutoff: what was deleted at or before it may go.
    ///   - fresh: what nobody knows and was touched after it stays: it may be about to be used.
    package func plan(cutoff: Date, fresh: Date) async throws -> SpacePlan {
        let facts = try await store.read { db in
            Facts(
                runs: try SpaceQueries.deletedRuns(db, before: cutoff),
                models: try SpaceQueries.deletedModels(db, before: cutoff),
                experiments: try SpaceQueries.deletedExperiments(db, before: cutoff),
                garbage: try SpaceQueries.garbage(db), holds: try SpaceHolds(db),
                digests: try SpaceQueries.referencedDigests(db),
                experimentPlaces: try SpaceQueries.experimentPlaces(db),
                isImporting: try SpaceQueries.isImporting(db, after: fresh),
                lossAcceptedAt: try Ledger.read(db)?.lossAcceptedAt)
        }
        var plan = SpacePlan(cutoff: cutoff)
        plan.database = try await store.size()
        plan.garbage = facts.garbage
        let found = try await BlockingWork.run { [plan] in
            try look(at: facts, fresh: fresh, plan)
        }
        plan = found.plan
        if !facts.isImporting {
            let ids = found.folders.map(\.id)
            let known = try await store.read { try SpaceQueries.known($0, ids) }
            plan.folders = found.folders.filter { folder in
                !known.contains(folder.id)
                    && facts.holds.reason(id: folder.id, place: folder.place) == nil
            }
        }
        return plan
    }

    /// Looks at the disk.
    private func look(
        at facts: Facts, fresh: Date, _ plan: SpacePlan
    ) throws -> (plan: SpacePlan, folders: [SpacePlan.Folder]) {
        var plan = plan
        plan.runs = sort(facts.runs, "run", facts.holds, &plan.kept)
        plan.models = sort(facts.models, "logged model", facts.holds, &plan.kept)
        let going = Set(plan.models.map(\.item.id)).union(plan.runs.map(\.item.id))
        plan.experiments = facts.experiments.filter { experiment in
            !facts.runs.contains {
                $0.experiment == experiment.experiment && !going.contains($0.id)
            }
                && !facts.models.contains {
                    $0.experiment == experiment.experiment && !going.contains($0.id)
                }
        }
        plan.blobs = try blobs.untouched(since: fresh).filter {
            !facts.digests.contains($0.digest.hex)
        }
        try keepWhatALossMayNeed(facts, &plan)
        plan.uploads =
            artifacts.abandonedUploads(before: fresh) + blobs.abandonedUploads(before: fresh)
        plan.trash = artifacts.discarded(before: plan.cutoff)
        for garbage in facts.garbage {
            switch garbage.kind {
            case .folder: plan.garbageBytes += size(of: garbage.place).bytes
            case .blob:
                if let digest = ContentDigest(hex: garbage.place) {
                    plan.garbageBytes += blobs.sizeBytes(of: digest) ?? 0
                }
            }
        }
        let folders = try foldersNamedForThings(facts.experimentPlaces, before: fresh)
        return (plan, folders.filter { $0.newest > facts.lossAcceptedAt ?? .distantPast })
    }

    /// Commits were lost that may have named what nothing names now.
    private func keepWhatALossMayNeed(_ facts: Facts, _ plan: inout SpacePlan) throws {
        guard let loss = facts.lossAcceptedAt else { return }
        plan.spared = Set(try blobs.untouched(since: loss).map(\.digest))
        let spared = plan.spared
        plan.blobs.removeAll { spared.contains($0.digest) }
        plan.kept.append(
            SpaceReport.Kept(
                what: "files and blobs of before \(loss.stamp) that nothing names",
                why: "a loss was accepted then, and what was lost may have named them"))
    }

    private func sort(
        _ found: [SpaceQueries.Deleted], _ what: String, _ holds: SpaceHolds,
        _ kept: inout [SpaceReport.Kept]
    ) -> [SpacePlan.Candidate] {
        found.compactMap { item in
            let place = ArtifactPlaceText.path(item.artifactURI)
            if let why = holds.reason(id: item.id, place: place) {
                kept.append(SpaceReport.Kept(what: "\(what) \(item.id)", why: why))
                return nil
            }
            return SpacePlan.Candidate(item: item, bytes: place.map { size(of: $0).bytes } ?? 0)
        }
    }

    private func size(of place: String) -> FolderSize {
        guard let path = try? ArtifactPath(place), !path.components.isEmpty else {
            return FolderSize()
        }
        return artifacts.size(of: path)
    }

    /// Folders `EXPERIMENT/RUN`, `EXPERIMENT/models/MODEL` and `EXPERIMENT/traces/TRACE` in which
    /// nothing is new; traces also where else an experiment keeps its files.
    private func foldersNamedForThings(
        _ experimentPlaces: [String], before moment: Date
    ) throws -> [SpacePlan.Folder] {
        var folders: [SpacePlan.Folder] = []
        for place in experimentPlaces where Int64(place) == nil {
            try addTraces(of: place, before: moment, to: &folders)
        }
        for experiment in try artifacts.list(ArtifactPath("")).filter(\.isFolder) {
            guard experiment.name.utf8.allSatisfy({ (48...57).contains($0) }) else { continue }
            try addTraces(of: experiment.name, before: moment, to: &folders)
            for entry in try artifacts.list(ArtifactPath(experiment.name)).filter(\.isFolder) {
                let place = experiment.name + "/" + entry.name
                if Self.isIdentifier(entry.name) {
                    add(entry.name, place, before: moment, to: &folders)
                } else if entry.name == "models" {
                    for model in try artifacts.list(ArtifactPath(place))
                    where model.isFolder && model.name.begins(with: "m-")
                        && Self.isIdentifier(model.name.dropFirst(2))
                    {
                        add(model.name, place + "/" + model.name, before: moment, to: &folders)
                    }
                }
            }
        }
        return folders
    }

    /// A deleted trace leaves its folder behind, which only its place tells of.
    private func addTraces(
        of experiment: String, before moment: Date, to folders: inout [SpacePlan.Folder]
    ) throws {
        let place = experiment + "/traces"
        guard let path = try? ArtifactPath(place) else { return }
        for trace in try artifacts.list(path)
        where trace.isFolder && trace.name.begins(with: "tr-")
            && Self.isIdentifier(trace.name.dropFirst(3))
        {
            add(trace.name, place + "/" + trace.name, before: moment, to: &folders)
        }
    }

    private func add(
        _ id: String, _ place: String, before moment: Date, to folders: inout [SpacePlan.Folder]
    ) {
        let size = size(of: place)
        guard size.newest <= moment else { return }
        folders.append(
            SpacePlan.Folder(id: id, place: place, bytes: size.bytes, newest: size.newest))
    }

    private static func isIdentifier(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
