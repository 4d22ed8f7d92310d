extension Schema.Migration {
    /// Shadows and segments of endpoints, what shadows answered, and the scores that gateways count.
    static let m0011Traffic = Schema.Migration(name: "0011-traffic") { db in
        try db.execute(
            sql: """
                CREATE TABLE trafficRules (
                    deployment TEXT NOT NULL,
                    environment TEXT NOT NULL,
                    rules TEXT NOT NULL,
                    changedAt TEXT NOT NULL,
                    changedBy TEXT NOT NULL,
                    PRIMARY KEY (deployment, environment)
                );

                CREATE TABLE shadowReport (
                    endpoint TEXT NOT NULL,
                    revision TEXT NOT NULL,
                    gateway TEXT NOT NULL REFERENCES gateway (id),
                    incarnation TEXT NOT NULL,
                    counts TEXT NOT NULL,
                    PRIMARY KEY (endpoint, revision, gateway, incarnation)
                );

                ALTER TABLE gatewayReport ADD COLUMN scores TEXT;
                """)
    }
}
