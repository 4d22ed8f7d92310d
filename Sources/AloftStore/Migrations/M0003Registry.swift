extension Schema.Migration {
    /// Registered models, their versions and aliases. `lastVersion` only grows, so that the number of
    /// a deleted version is never given again.
    static let m0003Registry = Schema.Migration(name: "0003-registry") { db in
        try db.execute(
            sql: """
                CREATE TABLE registeredModel (
                    number \(Dialect.countingKey),
                    project TEXT NOT NULL REFERENCES project (id),
                    name TEXT NOT NULL UNIQUE CHECK (length(name) >= 1),
                    description TEXT NOT NULL DEFAULT '',
                    lastVersion INTEGER NOT NULL DEFAULT 0,
                    createdAt INTEGER NOT NULL,
                    updatedAt INTEGER NOT NULL
                );
                CREATE TABLE registeredModelTag (
                    model INTEGER NOT NULL REFERENCES registeredModel (number) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (model, key)
                ) \(Dialect.keptByKey);
                CREATE TABLE modelVersion (
                    model INTEGER NOT NULL REFERENCES registeredModel (number) ON DELETE CASCADE,
                    version INTEGER NOT NULL CHECK (version >= 1),
                    stage TEXT NOT NULL DEFAULT 'None'
                        CHECK (stage IN ('None', 'Staging', 'Production', 'Archived')),
                    description TEXT NOT NULL,
                    source TEXT NOT NULL,
                    runId TEXT NOT NULL,
                    runLink TEXT NOT NULL,
                    loggedModel TEXT,
                    userId TEXT NOT NULL,
                    createdAt INTEGER NOT NULL,
                    updatedAt INTEGER NOT NULL,
                    PRIMARY KEY (model, version)
                );
                CREATE INDEX modelVersionRun ON modelVersion (runId);
                CREATE INDEX modelVersionLoggedModel ON modelVersion (loggedModel)
                    WHERE loggedModel IS NOT NULL;
                CREATE TABLE modelVersionTag (
                    model INTEGER NOT NULL,
                    version INTEGER NOT NULL,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (model, version, key),
                    FOREIGN KEY (model, version) REFERENCES modelVersion (model, version)
                        ON DELETE CASCADE
                ) \(Dialect.keptByKey);
                CREATE TABLE modelAlias (
                    model INTEGER NOT NULL,
                    alias TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    PRIMARY KEY (model, alias),
                    FOREIGN KEY (model, version) REFERENCES modelVersion (model, version)
                        ON DELETE CASCADE
                ) \(Dialect.keptByKey);
                CREATE INDEX modelAliasVersion ON modelAlias (model, version);
                """)
    }
}
