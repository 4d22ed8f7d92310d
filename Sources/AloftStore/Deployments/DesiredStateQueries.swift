package import AloftDomain

/// What gateways are to serve, with a revision that grows only when it changes.
package enum DesiredStateQueries {
    /// The revision alone, for a caller that has it already.
    package static func revision(_ db: Transaction) throws -> Int {
        try db.value(of: Int.self, sql: "SELECT revision FROM desiredState WHERE id = 1") ?? 0
    }

    package static func read(_ db: Transaction) throws -> (revision: Int, plan: ServingPlan) {
        guard let row = try db.row(sql: "SELECT * FROM desiredState WHERE id = 1") else {
            return (0, ServingPlan(endpoints: []))
        }
        return (try row["revision"], try row.json("plan"))
    }

    /// Computes the plan from the tables; a new revision if it differs from the last.
    package static func refresh(_ db: Transaction) throws {
        let text = try StoredJSON.text(try compute(db))
        try db.execute(
            sql: """
                UPDATE desiredState SET revision = revision + 1, plan = :plan
                WHERE id = 1 AND plan <> :plan
                """, arguments: ["plan": text])
    }

    /// The same after something that moves a deployment's traffic: from the plan's revision on gateways
    /// are to answer with its weights.
    package static func refresh(_ db: Transaction, weightsOf deployment: DeploymentID) throws {
        try refresh(db)
        try db.execute(
            sql: """
                UPDATE deployment SET servedSince = (SELECT revision FROM desiredState WHERE id = 1)
                WHERE id = ?
                """, arguments: [deployment.rawValue])
    }

    /// Weights follow from the states: a rolling revision has what its rollout's step says, the
    /// live one has the rest, all others are kept warm.
    static func compute(_ db: Transaction) throws -> ServingPlan {
        let rows = try db.rows(
            sql: """
                SELECT d.project, d.name, d.environment, d.logSampling, r.*, o.step AS rolloutStep
                FROM revision r JOIN deployment d ON d.id = r.deployment
                LEFT JOIN rollout o ON o.revision = r.id AND o.state IN ('running', 'paused')
                WHERE r.state IN ('warming', 'rolling', 'live', 'standby')
                ORDER BY d.name, d.environment, r.number
                """)
        var endpoints: [ServingPlan.Endpoint] = []
        for row in rows {
            let (deployment, environment): (String, String) = (
                try row["name"], try row["environment"]
            )
            if endpoints.last?.deployment != deployment
                || endpoints.last?.environment != environment
            {
                endpoints.append(
                    try .init(
                        project: ProjectID(row["project"]), deployment: deployment,
                        environment: environment, revisions: [],
                        logSampling: row["logSampling"]))
            }
            guard let revision = try served(row) else { continue }
            endpoints[endpoints.count - 1].revisions.append(revision)
        }
        let rules = Dictionary(
            uniqueKeysWithValues: try TrafficQueries.list(db).map {
                (
                    EndpointName.text(deployment: $0.deployment, environment: $0.environment),
                    $0.rules
                )
            })
        return ServingPlan(
            endpoints: endpoints.map { endpoint in
                var endpoint = balanced(endpoint)
                endpoint.rules = rules[endpoint.name]
                if endpoint.rules?.execution == nil,
                    let execution = rules[endpoint.deployment]?.execution
                {
                    endpoint.rules = endpoint.rules ?? TrafficRules()
                    endpoint.rules?.execution = execution
                }
                return endpoint
            })
    }

    private static func served(_ row: RowReader) throws -> ServingPlan.Revision? {
        let record = try RevisionQueries.record(row)
        guard let servable = record.servable else { return nil }
        let step: Int? = record.state == .rolling ? try row["rolloutStep"] : nil
        // A live revision gets 100 here and gives up what is rolling in `balanced`.
        let weight =
            record.state == .live ? 100 : step.map { record.policy.stepsPercent[$0] } ?? 0
        return ServingPlan.Revision(
            id: record.id, number: record.number, weightPercent: weight, rolloutStep: step,
            version: record.version, servable: servable)
    }

    private static func balanced(_ endpoint: ServingPlan.Endpoint) -> ServingPlan.Endpoint {
        var endpoint = endpoint
        let rolling = endpoint.revisions.filter { $0.rolloutStep != nil }.map(\.weightPercent)
            .reduce(0, +)
        for index in endpoint.revisions.indices where endpoint.revisions[index].rolloutStep == nil {
            if endpoint.revisions[index].weightPercent == 100 {
                endpoint.revisions[index].weightPercent = 100 - rolling
            }
        }
        return endpoint
    }
}
