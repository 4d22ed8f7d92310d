extension Schema.Migration {
    /// Which project a deployment's or a model's name belongs to, and what a revision refused although
    /// the other one of its rollout takes it.
    ///
    /// What is deployed already belongs to who deployed it first; names that only files say are taken up
    /// when one of them is applied.
    static let m0018Contracts = Schema.Migration(name: "0018-contracts") { db in
        try db.execute(
            sql: """
                CREATE TABLE nameOwner (
                    kind TEXT NOT NULL CHECK (kind IN ('deployment', 'model')),
                    name TEXT NOT NULL,
                    project TEXT NOT NULL REFERENCES project (id),
                    since TEXT NOT NULL,
                    takenBy TEXT NOT NULL,
                    PRIMARY KEY (kind, name)
                ) \(Dialect.keptByKey);
                CREATE INDEX nameOwnerProject ON nameOwner (project);

                INSERT INTO nameOwner (kind, name, project, since, takenBy)
                SELECT 'deployment', d.name, d.project, d.createdAt, d.createdBy FROM deployment d
                WHERE NOT EXISTS (
                    SELECT 1 FROM deployment e WHERE e.name = d.name
                        AND (e.createdAt < d.createdAt
                            OR (e.createdAt = d.createdAt AND e.id < d.id)));

                ALTER TABLE gatewayReport ADD COLUMN contested INTEGER NOT NULL DEFAULT 0
                    CHECK (contested >= 0);
                """)
    }
}
