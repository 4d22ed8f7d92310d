import AloftDomain
package import Foundation

/// Finds what nothing reaches any more, and cuts it off.
///
/// Whatever is cut off has its files written down in `garbage` by the same transaction; the rows of
/// `garbage` go when the files are gone. Killed between, the next time goes on there.
package enum SpaceQueries {
    /// A run, logged model or experiment that was deleted.
    package struct Deleted: Sendable, Equatable {
        package var number: Int64
        package var id: String
        package var experiment: String
        /// Empty for an experiment.
        package var artifactURI: String
        package var points: Int64
    }

    /// Files that are cut off already.
    package struct Garbage: Sendable, Hashable {
        package enum Kind: String, Sendable { case folder, blob }
        package var kind: Kind
        /// A path below the artifacts, or a digest.
        package var place: String

        package init(kind: Kind, place: String) {
            self.kind = kind
            self.place = place
        }
    }

    package static func deletedRuns(_ db: Transaction, before cutoff: Date) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT r.number, r.id, e.name AS experiment, r.artifactUri AS place,
                (SELECT coalesce(sum(pointCount), 0) FROM latestMetric WHERE run = r.number)
                    AS points
            FROM run r JOIN experiment e ON e.number = r.experiment
            WHERE r.lifecycleStage = 'deleted' AND coalesce(r.deletedAt, 0) <= ?
            ORDER BY r.number
            """, [cutoff.millisecondsSince1970]
        ).map(deleted)
    }

    /// Logged models that were deleted, or whose experiment was.
    package static func deletedModels(_ db: Transaction, before cutoff: Date) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT m.number, m.id, e.name AS experiment, m.artifactUri AS place, 0 AS points
            FROM loggedModel m JOIN experiment e ON e.number = m.experiment
            WHERE (m.lifecycleStage = 'deleted' AND m.updatedAt <= :cutoff)
                OR (e.lifecycleStage = 'deleted' AND e.updatedAt <= :cutoff)
            ORDER BY m.number
            """, ["cutoff": cutoff.millisecondsSince1970]
        ).map(deleted)
    }

    /// Experiments that were deleted and hold no run that must stay longer; but the first, which
    /// clients expect to be there.
    package static func deletedExperiments(
        _ db: Transaction, before cutoff: Date
    ) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT number, CAST(number AS TEXT) AS id, name AS experiment, artifactLocation AS place,
                0 AS points
            FROM experiment e
            WHERE lifecycleStage = 'deleted' AND updatedAt <= :cutoff AND number <> 0
                AND NOT EXISTS (SELECT 1 FROM run r WHERE r.experiment = e.number
                    AND (r.lifecycleStage <> 'deleted' OR coalesce(r.deletedAt, 0) > :cutoff))
            ORDER BY number
            """, ["cutoff": cutoff.millisecondsSince1970]
        ).map(deleted)
    }

    /// Where experiments keep their files, as paths; the root as an empty text is none of them.
    package static func experimentPlaces(_ db: Transaction) throws -> [String] {
        let places = try db.allValues("SELECT artifactLocation FROM experiment", of: String.self)
            .compactMap(ArtifactPlaceText.path)
        return Set(places).filter { !$0.isEmpty }.sorted()
    }

    package static func garbage(_ db: Transaction) throws -> [Garbage] {
        try db.allRows("SELECT kind, place FROM garbage ORDER BY kind, place").map { row in
            try Garbage(kind: row.word("kind"), place: row["place"])
        }
    }

    package static func forget(_ db: Transaction, _ garbage: Garbage) throws {
        try db.perform(
            "DELETE FROM garbage WHERE kind = ? AND place = ?",
            [garbage.kind.rawValue, garbage.place])
    }

    /// Those of `ids` that name a run, a logged model or a trace, in any state.
    // text: ids
    package static func known(_ db: Transaction, _ ids: [String]) throws -> Set<String> {
        // text: ids
        var known: Set<String> = []
        for table in ["run", "loggedModel", "trace"] {
            for start in stride(from: 0, to: ids.count, by: 500) {
                let some = Array(ids[start..<min(start + 500, ids.count)])
                let text = Statement("SELECT id FROM \(table) WHERE id IN ") + .list(some)
                known.formUnion(try db.values(of: String.self, text))
            }
        }
        return known
    }

    /// Whether an import was at work after `moment`: what it has copied may have no row yet.
    package static func isImporting(_ db: Transaction, after moment: Date) throws -> Bool {
        try db.firstRow(
            """
            SELECT 1 WHERE EXISTS (SELECT 1 FROM imported WHERE importedAt > :moment)
                OR EXISTS (SELECT 1 FROM importedExperiment WHERE startedAt > :moment)
            """, ["moment": moment.stamp]) != nil
    }

    static func mark(_ db: Transaction, _ kind: Garbage.Kind, _ place: String, at: Date) throws {
        try db.perform(
            "INSERT INTO garbage VALUES (?, ?, ?) ON CONFLICT (kind, place) DO NOTHING",
            [kind.rawValue, place, at.stamp])
    }

    private static func deleted(_ row: RowReader) throws -> Deleted {
        try Deleted(
            number: row["number"], id: row["id"], experiment: row["experiment"],
            artifactURI: row["place"], points: row["points"])
    }
}
