extension Schema.Migration {
    /// What was imported from where, and what is being freed.
    ///
    /// `imported` outlives what it names: what was deleted here on purpose does not come back with
    /// the next import. `garbage` names files that nothing in the database reaches any more: the
    /// transaction that cuts them off writes them down, and they are forgotten when they are gone.
    static let m0009Space = Schema.Migration(name: "0009-space") { db in
        try db.execute(
            sql: """
                CREATE TABLE importedExperiment (
                    source TEXT NOT NULL,
                    sourceId TEXT NOT NULL,
                    experiment INTEGER NOT NULL REFERENCES experiment (number) ON DELETE CASCADE,
                    startedAt TEXT NOT NULL,
                    PRIMARY KEY (source, sourceId)
                ) \(Dialect.keptByKey);
                CREATE INDEX importedExperimentNumber ON importedExperiment (experiment);

                CREATE TABLE imported (
                    kind TEXT NOT NULL CHECK (kind IN ('run', 'loggedModel')),
                    id TEXT NOT NULL,
                    source TEXT NOT NULL,
                    fingerprint TEXT NOT NULL,
                    importedAt TEXT NOT NULL,
                    PRIMARY KEY (kind, id)
                ) \(Dialect.keptByKey);

                CREATE TABLE garbage (
                    kind TEXT NOT NULL CHECK (kind IN ('folder', 'blob')),
                    place TEXT NOT NULL,
                    markedAt TEXT NOT NULL,
                    PRIMARY KEY (kind, place)
                ) \(Dialect.keptByKey);
                CREATE INDEX importedAt ON imported (importedAt);
                """)
    }
}
