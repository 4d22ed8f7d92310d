extension Schema.Migration {
    /// Traces with their spans, tags, metadata, assessments, and the runs that they are linked to.
    static let m0008Traces = Schema.Migration(name: "0008-traces") { db in
        try db.execute(
            sql: """
                -- Times in milliseconds. isFinal: the client has told the whole of it; until then
                -- times and state follow from the spans.
                CREATE TABLE trace (
                    number \(Dialect.countingKey),
                    id TEXT NOT NULL UNIQUE,
                    experiment INTEGER NOT NULL REFERENCES experiment (number) ON DELETE CASCADE,
                    requestTime INTEGER NOT NULL,
                    duration INTEGER,
                    state TEXT NOT NULL
                        CHECK (state IN ('STATE_UNSPECIFIED', 'OK', 'ERROR', 'IN_PROGRESS')),
                    clientRequestId TEXT,
                    requestPreview TEXT,
                    responsePreview TEXT,
                    isFinal INTEGER NOT NULL CHECK (isFinal IN (0, 1))
                );
                CREATE INDEX traceExperiment ON trace (experiment, requestTime, id);
                CREATE TABLE traceTag (
                    trace INTEGER NOT NULL REFERENCES trace (number) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (trace, key)
                ) \(Dialect.keptByKey);
                CREATE TABLE traceMetadata (
                    trace INTEGER NOT NULL REFERENCES trace (number) ON DELETE CASCADE,
                    key TEXT NOT NULL,
                    value TEXT NOT NULL,
                    PRIMARY KEY (trace, key)
                ) \(Dialect.keptByKey);
                CREATE INDEX traceMetadataValue ON traceMetadata (key, value);

                -- content: the span as OpenTelemetry's JSON. Times in nanoseconds.
                CREATE TABLE traceSpan (
                    trace INTEGER NOT NULL REFERENCES trace (number) ON DELETE CASCADE,
                    id TEXT NOT NULL,
                    parent TEXT,
                    name TEXT NOT NULL,
                    type TEXT NOT NULL,
                    status TEXT NOT NULL,
                    startedAt INTEGER NOT NULL,
                    endedAt INTEGER,
                    content TEXT NOT NULL,
                    PRIMARY KEY (trace, id)
                ) \(Dialect.keptByKey);

                -- body: the assessment as its client gave it. value: its value as JSON.
                CREATE TABLE traceAssessment (
                    number \(Dialect.countingKey),
                    trace INTEGER NOT NULL REFERENCES trace (number) ON DELETE CASCADE,
                    id TEXT NOT NULL,
                    name TEXT NOT NULL,
                    kind TEXT NOT NULL CHECK (kind IN ('feedback', 'expectation', 'issue')),
                    value TEXT,
                    isValid INTEGER NOT NULL CHECK (isValid IN (0, 1)),
                    overrides TEXT,
                    createdAt INTEGER NOT NULL,
                    updatedAt INTEGER NOT NULL,
                    body TEXT NOT NULL,
                    UNIQUE (trace, id)
                );
                CREATE INDEX traceAssessmentName ON traceAssessment (trace, kind, name);

                CREATE TABLE traceRun (
                    runId TEXT NOT NULL,
                    trace INTEGER NOT NULL REFERENCES trace (number) ON DELETE CASCADE,
                    PRIMARY KEY (runId, trace)
                ) \(Dialect.keptByKey);
                CREATE INDEX traceRunTrace ON traceRun (trace);
                """)
    }
}
