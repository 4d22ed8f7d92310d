extension Schema.Migration {
    /// Servable forms of model versions, deployments with their revisions and rollouts, and what
    /// gateways report.
    static let m0006Deployments = Schema.Migration(name: "0006-deployments") { db in
        try db.execute(sql: servables + deployments + gateways)
    }

    private static let servables = """
        CREATE TABLE servable (
            model TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            versionStamp TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('pending', 'converting', 'ready', 'failed')),
            job TEXT,
            digest TEXT CHECK (length(digest) = 64),
            servable TEXT,
            failure TEXT,
            createdAt TEXT NOT NULL,
            updatedAt TEXT NOT NULL,
            PRIMARY KEY (model, version),
            CHECK (state <> 'converting' OR job IS NOT NULL),
            CHECK ((state = 'ready') = (servable IS NOT NULL)),
            CHECK ((servable IS NULL) = (digest IS NULL)),
            CHECK ((state = 'failed') = (failure IS NOT NULL))
        );
        CREATE INDEX servableOpen ON servable (createdAt) WHERE state IN ('pending', 'converting');

        """

    private static let deployments = """
        CREATE TABLE deployment (
            id TEXT PRIMARY KEY NOT NULL,
            project TEXT NOT NULL REFERENCES project (id),
            name TEXT NOT NULL,
            environment TEXT NOT NULL,
            lastNumber INTEGER NOT NULL DEFAULT 0,
            createdAt TEXT NOT NULL,
            createdBy TEXT NOT NULL,
            UNIQUE (name, environment)
        );

        CREATE TABLE revision (
            id TEXT PRIMARY KEY NOT NULL,
            deployment TEXT NOT NULL REFERENCES deployment (id),
            number INTEGER NOT NULL CHECK (number >= 1),
            model TEXT NOT NULL,
            version INTEGER NOT NULL CHECK (version >= 1),
            servable TEXT,
            policy TEXT NOT NULL,
            checks TEXT NOT NULL,
            state TEXT NOT NULL CHECK
                (state IN ('waiting', 'warming', 'rolling', 'live', 'standby', 'ended')),
            ending TEXT CHECK (ending IN
                ('rejected', 'failed', 'aborted', 'superseded', 'rolledBack', 'retired')),
            reason TEXT,
            createdAt TEXT NOT NULL,
            createdBy TEXT NOT NULL,
            releasedAt TEXT,
            liveAt TEXT,
            endedAt TEXT,
            changes INTEGER NOT NULL DEFAULT 0,
            UNIQUE (deployment, number),
            CHECK (state IN ('waiting', 'ended') OR servable IS NOT NULL),
            CHECK ((state = 'ended') = (ending IS NOT NULL)),
            CHECK ((state = 'ended') = (endedAt IS NOT NULL)),
            CHECK (state NOT IN ('live', 'standby') OR liveAt IS NOT NULL)
        );
        CREATE UNIQUE INDEX revisionUnderWay ON revision (deployment)
            WHERE state IN ('waiting', 'warming', 'rolling');
        CREATE UNIQUE INDEX revisionLive ON revision (deployment) WHERE state = 'live';
        CREATE UNIQUE INDEX revisionStandby ON revision (deployment) WHERE state = 'standby';
        CREATE INDEX revisionOfVersion ON revision (model, version);

        CREATE TABLE checkResult (
            revision TEXT NOT NULL REFERENCES revision (id),
            position INTEGER NOT NULL CHECK (position >= 0),
            source TEXT NOT NULL,
            held BOOLEAN NOT NULL,
            leftValue REAL,
            rightValue REAL,
            explanation TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (revision, position)
        );

        CREATE TABLE rollout (
            id TEXT PRIMARY KEY NOT NULL,
            revision TEXT NOT NULL UNIQUE REFERENCES revision (id),
            baseline TEXT NOT NULL REFERENCES revision (id),
            stepCount INTEGER NOT NULL CHECK (stepCount >= 1),
            state TEXT NOT NULL CHECK (state IN ('running', 'paused', 'promoted', 'aborted')),
            step INTEGER NOT NULL CHECK (step >= 0),
            stepSince TEXT,
            pausedAt TEXT,
            reason TEXT,
            createdAt TEXT NOT NULL,
            endedAt TEXT,
            changes INTEGER NOT NULL DEFAULT 0,
            CHECK (step < stepCount),
            CHECK ((state IN ('running', 'paused')) = (stepSince IS NOT NULL)),
            CHECK ((state = 'paused') = (pausedAt IS NOT NULL)),
            CHECK ((state IN ('promoted', 'aborted')) = (endedAt IS NOT NULL))
        );

        CREATE TABLE rolloutStep (
            rollout TEXT NOT NULL REFERENCES rollout (id),
            step INTEGER NOT NULL CHECK (step >= 0),
            weightPercent REAL NOT NULL CHECK (weightPercent > 0 AND weightPercent < 100),
            slowSeconds REAL,
            startedAt TEXT NOT NULL,
            startReading TEXT NOT NULL,
            endedAt TEXT,
            traffic TEXT,
            verdict TEXT CHECK (verdict IN ('advanced', 'promoted', 'aborted')),
            reason TEXT,
            PRIMARY KEY (rollout, step),
            CHECK ((endedAt IS NULL) = (traffic IS NULL)),
            CHECK ((endedAt IS NULL) = (verdict IS NULL))
        );

        """

    private static let gateways = """
        CREATE TABLE gateway (
            id TEXT PRIMARY KEY NOT NULL,
            incarnation TEXT NOT NULL,
            earlierIncarnation TEXT,
            desiredRevision INTEGER NOT NULL,
            firstSeenAt TEXT NOT NULL,
            reportedAt TEXT NOT NULL
        );

        CREATE TABLE gatewayReport (
            gateway TEXT NOT NULL REFERENCES gateway (id),
            incarnation TEXT NOT NULL,
            revision TEXT NOT NULL REFERENCES revision (id),
            state TEXT NOT NULL CHECK (state IN ('loading', 'ready', 'failed', 'draining', 'gone')),
            error TEXT,
            warmup TEXT,
            requests INTEGER NOT NULL CHECK (requests >= 0),
            errors INTEGER NOT NULL CHECK (errors >= 0),
            latency TEXT NOT NULL,
            PRIMARY KEY (revision, gateway, incarnation)
        );

        CREATE TABLE desiredState (
            id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
            revision INTEGER NOT NULL,
            plan TEXT NOT NULL
        );
        INSERT INTO desiredState VALUES (1, 1, '{"endpoints":[]}');
        """
}
