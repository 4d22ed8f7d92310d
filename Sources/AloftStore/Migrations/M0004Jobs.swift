extension Schema.Migration {
    /// Jobs, their attempts, and the Python environments that they use.
    static let m0004Jobs = Schema.Migration(name: "0004-jobs") { db in
        try db.execute(
            sql: """
                CREATE TABLE job (
                    id TEXT PRIMARY KEY NOT NULL,
                    project TEXT NOT NULL REFERENCES project (id),
                    name TEXT NOT NULL,
                    spec TEXT NOT NULL,
                    jobGroup TEXT,
                    run TEXT,
                    state TEXT NOT NULL
                        CHECK (state IN ('queued', 'starting', 'running', 'stopping', 'ended')),
                    attempt INTEGER NOT NULL CHECK (attempt >= 1),
                    leaseUntil TEXT,
                    outcome TEXT CHECK (outcome IN ('succeeded', 'failed', 'stopped')),
                    failure TEXT,
                    stopReason TEXT,
                    createdAt TEXT NOT NULL,
                    createdBy TEXT NOT NULL,
                    startedAt TEXT,
                    endedAt TEXT,
                    revision INTEGER NOT NULL DEFAULT 0,
                    CHECK ((state = 'ended') = (outcome IS NOT NULL)),
                    CHECK ((state = 'ended') = (endedAt IS NOT NULL)),
                    CHECK ((state IN ('starting', 'running', 'stopping')) = (leaseUntil IS NOT NULL)),
                    CHECK (outcome IS NULL OR (outcome = 'failed') = (failure IS NOT NULL))
                );
                CREATE INDEX jobLive ON job (createdAt, id) WHERE state <> 'ended';
                CREATE INDEX jobNewest ON job (createdAt, id);
                CREATE INDEX jobProject ON job (project, createdAt, id);
                CREATE INDEX jobOfGroup ON job (jobGroup, createdAt) WHERE jobGroup IS NOT NULL;
                CREATE INDEX jobOfRun ON job (run) WHERE run IS NOT NULL;

                CREATE TABLE attempt (
                    job TEXT NOT NULL REFERENCES job (id),
                    number INTEGER NOT NULL CHECK (number >= 1),
                    gpuSlots TEXT NOT NULL,
                    environment TEXT,
                    claimedAt TEXT NOT NULL,
                    startedAt TEXT,
                    endedAt TEXT,
                    howEnded TEXT,
                    peakMemoryBytes INTEGER,
                    cpuSeconds REAL,
                    PRIMARY KEY (job, number),
                    CHECK ((endedAt IS NULL) = (howEnded IS NULL))
                );

                CREATE TABLE environment (
                    digest TEXT PRIMARY KEY NOT NULL CHECK (length(digest) = 64),
                    firstUsedAt TEXT NOT NULL,
                    lastUsedAt TEXT NOT NULL
                );
                """)
    }
}
