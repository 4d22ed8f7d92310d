extension Schema.Migration {
    /// Project files, each revision of them, and the sweeps of their jobs.
    static let m0005Sweeps = Schema.Migration(name: "0005-sweeps") { db in
        try db.execute(
            sql: """
                CREATE TABLE projectFile (
                    project TEXT NOT NULL REFERENCES project (id),
                    revision INTEGER NOT NULL CHECK (revision >= 1),
                    text TEXT NOT NULL,
                    snapshot TEXT CHECK (length(snapshot) = 64),
                    appliedAt TEXT NOT NULL,
                    appliedBy TEXT NOT NULL,
                    PRIMARY KEY (project, revision)
                );

                CREATE TABLE sweep (
                    id TEXT PRIMARY KEY NOT NULL,
                    project TEXT NOT NULL REFERENCES project (id),
                    job TEXT NOT NULL,
                    definition TEXT NOT NULL,
                    fileRevision INTEGER NOT NULL,
                    snapshot TEXT CHECK (length(snapshot) = 64),
                    state TEXT NOT NULL CHECK (state IN ('running', 'closing', 'ended')),
                    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'stopped')),
                    reason TEXT,
                    best INTEGER,
                    searcher TEXT NOT NULL,
                    stopping TEXT,
                    isExhausted INTEGER NOT NULL DEFAULT 0 CHECK (isExhausted IN (0, 1)),
                    registeredModel TEXT,
                    registeredVersion INTEGER,
                    createdAt TEXT NOT NULL,
                    createdBy TEXT NOT NULL,
                    endedAt TEXT,
                    revision INTEGER NOT NULL DEFAULT 0,
                    CHECK ((state = 'running') = (outcome IS NULL)),
                    CHECK ((state = 'ended') = (endedAt IS NOT NULL)),
                    CHECK (outcome IS NULL OR (outcome = 'failed') = (reason IS NOT NULL)),
                    CHECK ((registeredModel IS NULL) = (registeredVersion IS NULL))
                );
                CREATE INDEX sweepLive ON sweep (createdAt, id) WHERE state <> 'ended';
                CREATE INDEX sweepNewest ON sweep (createdAt, id);
                CREATE INDEX sweepProject ON sweep (project, createdAt, id);

                CREATE TABLE trial (
                    sweep TEXT NOT NULL REFERENCES sweep (id),
                    number INTEGER NOT NULL CHECK (number >= 1),
                    point TEXT NOT NULL,
                    run TEXT NOT NULL UNIQUE,
                    job TEXT NOT NULL UNIQUE,
                    state TEXT NOT NULL
                        CHECK (state IN ('running', 'stopping', 'cancelling', 'ended')),
                    outcome TEXT
                        CHECK (outcome IN ('succeeded', 'stoppedEarly', 'failed', 'cancelled')),
                    rung INTEGER,
                    objective REAL,
                    step INTEGER,
                    reason TEXT,
                    createdAt TEXT NOT NULL,
                    endedAt TEXT,
                    PRIMARY KEY (sweep, number),
                    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
                    CHECK ((state = 'ended') = (endedAt IS NOT NULL)),
                    CHECK (outcome IS NULL
                        OR (outcome IN ('succeeded', 'stoppedEarly')) = (objective IS NOT NULL)),
                    CHECK (outcome IS NULL OR (outcome = 'failed') = (reason IS NOT NULL)),
                    CHECK (state <> 'stopping' OR rung IS NOT NULL)
                );
                CREATE INDEX trialLive ON trial (sweep, number) WHERE state <> 'ended';
                """)
    }
}
