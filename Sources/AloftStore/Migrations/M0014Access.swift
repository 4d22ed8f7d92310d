extension Schema.Migration {
    /// What jobs made, sessions of browsers, and a count of ended tokens that gateways follow.
    ///
    /// A model whose versions all came from runs of one other project belongs to that project: until
    /// now what a script registered was put into `default` whatever the project of its job.
    static let m0014Access = Schema.Migration(name: "0014-access") { db in
        try db.execute(
            sql: """
                CREATE TABLE jobMade (
                    kind TEXT NOT NULL CHECK (kind IN
                        ('run', 'experiment', 'loggedModel', 'trace', 'model', 'version')),
                    id TEXT NOT NULL,
                    job TEXT NOT NULL,
                    PRIMARY KEY (kind, id)
                ) \(Dialect.keptByKey);

                CREATE TABLE session (
                    hash TEXT PRIMARY KEY NOT NULL,
                    token TEXT NOT NULL REFERENCES token (id),
                    createdAt TEXT NOT NULL,
                    expiresAt TEXT NOT NULL
                ) \(Dialect.keptByKey);
                CREATE INDEX sessionToken ON session (token);

                CREATE TABLE tokenEnds (
                    id INTEGER PRIMARY KEY CHECK (id = 1),
                    count INTEGER NOT NULL
                );
                INSERT INTO tokenEnds VALUES (1, 0);

                UPDATE registeredModel SET project = (
                    SELECT e.project FROM modelVersion v JOIN run r ON r.id = v.runId
                        JOIN experiment e ON e.number = r.experiment
                    WHERE v.model = registeredModel.number LIMIT 1)
                WHERE project = 'default'
                    AND EXISTS (SELECT 1 FROM modelVersion v WHERE v.model = registeredModel.number)
                    AND NOT EXISTS (
                        SELECT 1 FROM modelVersion v LEFT JOIN run r ON r.id = v.runId
                            LEFT JOIN experiment e ON e.number = r.experiment
                        WHERE v.model = registeredModel.number AND e.project IS NULL)
                    AND 1 = (
                        SELECT count(DISTINCT e.project) FROM modelVersion v
                            JOIN run r ON r.id = v.runId JOIN experiment e ON e.number = r.experiment
                        WHERE v.model = registeredModel.number);
                """)
    }
}
