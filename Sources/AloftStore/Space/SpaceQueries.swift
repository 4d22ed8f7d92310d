import AloftDomain
package import Foundation
package import GRDB

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

    package static func deletedRuns(_ db: Database, before cutoff: Date) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT r.number, r.id, e.name, r.artifactUri,
                (SELECT coalesce(sum(pointCount), 0) FROM latestMetric WHERE run = r.number)
            FROM run r JOIN experiment e ON e.number = r.experiment
            WHERE r.lifecycleStage = 'deleted' AND coalesce(r.deletedAt, 0) <= ?
            ORDER BY r.number
            """, [cutoff.millisecondsSince1970]
        ).map(deleted)
    }

    /// Logged models that were deleted, or whose experiment was.
    package static func deletedModels(_ db: Database, before cutoff: Date) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT m.number, m.id, e.name, m.artifactUri, 0
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
        _ db: Database, before cutoff: Date
    ) throws -> [Deleted] {
        try db.allRows(
            """
            SELECT number, CAST(number AS TEXT), name, artifactLocation, 0 FROM experiment e
            WHERE lifecycleStage = 'deleted' AND updatedAt <= :cutoff AND number <> 0
                AND NOT EXISTS (SELECT 1 FROM run r WHERE r.experiment = e.number
                    AND (r.lifecycleStage <> 'deleted' OR coalesce(r.deletedAt, 0) > :cutoff))
            ORDER BY number
            """, ["cutoff": cutoff.millisecondsSince1970]
        ).map(deleted)
    }

    /// Where experiments keep their files, as paths; the root as an empty text is none of them.
    package static func experimentPlaces(_ db: Database) throws -> [String] {
        let places = try db.allRows("SELECT artifactLocation FROM experiment")
            .compactMap { ArtifactPlaceText.path($0[0]) }
        return Set(places).filter { !$0.isEmpty }.sorted()
    }

    package static func garbage(_ db: Database) throws -> [Garbage] {
        try db.allRows("SELECT kind, place FROM garbage ORDER BY kind, place").map { row in
            Garbage(kind: Garbage.Kind(rawValue: row[0]) ?? .folder, place: row[1])
        }
    }

    package static func forget(_ db: Database, _ garbage: Garbage) throws {
        try db.perform(
            "DELETE FROM garbage WHERE kind = ? AND place = ?",
            [garbage.kind.rawValue, garbage.place])
    }

    /// Those of `ids` that name a run, a logged model or a trace, in any state.
    // text: ids
    package static func known(_ db: Database, _ ids: [String]) throws -> Set<String> {
        // text: ids
        var known: Set<String> = []
        for table in ["run", "loggedModel", "trace"] {
            for start in stride(from: 0, to: ids.count, by: 500) {
                let some = Array(ids[start..<min(start + 500, ids.count)])
                let text = SQLText("SELECT id FROM \(table) WHERE id IN ") + .list(some)
                known.formUnion(try text.rows(db).map { $0[0] })
            }
        }
        return known
    }

    /// Whether an import was at work after `moment`: what it has copied may have no row yet.
    package static func isImporting(_ db: Database, after moment: Date) throws -> Bool {
        try db.firstRow(
            """
            SELECT 1 WHERE EXISTS (SELECT 1 FROM imported WHERE importedAt > :moment)
                OR EXISTS (SELECT 1 FROM importedExperiment WHERE startedAt > :moment)
            """, ["moment": moment.stamp]) != nil
    }

    static func mark(_ db: Database, _ kind: Garbage.Kind, _ place: String, at: Date) throws {
        try db.perform(
            "INSERT INTO garbage VALUES (?, ?, ?) ON CONFLICT (kind, place) DO NOTHING",
            [kind.rawValue, place, at.stamp])
    }

    private static func deleted(_ row: Row) -> Deleted {
        Deleted(
            number: row[0], id: row[1], experiment: row[2], artifactURI: row[3], points: row[4])
    }
}
