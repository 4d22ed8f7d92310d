extension Schema.Migration {
    /// Since when gateways are to answer with a deployment's weights, when they all did in a step of a
    /// rollout, and what they refused.
    static let m0020Answers = Schema.Migration(name: "0020-answers") { db in
        try db.execute(
            sql: """
                ALTER TABLE deployment ADD COLUMN servedSince INTEGER NOT NULL DEFAULT 0;

                ALTER TABLE gatewayReport ADD COLUMN refused INTEGER NOT NULL DEFAULT 0
                    CHECK (refused >= 0);
                ALTER TABLE gatewayReport ADD COLUMN turnedAway INTEGER NOT NULL DEFAULT 0
                    CHECK (turnedAway >= 0);

                ALTER TABLE rolloutStep ADD COLUMN followedAt TEXT;
                UPDATE rolloutStep SET followedAt = startedAt;
                """)
    }
}
