extension Schema.Migration {
    /// Projects, tokens and the event feed.
    static let m0001Core = Schema.Migration(name: "0001-core") { db in
        try db.execute(
            sql: """
                CREATE TABLE project (
                    id TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 100),
                    createdAt TEXT NOT NULL
                );
                INSERT INTO project VALUES ('default', '1970-01-01T00:00:00.000Z');

                CREATE TABLE token (
                    id TEXT PRIMARY KEY NOT NULL,
                    name TEXT NOT NULL,
                    kind TEXT NOT NULL CHECK (kind IN ('user', 'job', 'gateway')),
                    hash TEXT NOT NULL UNIQUE,
                    project TEXT NOT NULL REFERENCES project (id),
                    createdAt TEXT NOT NULL,
                    revokedAt TEXT
                );
                CREATE UNIQUE INDEX tokenName ON token (kind, name) WHERE revokedAt IS NULL;

                CREATE TABLE event (
                    sequence \(Dialect.countingKey),
                    at TEXT NOT NULL,
                    project TEXT NOT NULL,
                    entity TEXT NOT NULL,
                    entityId TEXT NOT NULL,
                    what TEXT NOT NULL,
                    who TEXT NOT NULL,
                    why TEXT,
                    payload TEXT NOT NULL
                );
                CREATE INDEX eventEntity ON event (entity, entityId, sequence);
                """)
    }
}
