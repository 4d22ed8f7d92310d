extension Schema.Migration {
    /// Links of traces to runs that came before the traces, which clients send in the background.
    static let m0024TraceLinks = Schema.Migration(name: "0024-trace-links") { db in
        try db.execute(
            sql: """
                -- at: in milliseconds, when the link was made.
                CREATE TABLE traceLink (
                    traceId TEXT NOT NULL,
                    runId TEXT NOT NULL,
                    at INTEGER NOT NULL,
                    PRIMARY KEY (traceId, runId)
                ) \(Dialect.keptByKey);
                CREATE INDEX traceLinkAt ON traceLink (at);
                """)
    }
}
