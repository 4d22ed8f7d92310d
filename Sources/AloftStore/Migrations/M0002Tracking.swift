extension Schema.Migration {
    /// Experiments, runs, metrics, logged models.
    ///
    /// `latestMetric` has one row for each (run, key): lists and searches read only that, through an
    /// index by (experiment, key, value). A value of NULL is NaN. The history is appended to
    /// `metricTail` and sealed into `metricBlock`s, so that a chart reads few rows.
    static let m0002Tracking = Schema.Migration(name: "0002-tracking") { db in
        try db.execute(sql: runs)
        try db.execute(sql: metrics)
        try db.execute(sql: inputs)
        try db.execute(sql: loggedModels)
    }

    private static let runs = """
        CREATE TABLE experiment (
            number \(Dialect.countingKey),
            project TEXT NOT NULL REFERENCES project (id),
            name TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 500),
            artifactLocation TEXT NOT NULL,
            lifecycleStage TEXT NOT NULL DEFAULT 'active'
                CHECK (lifecycleStage IN ('active', 'deleted')),
            createdAt INTEGER NOT NULL,
            updatedAt INTEGER NOT NULL
        );
        INSERT INTO experiment (number, project, name, artifactLocation, createdAt, updatedAt)
            VALUES (0, 'default', 'Default', 'mlflow-artifacts:/0', 0, 0);
        CREATE TABLE experimentTag (
            experiment INTEGER NOT NULL REFERENCES experiment (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (experiment, key)
        ) \(Dialect.keptByKey);

        CREATE TABLE run (
            number \(Dialect.countingKey),
            id TEXT NOT NULL UNIQUE,
            experiment INTEGER NOT NULL REFERENCES experiment (number),
            name TEXT NOT NULL,
            userId TEXT NOT NULL,
            status TEXT NOT NULL
                CHECK (status IN ('RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED')),
            startTime INTEGER NOT NULL,
            endTime INTEGER,
            artifactUri TEXT NOT NULL,
            lifecycleStage TEXT NOT NULL DEFAULT 'active'
                CHECK (lifecycleStage IN ('active', 'deleted')),
            deletedAt INTEGER
        );
        CREATE INDEX runByStart ON run (experiment, lifecycleStage, startTime DESC, id);
        CREATE INDEX runByName ON run (experiment, name);
        CREATE INDEX runDeleted ON run (deletedAt) WHERE lifecycleStage = 'deleted';

        CREATE TABLE runParam (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            experiment INTEGER NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) \(Dialect.keptByKey);
        CREATE INDEX runParamValue ON runParam (experiment, key, value);

        CREATE TABLE runTag (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            experiment INTEGER NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, key)
        ) \(Dialect.keptByKey);
        CREATE INDEX runTagValue ON runTag (experiment, key, value);
        """

    private static let metrics = """
        CREATE TABLE metricContext (
            number INTEGER PRIMARY KEY,
            model TEXT NOT NULL,
            datasetName TEXT NOT NULL,
            datasetDigest TEXT NOT NULL,
            UNIQUE (model, datasetName, datasetDigest)
        );
        INSERT INTO metricContext VALUES (0, '', '', '');

        CREATE TABLE latestMetric (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            experiment INTEGER NOT NULL,
            value REAL,
            step INTEGER NOT NULL,
            timestamp INTEGER NOT NULL,
            context INTEGER NOT NULL,
            pointCount INTEGER NOT NULL,
            tailCount INTEGER NOT NULL,
            PRIMARY KEY (run, key)
        ) \(Dialect.keptByKey);
        CREATE INDEX latestMetricValue ON latestMetric (experiment, key, value);

        CREATE TABLE metricTail (
            run INTEGER NOT NULL,
            key TEXT NOT NULL,
            first INTEGER NOT NULL,
            points BLOB NOT NULL,
            PRIMARY KEY (run, key, first)
        ) \(Dialect.keptByKey);

        CREATE TABLE metricBlock (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            first INTEGER NOT NULL,
            pointCount INTEGER NOT NULL,
            minStep INTEGER NOT NULL,
            maxStep INTEGER NOT NULL,
            minTimestamp INTEGER NOT NULL,
            maxTimestamp INTEGER NOT NULL,
            minValue REAL,
            maxValue REAL,
            points BLOB NOT NULL,
            PRIMARY KEY (run, key, first)
        );
        """

    private static let inputs = """
        CREATE TABLE dataset (
            number INTEGER PRIMARY KEY,
            experiment INTEGER NOT NULL REFERENCES experiment (number) ON DELETE CASCADE,
            name TEXT NOT NULL,
            digest TEXT NOT NULL,
            sourceType TEXT NOT NULL,
            source TEXT NOT NULL,
            schema TEXT,
            profile TEXT,
            UNIQUE (experiment, name, digest)
        );
        CREATE TABLE runDataset (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            dataset INTEGER NOT NULL REFERENCES dataset (number),
            PRIMARY KEY (run, dataset)
        ) \(Dialect.keptByKey);
        CREATE INDEX runDatasetByDataset ON runDataset (dataset);
        CREATE TABLE runDatasetTag (
            run INTEGER NOT NULL,
            dataset INTEGER NOT NULL,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (run, dataset, key),
            FOREIGN KEY (run, dataset) REFERENCES runDataset (run, dataset) ON DELETE CASCADE
        ) \(Dialect.keptByKey);
        CREATE TABLE runModelInput (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            model TEXT NOT NULL,
            PRIMARY KEY (run, model)
        ) \(Dialect.keptByKey);
        CREATE TABLE runModelOutput (
            run INTEGER NOT NULL REFERENCES run (number) ON DELETE CASCADE,
            model TEXT NOT NULL,
            step INTEGER NOT NULL,
            PRIMARY KEY (run, model)
        ) \(Dialect.keptByKey);
        """

    private static let loggedModels = """
        CREATE TABLE loggedModel (
            number \(Dialect.countingKey),
            id TEXT NOT NULL UNIQUE,
            experiment INTEGER NOT NULL REFERENCES experiment (number),
            name TEXT NOT NULL,
            modelType TEXT NOT NULL,
            sourceRun TEXT,
            artifactUri TEXT NOT NULL,
            status TEXT NOT NULL CHECK (status IN
                ('LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED')),
            statusMessage TEXT,
            lifecycleStage TEXT NOT NULL DEFAULT 'active'
                CHECK (lifecycleStage IN ('active', 'deleted')),
            createdAt INTEGER NOT NULL,
            updatedAt INTEGER NOT NULL
        );
        CREATE INDEX loggedModelByCreation ON loggedModel (experiment, lifecycleStage, createdAt DESC);
        CREATE INDEX loggedModelByRun ON loggedModel (sourceRun);
        CREATE TABLE loggedModelParam (
            model INTEGER NOT NULL REFERENCES loggedModel (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        ) \(Dialect.keptByKey);
        CREATE TABLE loggedModelTag (
            model INTEGER NOT NULL REFERENCES loggedModel (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (model, key)
        ) \(Dialect.keptByKey);
        CREATE TABLE loggedModelMetric (
            model INTEGER NOT NULL REFERENCES loggedModel (number) ON DELETE CASCADE,
            key TEXT NOT NULL,
            run TEXT NOT NULL,
            context INTEGER NOT NULL REFERENCES metricContext (number),
            step INTEGER NOT NULL,
            timestamp INTEGER NOT NULL,
            value REAL,
            PRIMARY KEY (model, key, run, context, step, timestamp)
        ) \(Dialect.keptByKey);
        """
}
