extension Schema.Migration {
    /// Where predictions are: files of records on disk, what each block of a file holds, and how far
    /// each gateway's log has been taken in.
    static let m0010Predictions = Schema.Migration(name: "0010-predictions") { db in
        try db.execute(
            sql: """
                ALTER TABLE deployment ADD COLUMN logSampling REAL NOT NULL DEFAULT 1
                    CHECK (logSampling BETWEEN 0 AND 1);

                CREATE TABLE predictionFile (
                    id INTEGER PRIMARY KEY NOT NULL,
                    endpoint TEXT NOT NULL,
                    day TEXT NOT NULL CHECK (length(day) = 10),
                    bytes INTEGER NOT NULL CHECK (bytes >= 0),
                    records INTEGER NOT NULL CHECK (records >= 0)
                );
                CREATE INDEX predictionFileOfDay ON predictionFile (day, endpoint, id);

                CREATE TABLE predictionBlock (
                    id INTEGER PRIMARY KEY NOT NULL,
                    file INTEGER NOT NULL REFERENCES predictionFile (id) ON DELETE CASCADE,
                    place INTEGER NOT NULL CHECK (place >= 0),
                    bytes INTEGER NOT NULL CHECK (bytes > 0),
                    endpoint TEXT NOT NULL,
                    revision TEXT NOT NULL,
                    incarnation TEXT NOT NULL,
                    loop INTEGER NOT NULL,
                    firstSequence INTEGER NOT NULL,
                    lastSequence INTEGER NOT NULL,
                    firstAt TEXT NOT NULL,
                    lastAt TEXT NOT NULL,
                    records INTEGER NOT NULL CHECK (records > 0),
                    errors INTEGER NOT NULL CHECK (errors BETWEEN 0 AND records),
                    slowestMicroseconds INTEGER NOT NULL,
                    CHECK (firstSequence <= lastSequence),
                    CHECK (firstAt <= lastAt)
                );
                CREATE INDEX predictionBlockOfFile ON predictionBlock (file);
                CREATE INDEX predictionBlockByID
                    ON predictionBlock (incarnation, loop, firstSequence, lastSequence);
                CREATE INDEX predictionBlockByTime ON predictionBlock (lastAt, id);
                CREATE INDEX predictionBlockOfEndpoint ON predictionBlock (endpoint, lastAt, id);
                CREATE INDEX predictionBlockOfRevision ON predictionBlock (revision, lastAt, id);
                CREATE INDEX predictionBlockWithErrors ON predictionBlock (endpoint, lastAt, id)
                    WHERE errors > 0;

                CREATE TABLE predictionStream (
                    log TEXT NOT NULL,
                    segment INTEGER NOT NULL CHECK (segment >= 0),
                    gateway TEXT NOT NULL,
                    taken INTEGER NOT NULL CHECK (taken >= 0),
                    records INTEGER NOT NULL CHECK (records >= 0),
                    at TEXT NOT NULL,
                    PRIMARY KEY (log, segment)
                );

                CREATE TABLE predictionExpiry (
                    id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
                    records INTEGER NOT NULL,
                    bytes INTEGER NOT NULL,
                    at TEXT
                );
                INSERT INTO predictionExpiry VALUES (1, 0, 0, NULL);
                """)
    }
}
