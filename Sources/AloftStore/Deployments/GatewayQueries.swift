package import AloftDomain
package import Foundation

package enum GatewayQueries {
    /// Stores what a gateway says. Counters are cumulative within an incarnation; those of earlier
    /// incarnations are kept as one sum. News of an incarnation that has ended is ignored, and so
    /// are revisions that are not known here or are over.
    package static func report(
        _ db: Transaction, gateway: GatewayID, incarnation: String, desiredRevision: Int,
        revisions: [GatewayRevisionReport], shadows: [ShadowReportRecord] = [], at now: Date
    ) throws {
        try report(
            db, gateway: gateway, incarnation: incarnation, desiredRevision: desiredRevision,
            notes: try revisions.map(GatewayRevisionNote.init), shadows: shadows, at: now)
    }

    /// Revisions of which reports are kept.
    package static func served(_ db: Transaction) throws -> Set<RevisionID> {
        Set(
            try db.values(of: String.self, sql: "SELECT id FROM revision WHERE state <> 'ended'")
                .map { RevisionID($0) })
    }

    /// The same of what was made ready to be stored.
    package static func report(
        _ db: Transaction, gateway: GatewayID, incarnation: String, desiredRevision: Int,
        notes: [GatewayRevisionNote], shadows: [ShadowReportRecord] = [], at now: Date
    ) throws {
        let known = try db.row(
            sql: "SELECT incarnation, earlierIncarnation FROM gateway WHERE id = ?",
            arguments: [gateway.rawValue])
        if let known {
            let (current, earlier): (String, String?) =
                (try known["incarnation"], try known["earlierIncarnation"])
            if earlier == incarnation { return }
            if current != incarnation { try foldIncarnation(db, gateway: gateway, current) }
        }
        try db.execute(
            sql: """
                INSERT INTO gateway (id, incarnation, desiredRevision, firstSeenAt, reportedAt)
                VALUES (:id, :incarnation, :desired, :now, :now)
                ON CONFLICT (id) DO UPDATE SET incarnation = :incarnation,
                    earlierIncarnation = CASE WHEN gateway.incarnation = :incarnation
                        THEN gateway.earlierIncarnation ELSE gateway.incarnation END,
                    desiredRevision = :desired, reportedAt = :now
                """,
            arguments: [
                "id": gateway.rawValue, "incarnation": incarnation, "desired": desiredRevision,
                "now": now.stamp,
            ])
        for note in notes { try upsert(db, gateway: gateway, incarnation: incarnation, note) }
        try TrafficQueries.report(db, gateway: gateway, incarnation: incarnation, shadows)
    }

    private static func upsert(
        _ db: Transaction, gateway: GatewayID, incarnation: String, _ note: GatewayRevisionNote
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO gatewayReport (gateway, incarnation, revision, state, error, warmup,
                    requests, errors, refused, turnedAway, contested, latency, scores)
                SELECT :gateway, :incarnation, id, :state, :error, :warmup, :requests, :errors,
                    :refused, :turnedAway, :contested, :latency, :scores
                FROM revision WHERE id = :revision AND state <> 'ended'
                ON CONFLICT (revision, gateway, incarnation) DO UPDATE SET state = :state,
                    error = :error, warmup = coalesce(:warmup, gatewayReport.warmup),
                    requests = :requests, errors = :errors, refused = :refused,
                    turnedAway = :turnedAway, contested = :contested, latency = :latency,
                    scores = :scores
                """,
            arguments: [
                "gateway": gateway.rawValue, "incarnation": incarnation,
                "revision": note.revision.rawValue, "state": note.state.rawValue,
                "error": note.error, "warmup": note.warmup, "requests": note.requests,
                "errors": note.errors, "refused": note.refused, "turnedAway": note.turnedAway,
                "contested": note.contested, "latency": note.latency, "scores": note.scores,
            ])
    }

    /// Adds the counters of an incarnation that has ended to the gateway's sum, incarnation `''`.
    private static func foldIncarnation(
        _ db: Transaction, gateway: GatewayID, _ incarnation: String
    ) throws {
        let rows = try db.rows(
            sql: "SELECT * FROM gatewayReport WHERE gateway = ? AND incarnation IN (?, '')",
            arguments: [gateway.rawValue, incarnation])
        var sums: [RevisionID: TrafficCount] = [:]
        for row in rows {
            let record = try report(row)
            sums[record.revision, default: TrafficCount()].add(record.traffic)
        }
        try db.execute(
            sql: "DELETE FROM gatewayReport WHERE gateway = ? AND incarnation IN (?, '')",
            arguments: [gateway.rawValue, incarnation])
        for (revision, sum) in sums.sorted(by: { $0.key < $1.key }) {
            try upsert(
                db, gateway: gateway, incarnation: "",
                GatewayRevisionNote(
                    GatewayRevisionReport(revision: revision, state: .gone, traffic: sum)))
        }
    }

    /// Drops what was counted of a revision that is over.
    static func forget(_ db: Transaction, revision: RevisionID) throws {
        try db.execute(
            sql: "DELETE FROM gatewayReport WHERE revision = ?", arguments: [revision.rawValue])
    }

    /// What all gateways counted of a revision since it was first served.
    package static func traffic(_ db: Transaction, of revision: RevisionID) throws -> TrafficCount {
        try db.rows(
            sql: "SELECT * FROM gatewayReport WHERE revision = ?",
            arguments: [revision.rawValue]
        ).reduce(into: TrafficCount()) { sum, row in sum.add(try report(row).traffic) }
    }

    /// The gateways heard of since `cutoff`, and what their running incarnation says of `revision`.
    package static func fleet(
        _ db: Transaction, of revision: RevisionID, heardSince cutoff: Date
    ) throws -> [FleetMember] {
        try db.rows(
            sql: """
                SELECT g.id AS gatewayId, r.* FROM gateway g
                LEFT JOIN gatewayReport r ON r.gateway = g.id AND r.incarnation = g.incarnation
                    AND r.revision = ?
                WHERE g.reportedAt >= ? ORDER BY g.id
                """, arguments: [revision.rawValue, cutoff.stamp]
        ).map { row in
            let isKnown = (try row["revision"] as String?) != nil
            return try FleetMember(
                gateway: GatewayID(row["gatewayId"]), report: isKnown ? report(row) : nil)
        }
    }

    /// How far the gateways heard of since `cutoff` are with a revision, without what they counted.
    package static func standing(
        _ db: Transaction, of revision: RevisionID, heardSince cutoff: Date
    ) throws -> [GatewayStanding] {
        try db.rows(
            sql: """
                SELECT g.id, g.desiredRevision, r.state, r.error FROM gateway g
                LEFT JOIN gatewayReport r ON r.gateway = g.id AND r.incarnation = g.incarnation
                    AND r.revision = ?
                WHERE g.reportedAt >= ? ORDER BY g.id
                """, arguments: [revision.rawValue, cutoff.stamp]
        ).map { row in
            try GatewayStanding(
                gateway: GatewayID(row["id"]), desiredRevision: row["desiredRevision"],
                state: row.optionalWord("state"), error: row["error"])
        }
    }

    package static func list(_ db: Transaction) throws -> [GatewayRecord] {
        try db.rows(sql: "SELECT * FROM gateway ORDER BY id").map { row in
            try GatewayRecord(
                id: GatewayID(row["id"]), incarnation: row["incarnation"],
                desiredRevision: row["desiredRevision"],
                firstSeenAt: row.date("firstSeenAt"), reportedAt: row.date("reportedAt"))
        }
    }

    private static func report(_ row: RowReader) throws -> GatewayRevisionReport {
        try GatewayRevisionReport(
            revision: RevisionID(row["revision"]), state: row.word("state"), error: row["error"],
            warmup: row.optionalJSON("warmup"),
            traffic: TrafficCount(
                requests: row["requests"],
                errors: row["errors"],
                refused: row["refused"],
                turnedAway: row["turnedAway"],
                contested: row["contested"],
                latency: row.json("latency"),
                scores: row.optionalJSON("scores") ?? AnswerScores()))
    }
}
