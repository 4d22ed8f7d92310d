package import AloftDomain
package import Foundation

/// The rules of one endpoint, with who made them last.
package struct TrafficRulesRecord: Sendable, Equatable {
    package var deployment: String
    package var environment: String
    package var rules: TrafficRules
    package var changedAt: Date
    package var changedBy: String
}

package enum TrafficQueries {
    package static func find(
        _ db: Transaction, deployment: String, environment: String
    ) throws -> TrafficRulesRecord? {
        try db.row(
            sql: "SELECT * FROM trafficRules WHERE deployment = ? AND environment = ?",
            arguments: [deployment, environment]
        ).map(record)
    }

    /// By deployment and environment.
    package static func list(_ db: Transaction) throws -> [TrafficRulesRecord] {
        try db.rows(sql: "SELECT * FROM trafficRules ORDER BY deployment, environment")
            .map(record)
    }

    /// Makes `change` to the rules of an endpoint, whether it is deployed yet or not. Rules that are
    /// the same afterwards are left alone; else gateways are told with the commit.
    package static func change(
        _ db: Transaction, project: ProjectID, deployment: String, environment: String,
        at now: Date,
        by who: Principal, _ change: (inout TrafficRules) throws -> Void
    ) throws {
        let before = try find(db, deployment: deployment, environment: environment)?.rules
        var rules = before ?? TrafficRules()
        try change(&rules)
        guard rules != before ?? TrafficRules() else { return }
        if rules.isEmpty {
            try db.execute(
                sql: "DELETE FROM trafficRules WHERE deployment = ? AND environment = ?",
                arguments: [deployment, environment])
        } else {
            try db.execute(
                sql: """
                    INSERT INTO trafficRules
                        (deployment, environment, rules, changedAt, changedBy)
                    VALUES (:deployment, :environment, :rules, :at, :by)
                    ON CONFLICT (deployment, environment) DO UPDATE SET rules = :rules,
                        changedAt = :at, changedBy = :by
                    """,
                arguments: [
                    "deployment": deployment, "environment": environment,
                    "rules": try StoredJSON.text(rules), "at": now.stamp, "by": who.description,
                ])
        }
        try EventLog.appendCounted(
            db, at: now, project: project, entity: "traffic",
            entityID: EndpointName.text(deployment: deployment, environment: environment),
            what: rules.isEmpty ? "cleared" : "changed", who: who,
            payload: [
                "deployment": .string(deployment), "environment": .string(environment),
                "shadowPercent": .double(rules.shadow?.sharePercent ?? 0),
                "segments": .int(Int64(rules.segments?.nodes.count ?? 0)),
            ])
        if let place = try DeploymentQueries.find(
            db, name: deployment, environment: environment)
        {
            try DesiredStateQueries.refresh(db, weightsOf: place.id)
        } else {
            try DesiredStateQueries.refresh(db)
        }
    }

    private static func record(_ row: RowReader) throws -> TrafficRulesRecord {
        try TrafficRulesRecord(
            deployment: row["deployment"], environment: row["environment"],
            rules: row.json("rules"), changedAt: row.date("changedAt"), changedBy: row["changedBy"])
    }

    // MARK: - What shadows answered

    /// What all gateways counted of one shadow revision's copies.
    package static func shadowCounts(
        _ db: Transaction, endpoint: String, revision: RevisionID
    ) throws -> ShadowCount {
        try db.rows(
            sql: "SELECT counts FROM shadowReport WHERE endpoint = ? AND revision = ?",
            arguments: [endpoint, revision.rawValue]
        ).reduce(into: ShadowCount()) { sum, row in
            sum.add(try row.json("counts"))
        }
    }

    /// Counts are cumulative within a gateway's incarnation; those of earlier ones are kept as one
    /// sum, incarnation `''`.
    static func report(
        _ db: Transaction, gateway: GatewayID, incarnation: String, _ shadows: [ShadowReportRecord]
    ) throws {
        for shadow in shadows {
            try fold(db, gateway: gateway, incarnation: incarnation, shadow)
            try upsert(db, gateway: gateway, incarnation: incarnation, shadow)
        }
    }

    private static func fold(
        _ db: Transaction, gateway: GatewayID, incarnation: String, _ shadow: ShadowReportRecord
    ) throws {
        let place = Bindings(
            [shadow.endpoint, shadow.revision.rawValue, gateway.rawValue, incarnation]
                .map(\.sqlValue))
        let earlier = try db.rows(
            sql: """
                SELECT counts FROM shadowReport
                WHERE endpoint = ? AND revision = ? AND gateway = ? AND incarnation <> ?
                """, arguments: place)
        guard earlier.count > 1 else { return }
        var sum = ShadowReportRecord(
            endpoint: shadow.endpoint, revision: shadow.revision, counts: ShadowCount())
        for row in earlier { sum.counts.add(try row.json("counts")) }
        try db.execute(
            sql: """
                DELETE FROM shadowReport
                WHERE endpoint = ? AND revision = ? AND gateway = ? AND incarnation <> ?
                """, arguments: place)
        try upsert(db, gateway: gateway, incarnation: "", sum)
    }

    private static func upsert(
        _ db: Transaction, gateway: GatewayID, incarnation: String, _ shadow: ShadowReportRecord
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO shadowReport (endpoint, revision, gateway, incarnation, counts)
                VALUES (:endpoint, :revision, :gateway, :incarnation, :counts)
                ON CONFLICT (endpoint, revision, gateway, incarnation)
                    DO UPDATE SET counts = :counts
                """,
            arguments: [
                "endpoint": shadow.endpoint, "revision": shadow.revision.rawValue,
                "gateway": gateway.rawValue, "incarnation": incarnation,
                "counts": try StoredJSON.text(shadow.counts),
            ])
    }
}

/// What a gateway says of the copies that a shadow revision got from an endpoint.
package struct ShadowReportRecord: Sendable, Equatable {
    package var endpoint: String
    package var revision: RevisionID
    package var counts: ShadowCount

    package init(endpoint: String, revision: RevisionID, counts: ShadowCount) {
        self.endpoint = endpoint
        self.revision = revision
        self.counts = counts
    }
}
