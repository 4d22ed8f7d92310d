package import AloftDomain
package import Foundation

// Each of these looks again, in its own transaction, whether what was found may still go: meanwhile
// somebody may have restored it, or registered a model that uses it.
extension SpaceQueries {
    /// Deletes the rows of these runs and marks their files. Those that may stay, stay.
    ///
    /// - Returns: the numbers of those that are gone.
    package static func free(
        _ db: Transaction, runs: [Int64], before cutoff: Date, at: Date
    ) throws -> [Int64] {
        let holds = try SpaceHolds(db)
        var freed: [Int64] = []
        var experiments: Set<Int64> = []
        for number in runs {
            let row = try db.firstRow(
                """
                SELECT id, experiment, artifactUri FROM run
                WHERE number = ? AND lifecycleStage = 'deleted' AND coalesce(deletedAt, 0) <= ?
                """, [number, cutoff.millisecondsSince1970])
            guard let row else { continue }
            let (id, place): (String, String?) = (
                try row["id"], ArtifactPlaceText.path(try row["artifactUri"])
            )
            guard holds.reason(id: id, place: place) == nil else { continue }
            if let place, !place.isEmpty { try mark(db, .folder, place, at: at) }
            // The newest points have no foreign key, to be quick to write.
            try db.perform("DELETE FROM metricTail WHERE run = ?", [number])
            try db.perform("DELETE FROM run WHERE number = ?", [number])
            try db.perform("DELETE FROM jobMade WHERE kind = 'run' AND id = ?", [id])
            experiments.insert(try row["experiment"])
            freed.append(number)
        }
        for experiment in experiments {
            try db.perform(
                """
                DELETE FROM dataset WHERE experiment = ? AND NOT EXISTS
                    (SELECT 1 FROM runDataset r WHERE r.dataset = dataset.number)
                """, [experiment])
        }
        return freed
    }

    /// As for runs.
    package static func free(
        _ db: Transaction, models: [Int64], before cutoff: Date, at: Date
    ) throws -> [Int64] {
        let holds = try SpaceHolds(db)
        var freed: [Int64] = []
        for number in models {
            let row = try db.firstRow(
                """
                SELECT m.id, m.artifactUri FROM loggedModel m
                JOIN experiment e ON e.number = m.experiment
                WHERE m.number = :number AND (
                    (m.lifecycleStage = 'deleted' AND m.updatedAt <= :cutoff)
                    OR (e.lifecycleStage = 'deleted' AND e.updatedAt <= :cutoff))
                """, ["number": number, "cutoff": cutoff.millisecondsSince1970])
            guard let row else { continue }
            let (id, place): (String, String?) = (
                try row["id"], ArtifactPlaceText.path(try row["artifactUri"])
            )
            guard holds.reason(id: id, place: place) == nil else { continue }
            if let place, !place.isEmpty { try mark(db, .folder, place, at: at) }
            try db.perform("DELETE FROM loggedModel WHERE number = ?", [number])
            try db.perform(
                "DELETE FROM jobMade WHERE kind = 'loggedModel' AND id = ?", [id])
            freed.append(number)
        }
        return freed
    }

    /// Deletes the experiment if nothing is left in it, and marks its own folder.
    ///
    /// - Returns: whether it is gone.
    package static func free(
        _ db: Transaction, experiment number: Int64, before cutoff: Date, at: Date
    ) throws -> Bool {
        let row = try db.firstRow(
            """
            SELECT artifactLocation FROM experiment e
            WHERE number = ? AND number <> 0 AND lifecycleStage = 'deleted' AND updatedAt <= ?
                AND NOT EXISTS (SELECT 1 FROM run WHERE experiment = e.number)
                AND NOT EXISTS (SELECT 1 FROM loggedModel WHERE experiment = e.number)
            """, [number, cutoff.millisecondsSince1970])
        guard let row else { return false }
        let place = ArtifactPlaceText.path(try row["artifactLocation"])
        // A place of the user's own choice may hold more than this experiment's files.
        if place == String(number),
            try SpaceHolds(db).reason(place: "\(number)", but: number) == nil
        {
            try mark(db, .folder, "\(number)", at: at)
        }
        do {
            try db.perform("DELETE FROM experiment WHERE number = ?", [number])
        } catch let error as StatementError where error.isConstraint {
            throw StillInUse()  // what belongs to it goes first, another time
        }
        return true
    }

    /// Something refers to what should go; the transaction is undone.
    package struct StillInUse: Error {}

    /// Marks folders named for runs, models and traces that nobody knows.
    ///
    /// - Parameter importsAfter: nothing is marked if an import was at work after it.
    package static func mark(
        _ db: Transaction, orphans: [(id: String, place: String)], importsAfter moment: Date,
        at: Date
    ) throws -> [String] {
        guard try !isImporting(db, after: moment) else { return [] }
        let known = try known(db, orphans.map(\.id))
        let holds = try SpaceHolds(db)
        var marked: [String] = []
        for orphan in orphans
        where !known.contains(orphan.id)
            && holds.reason(id: orphan.id, place: orphan.place) == nil
        {
            try mark(db, .folder, orphan.place, at: at)
            marked.append(orphan.place)
        }
        return marked
    }

    /// Marks those blobs that nothing refers to.
    package static func mark(
        _ db: Transaction, blobs: [ContentDigest], at: Date
    ) throws -> [ContentDigest] {
        let referenced = try referencedDigests(db)
        let orphans = blobs.filter { !referenced.contains($0.hex) }
        for digest in orphans { try mark(db, .blob, digest.hex, at: at) }
        return orphans
    }

    /// Forgets servables of versions that are gone, so that they hold no blob.
    package static func dropServablesOfGoneVersions(_ db: Transaction) throws {
        try db.execute(
            sql: """
                DELETE FROM servable WHERE state IN ('ready', 'failed')
                    AND NOT EXISTS (SELECT 1 FROM modelVersion v
                        JOIN registeredModel m ON m.number = v.model
                        WHERE m.name = servable.model AND v.version = servable.version)
                    AND NOT EXISTS (SELECT 1 FROM revision r
                        WHERE r.model = servable.model AND r.version = servable.version
                            AND r.state <> 'ended')
                """)
    }
}
