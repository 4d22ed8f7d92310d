/** Made by web/make-types from the server's OpenAPI document. Do not edit. */

export interface Schemas {
    AnswerKind: {
        form: "labels" | "texts" | "number" | "row" | "untold";
        output?: string;
        width: number;
    };
    AnswerScores: {
        kinds: Schemas["AnswerScoresItem"][];
    };
    AnswerScoresItem: {
        counts: number[][];
        kind: Schemas["AnswerKind"];
    };
    ApplyProjectFileBody: {
        code?: Schemas["CodeOrigin"];
        file?: string;
        snapshot?: string;
        takeOver?: boolean;
        text: string;
    };
    ApplyProjectFileReply: {
        changes: string[];
        isNew: boolean;
        project: string;
        revision: number;
        warnings: string[];
    };
    AttemptView: {
        claimedAt: string;
        cpuSeconds?: number;
        endedAt?: string;
        environment?: string;
        gpuSlots: string[];
        number: number;
        peakMemoryBytes?: number;
        startedAt?: string;
    };
    AwaitedItem: {
        gateway: string;
        hasFailed: boolean;
        reason: string;
    };
    CheckImportsBody: {
        loggedModels: Schemas["CheckImportsItem"][];
        runs: Schemas["CheckImportsItem"][];
    };
    CheckImportsItem: {
        fingerprint: string;
        id: string;
    };
    CheckImportsReply: {
        loggedModels: Record<string, "same" | "changed" | "deleted" | "foreign">;
        runs: Record<string, "same" | "changed" | "deleted" | "foreign">;
    };
    CheckItem: {
        check: string;
        explanation: string;
        held?: boolean;
        left?: number;
        right?: number;
    };
    CheckTokensBody: {
        digests: string[];
    };
    CheckTokensReply: {
        live: string[];
    };
    CodeOrigin: {
        branch?: string;
        commit: string;
        diff?: string;
        isDirty: boolean;
        remote?: string;
    };
    CreateTokenBody: {
        name: string;
    };
    CreateTokenReply: {
        name: string;
        secret: string;
    };
    DeployBody: {
        atLeast?: number;
        atOnce?: boolean;
        breaking?: boolean;
        early?: boolean;
        environment?: string;
        experimentPercent?: number;
        model: string;
    };
    DeployReply: {
        isNew: boolean;
        revision: Schemas["RevisionItem"];
    };
    DeploymentItem: {
        endpoint: string;
        environment: string;
        live?: Schemas["RevisionItem"];
        name: string;
        project: string;
        standby?: Schemas["RevisionItem"];
        underWay?: Schemas["RevisionItem"];
    };
    DesiredState: {
        endpoints: Schemas["ServedEndpoint"][];
        revision: number;
        tokenEnds?: number;
    };
    ErrorReply: {
        error: Schemas["ErrorReplyFailure"];
    };
    ErrorReplyFailure: {
        code: string;
        message: string;
    };
    FreeSpaceBody: {
        cutoff: string;
    };
    FreeSpaceReply: {
        databaseBytesBefore: number;
        freed: Schemas["SpaceReport"];
    };
    GatewayReport: {
        desiredRevision: number;
        gateway: string;
        incarnation: string;
        revisions: Schemas["RevisionReport"][];
        shadows?: Schemas["ShadowReport"][];
        unrouted?: Schemas["UnroutedCount"][];
    };
    GetJobLogReply: {
        attempt: number;
        isComplete: boolean;
        nextOffset: number;
        text: string;
    };
    GetJobReply: {
        attempts: Schemas["AttemptView"][];
        code?: Schemas["CodeOrigin"];
        command: string;
        job: Schemas["JobView"];
        lastLines?: string;
        registered?: Schemas["GetJobReplyRegistered"];
        snapshot?: string;
    };
    GetJobReplyRegistered: {
        model: string;
        version: number;
    };
    GetJobUsageReply: {
        attempt: number;
        samples: Schemas["GetJobUsageSample"][];
    };
    GetJobUsageSample: {
        cpus: number;
        memoryBytes: number;
        seconds: number;
    };
    GetProjectFileReply: {
        appliedAt: string;
        appliedBy: string;
        project: string;
        revision: number;
        snapshot?: string;
        text: string;
    };
    ImportExperimentBody: {
        experiment: Schemas["TransferExperiment"];
        keepsLocation: boolean;
        source: string;
    };
    ImportExperimentReply: {
        artifactLocation: string;
        experiment: string;
        isNew: boolean;
    };
    ImportLoggedModelBody: {
        fingerprint: string;
        keepsArtifacts: boolean;
        model: Schemas["TransferLoggedModel"];
        source: string;
    };
    ImportLoggedModelReply: {
        isNew: boolean;
    };
    ImportModelBody: {
        model: Schemas["TransferModel"];
        source: string;
    };
    ImportModelReply: {
        conflicts: string[];
        isNew: boolean;
        newVersions: number;
    };
    JobView: {
        attempt: number;
        cpus: number;
        createdAt: string;
        createdBy: string;
        endedAt?: string;
        experiment?: string;
        failure?: Schemas["JobViewFailure"];
        gpus: number;
        group?: string;
        id: string;
        isolation?: string;
        memoryBytes?: number;
        name: string;
        outcome?: string;
        parameters: Record<string, string>;
        place?: number;
        priority: number;
        project: string;
        run?: string;
        startedAt?: string;
        state: string;
        stopReason?: string;
        waitCode?: string;
        waiting?: number;
        waitsFor?: string;
    };
    JobViewFailure: {
        code: string;
        lastLine?: string;
        message: string;
    };
    ListDeploymentsReply: {
        deployments: Schemas["DeploymentItem"][];
    };
    ListEventsItem: {
        at: string;
        entity: string;
        entityID: string;
        payload: unknown;
        project: string;
        sequence: number;
        what: string;
        who: string;
        why?: string;
    };
    ListEventsReply: {
        events: Schemas["ListEventsItem"][];
    };
    ListGatewaysItem: {
        desiredRevision: number;
        gateway: string;
        isAlive: boolean;
        reportedAt: string;
    };
    ListGatewaysReply: {
        desiredRevision: number;
        gateways: Schemas["ListGatewaysItem"][];
        own?: string;
    };
    ListJobsReply: {
        jobs: Schemas["JobView"][];
    };
    ListPredictionsReply: {
        damagedBlocks?: number;
        next?: string;
        predictions: Schemas["PredictionItem"][];
        storage: Schemas["ListPredictionsStorage"];
    };
    ListPredictionsStorage: {
        bytes: number;
        expiredRecords: number;
        oldestDay?: string;
        records: number;
    };
    ListProjectFilesReply: {
        projects: string[];
    };
    ListRevisionsItem: {
        deployment: string;
        environment: string;
        revision: Schemas["RevisionItem"];
    };
    ListRevisionsReply: {
        revisions: Schemas["ListRevisionsItem"][];
    };
    ListSweepsReply: {
        sweeps: Schemas["SweepView"][];
    };
    ListTokensItem: {
        createdAt: string;
        name: string;
    };
    ListTokensReply: {
        tokens: Schemas["ListTokensItem"][];
    };
    ListTrafficPoint: {
        at: number;
        errors: number;
        p50Milliseconds?: number;
        p95Milliseconds?: number;
        p99Milliseconds?: number;
        refused: number;
        requests: number;
        turnedAway: number;
    };
    ListTrafficReply: {
        from: number;
        intervalSeconds: number;
        series: Schemas["ListTrafficSeries"][];
        to: number;
        unrouted: Schemas["ListTrafficUnrouted"][];
    };
    ListTrafficSeries: {
        deployment: string;
        environment: string;
        number: number;
        points: Schemas["ListTrafficPoint"][];
        revision: string;
    };
    ListTrafficUnrouted: {
        code: string;
        endpoint?: string;
        lastAt: number;
        requests: number;
        status: number;
    };
    NamedText: {
        key: string;
        value: string;
    };
    PredictionBody: {
        base64?: string;
        isCut: boolean;
        sizeBytes: number;
        text?: string;
    };
    PredictionItem: {
        at: string;
        deployment: string;
        digest: string;
        endpoint: string;
        environment: string;
        id: string;
        milliseconds: number;
        model: string;
        number?: number;
        revision: string;
        rolloutStep?: number;
        status: number;
        traceID?: string;
        version: string;
    };
    PredictionWalk: {
        code?: Schemas["PredictionWalkCode"];
        datasets: Schemas["PredictionWalkDataset"][];
        environment?: string;
        job?: Schemas["JobView"];
        revision?: Schemas["RevisionItem"];
        run?: Schemas["PredictionWalkTrainingRun"];
        step?: Schemas["RolloutStepItem"];
        version?: Schemas["PredictionWalkVersion"];
    };
    PredictionWalkCode: {
        command?: string;
        commit?: string;
        snapshot?: string;
        source?: string;
    };
    PredictionWalkDataset: {
        context?: string;
        digest: string;
        name: string;
        source: string;
        sourceType: string;
    };
    PredictionWalkTrainingRun: {
        endedAt?: string;
        experiment: string;
        experimentName: string;
        id: string;
        metrics: Record<string, number>;
        name: string;
        params: Record<string, string>;
        startedAt: string;
        status: string;
        user: string;
    };
    PredictionWalkVersion: {
        aliases: string[];
        conversionJob?: string;
        createdAt: string;
        createdBy: string;
        model: string;
        source: string;
        version: number;
    };
    PutServableBody: {
        digest: string;
        manifest: Schemas["ServableManifest"];
        size_bytes: number;
    };
    ReplayPredictionBody: {
        version?: number;
    };
    ReplayPredictionDifference: {
        after: string;
        before: string;
        place: string;
        size?: number;
    };
    ReplayPredictionReply: {
        after: Schemas["PredictionBody"];
        before: Schemas["PredictionBody"];
        compared: number;
        differing: number;
        isEqual: boolean;
        largest?: Schemas["ReplayPredictionDifference"];
        model: string;
        notCompared?: string;
        prediction: string;
        statusAfter: number;
        statusBefore: number;
        versionAfter: number;
        versionBefore: string;
    };
    RevisionItem: {
        awaited: Schemas["AwaitedItem"][];
        changes: number;
        checks: Schemas["CheckItem"][];
        createdAt: string;
        createdBy: string;
        endedAt?: string;
        hasEnded: boolean;
        id: string;
        isAnswered: boolean;
        liveAt?: string;
        model: string;
        number: number;
        reason?: string;
        rollout?: Schemas["RolloutItem"];
        runtime?: string;
        state: string;
        version: number;
        weightPercent: number;
    };
    RevisionReport: {
        contested?: number;
        endpoint: string;
        error?: string;
        errors: number;
        latency: number[][];
        refused?: number;
        requests: number;
        revision: string;
        scores?: Schemas["AnswerScores"];
        state: "loading" | "ready" | "failed" | "draining";
        turnedAway?: number;
        warmup?: number[][];
    };
    RollbackBody: {
        environment?: string;
    };
    RollbackReply: {
        desiredRevision: number;
        isAtOnce: boolean;
        revision: Schemas["RevisionItem"];
    };
    RolloutItem: {
        abort: string[];
        atLeast: number;
        falseAlarmRate?: number;
        holdSeconds: number;
        isExperiment: boolean;
        scoreShift?: number;
        state: string;
        steps: Schemas["RolloutStepItem"][];
        stepsPercent: number[];
    };
    RolloutStepItem: {
        baseline: Schemas["RolloutStepItemTraffic"];
        candidate: Schemas["RolloutStepItemTraffic"];
        comparisons: Schemas["RolloutStepItemComparison"][];
        endedAt?: string;
        followedAt?: string;
        reason?: string;
        sawTraffic: boolean;
        sensitivity?: string;
        startedAt: string;
        verdict?: string;
        weightPercent: number;
    };
    RolloutStepItemComparison: {
        explanation: string;
        isCompared: boolean;
        isWorse: boolean;
        log10Evidence: number;
        log10Needed: number;
        what: string;
    };
    RolloutStepItemTraffic: {
        errors: number;
        p50Milliseconds?: number;
        p99Milliseconds?: number;
        refused: number;
        requests: number;
        scoreMedian?: number;
        turnedAway: number;
    };
    RunJobBody: {
        code?: Schemas["CodeOrigin"];
        command?: string;
        file?: string;
        job?: string;
        name?: string;
        parameters?: Record<string, string>;
        priority?: number;
        project?: string;
        python?: string;
        requirements?: string;
        resources?: Schemas["RunJobBodyLimits"];
        secrets?: string[];
        snapshot?: string;
        variables?: Record<string, string>;
    };
    RunJobBodyLimits: {
        cpus?: number;
        gpus?: number;
        memoryBytes?: number;
        processes?: number;
        seconds?: number;
    };
    ScoreTableBody: {
        format?: string;
        input: string;
        model: string;
        output: string;
        partRows?: number;
        priority?: number;
    };
    ScoreTableReply: {
        digest: string;
        job: Schemas["JobView"];
        model: string;
        version: number;
    };
    SegmentTree: {
        name: string;
        nodes: Schemas["SegmentTreeNode"][];
        source: string;
    };
    SegmentTreeNode: {
        deployment?: string;
        key: string;
        parent?: string;
    };
    ServableManifest: {
        batch?: Schemas["ServableManifestBatch"];
        columns?: string[];
        compared?: Schemas["ServableManifestCompared"];
        example?: unknown;
        inputs: Schemas["ServableManifestTensor"][];
        missing_text?: string;
        outputs: Schemas["ServableManifestTensor"][];
        parity?: number;
        parity_rows?: number;
        predict_all?: "outputs" | "rows";
        predict_output?: string;
        public_inputs?: Schemas["ServableManifestTensor"][];
        reason?: string;
        refuses?: Schemas["ServableManifestRefused"][];
        runtime: "onnx" | "python";
    };
    ServableManifestBatch: {
        mode: "rows" | "off";
        reason?: string;
        rows: number;
    };
    ServableManifestCompared: {
        covered: string[];
        digest: string;
        refused: number;
    };
    ServableManifestRefused: {
        columns?: number[];
        input: string;
        known?: string[];
        limit?: number;
        message: string;
        values: "missing" | "beyond" | "unknown";
    };
    ServableManifestTensor: {
        datatype: string;
        name: string;
        shape: number[];
    };
    ServableReference: {
        digest: string;
        manifest: Schemas["ServableManifest"];
        sizeBytes: number;
    };
    ServedEndpoint: {
        deployment: string;
        environment: string;
        execution?: Schemas["ServedExecution"];
        logSampling: number;
        name: string;
        project: string;
        revisions: Schemas["ServedRevision"][];
        segments?: Schemas["ServedSegments"];
        shadow?: Schemas["ServedShadow"];
    };
    ServedExecution: {
        batch?: string;
        latencyTargetMilliseconds?: number;
        workers?: number;
    };
    ServedRevision: {
        id: string;
        modelName: string;
        modelVersion: string;
        number: number;
        rolloutStep?: number;
        servable: Schemas["ServableReference"];
        weightPercent: number;
    };
    ServedSegments: {
        chains: Record<string, string[]>;
        name: string;
        source: string;
    };
    ServedShadow: {
        endpoint: string;
        sharePercent: number;
    };
    SetSegmentsBody: {
        environment?: string;
        segments: Schemas["SegmentTree"];
    };
    SetShadowBody: {
        deployment?: string;
        environment?: string;
        shadowEnvironment?: string;
        sharePercent: number;
    };
    ShadowCount: {
        classes: number;
        compared: number;
        differing: number;
        dropped: number;
        failed: number;
        incomparable?: number;
        largestDifference: number;
        notComparable?: string;
        numbers: number;
        otherClasses: number;
        sumOfDifferences: number;
    };
    ShadowReport: {
        counts: Schemas["ShadowCount"];
        endpoint: string;
        revision: string;
    };
    ShowDeploymentReply: {
        deployment: Schemas["DeploymentItem"];
        history: Schemas["RevisionItem"][];
    };
    ShowPredictionReply: {
        form: string;
        prediction: Schemas["PredictionItem"];
        request: Schemas["PredictionBody"];
        response: Schemas["PredictionBody"];
        walk: Schemas["PredictionWalk"];
    };
    ShowServableReply: {
        digest?: string;
        job?: string;
        lastLines?: string;
        manifest?: Schemas["ServableManifest"];
        model: string;
        reason?: string;
        sizeBytes?: number;
        state: string;
        version: number;
    };
    ShowTrafficReply: {
        changedAt?: string;
        changedBy?: string;
        deployment: string;
        environment: string;
        segments?: Schemas["SegmentTree"];
        shadow?: Schemas["ShowTrafficShadow"];
    };
    ShowTrafficShadow: {
        classes: number;
        compared: number;
        deployment: string;
        differing: number;
        dropped: number;
        environment: string;
        failed: number;
        incomparable: number;
        largestDifference: number;
        meanDifference?: number;
        notComparable?: string;
        otherClasses: number;
        revision?: number;
        sharePercent: number;
        version?: string;
    };
    SpaceReport: {
        cutoff: string;
        databaseBytes: number;
        databaseFreeBytes: number;
        kept: Schemas["SpaceReportKept"][];
        lines: Schemas["SpaceReportLine"][];
    };
    SpaceReportKept: {
        what: string;
        why: string;
    };
    SpaceReportLine: {
        bytes: number;
        count: number;
        experiment?: string;
        points: number;
        reason: "deletedRuns" | "deletedLoggedModels" | "deletedExperiments" | "unknownFolders" | "unusedBlobs" | "abandonedUploads" | "trash" | "leftFromEarlier";
    };
    StartSweepBody: {
        job: string;
        parallel?: number;
        project?: string;
        seed?: number;
        trials?: number;
    };
    SteerRolloutBody: {
        action: string;
        environment?: string;
    };
    StopJobBody: {
        reason?: string;
    };
    SweepView: {
        best?: number;
        createdAt: string;
        createdBy: string;
        endedAt?: string;
        id: string;
        job: string;
        method: string;
        objective: string;
        parallel: number;
        project: string;
        reason?: string;
        registered?: Schemas["SweepViewRegistered"];
        state: "running" | "closing" | "succeeded" | "failed" | "stopped";
        trialLimit: number;
        trials?: Schemas["TrialView"][];
    };
    SweepViewRegistered: {
        model: string;
        version: number;
    };
    TransferExperiment: {
        artifactLocation: string;
        createdAt: number;
        id: string;
        name: string;
        tags: Schemas["NamedText"][];
        updatedAt: number;
    };
    TransferLoggedModel: {
        artifactURI: string;
        createdAt: number;
        experiment: string;
        id: string;
        metrics: Schemas["TransferLoggedModelMetric"][];
        modelType: string;
        name: string;
        params: Schemas["NamedText"][];
        sourceRun?: string;
        status: "LOGGED_MODEL_PENDING" | "LOGGED_MODEL_READY" | "LOGGED_MODEL_UPLOAD_FAILED";
        statusMessage?: string;
        tags: Schemas["NamedText"][];
        updatedAt: number;
    };
    TransferLoggedModelMetric: {
        datasetDigest?: string;
        datasetName?: string;
        key: string;
        run: string;
        step: number;
        timestamp: number;
        value: number;
    };
    TransferModel: {
        aliases: Schemas["TransferModelAlias"][];
        createdAt: number;
        description: string;
        name: string;
        tags: Schemas["NamedText"][];
        updatedAt: number;
        versions: Schemas["TransferModelVersion"][];
    };
    TransferModelAlias: {
        alias: string;
        version: number;
    };
    TransferModelVersion: {
        createdAt: number;
        description: string;
        loggedModel?: string;
        run?: string;
        runLink: string;
        source: string;
        stage: string;
        tags: Schemas["NamedText"][];
        updatedAt: number;
        user: string;
        version: number;
    };
    TrialView: {
        createdAt: string;
        endedAt?: string;
        job: string;
        number: number;
        objective?: number;
        parameters: Schemas["TrialViewParameter"][];
        reason?: string;
        run: string;
        rung?: number;
        state: "running" | "stopping" | "succeeded" | "stoppedEarly" | "failed" | "cancelled";
        step?: number;
    };
    TrialViewParameter: {
        name: string;
        value: string;
    };
    UnroutedCount: {
        code: string;
        endpoint?: string;
        requests: number;
        status: number;
    };
    WhoAmIReply: {
        principal: string;
    };
}

export interface Operations {
    ApplyProjectFile: {
        path: undefined;
        body: Schemas["ApplyProjectFileBody"];
        reply: Schemas["ApplyProjectFileReply"];
    };
    CheckImports: {
        path: undefined;
        body: Schemas["CheckImportsBody"];
        reply: Schemas["CheckImportsReply"];
    };
    CheckTokens: {
        path: undefined;
        body: Schemas["CheckTokensBody"];
        reply: Schemas["CheckTokensReply"];
    };
    ClearSegments: {
        path: { deployment: string; };
        body: undefined;
        reply: Schemas["ShowTrafficReply"];
    };
    ClearShadow: {
        path: { deployment: string; };
        body: undefined;
        reply: Schemas["ShowTrafficReply"];
    };
    CreateToken: {
        path: undefined;
        body: Schemas["CreateTokenBody"];
        reply: Schemas["CreateTokenReply"];
    };
    Deploy: {
        path: { deployment: string; };
        body: Schemas["DeployBody"];
        reply: Schemas["DeployReply"];
    };
    FreeSpace: {
        path: undefined;
        body: Schemas["FreeSpaceBody"];
        reply: Schemas["FreeSpaceReply"];
    };
    GetDesiredState: {
        path: undefined;
        body: undefined;
        reply: Schemas["DesiredState"];
    };
    GetJob: {
        path: { job: string; };
        body: undefined;
        reply: Schemas["GetJobReply"];
    };
    GetJobLog: {
        path: { job: string; };
        body: undefined;
        reply: Schemas["GetJobLogReply"];
    };
    GetJobUsage: {
        path: { job: string; };
        body: undefined;
        reply: Schemas["GetJobUsageReply"];
    };
    GetProjectFile: {
        path: { project: string; };
        body: undefined;
        reply: Schemas["GetProjectFileReply"];
    };
    GetSweep: {
        path: { sweep: string; };
        body: undefined;
        reply: Schemas["SweepView"];
    };
    ImportExperiment: {
        path: undefined;
        body: Schemas["ImportExperimentBody"];
        reply: Schemas["ImportExperimentReply"];
    };
    ImportLoggedModel: {
        path: undefined;
        body: Schemas["ImportLoggedModelBody"];
        reply: Schemas["ImportLoggedModelReply"];
    };
    ImportModel: {
        path: undefined;
        body: Schemas["ImportModelBody"];
        reply: Schemas["ImportModelReply"];
    };
    ListDeployments: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListDeploymentsReply"];
    };
    ListEvents: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListEventsReply"];
    };
    ListGateways: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListGatewaysReply"];
    };
    ListJobs: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListJobsReply"];
    };
    ListPredictions: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListPredictionsReply"];
    };
    ListProjectFiles: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListProjectFilesReply"];
    };
    ListRevisions: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListRevisionsReply"];
    };
    ListSweeps: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListSweepsReply"];
    };
    ListTokens: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListTokensReply"];
    };
    ListTraffic: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListTrafficReply"];
    };
    PutServable: {
        path: { name: string; version: string; };
        body: Schemas["PutServableBody"];
        reply: Schemas["ShowServableReply"];
    };
    ReplayPrediction: {
        path: { prediction: string; };
        body: Schemas["ReplayPredictionBody"];
        reply: Schemas["ReplayPredictionReply"];
    };
    ReportGateway: {
        path: undefined;
        body: Schemas["GatewayReport"];
        reply: unknown;
    };
    RetryJob: {
        path: { job: string; };
        body: undefined;
        reply: Schemas["JobView"];
    };
    RevokeToken: {
        path: { name: string; };
        body: undefined;
        reply: unknown;
    };
    Rollback: {
        path: { deployment: string; };
        body: Schemas["RollbackBody"];
        reply: Schemas["RollbackReply"];
    };
    RunJob: {
        path: undefined;
        body: Schemas["RunJobBody"];
        reply: Schemas["JobView"];
    };
    ScoreTable: {
        path: undefined;
        body: Schemas["ScoreTableBody"];
        reply: Schemas["ScoreTableReply"];
    };
    SetSegments: {
        path: { deployment: string; };
        body: Schemas["SetSegmentsBody"];
        reply: Schemas["ShowTrafficReply"];
    };
    SetShadow: {
        path: { deployment: string; };
        body: Schemas["SetShadowBody"];
        reply: Schemas["ShowTrafficReply"];
    };
    ShowDeployment: {
        path: { deployment: string; };
        body: undefined;
        reply: Schemas["ShowDeploymentReply"];
    };
    ShowPrediction: {
        path: { prediction: string; };
        body: undefined;
        reply: Schemas["ShowPredictionReply"];
    };
    ShowRevision: {
        path: { deployment: string; number: string; };
        body: undefined;
        reply: Schemas["RevisionItem"];
    };
    ShowServable: {
        path: { name: string; version: string; };
        body: undefined;
        reply: Schemas["ShowServableReply"];
    };
    ShowSpace: {
        path: undefined;
        body: undefined;
        reply: Schemas["SpaceReport"];
    };
    ShowTraffic: {
        path: { deployment: string; };
        body: undefined;
        reply: Schemas["ShowTrafficReply"];
    };
    StartSweep: {
        path: undefined;
        body: Schemas["StartSweepBody"];
        reply: Schemas["SweepView"];
    };
    SteerRollout: {
        path: { deployment: string; };
        body: Schemas["SteerRolloutBody"];
        reply: Schemas["RevisionItem"];
    };
    StopJob: {
        path: { job: string; };
        body: Schemas["StopJobBody"];
        reply: Schemas["JobView"];
    };
    StopSweep: {
        path: { sweep: string; };
        body: undefined;
        reply: Schemas["SweepView"];
    };
    WhoAmI: {
        path: undefined;
        body: undefined;
        reply: Schemas["WhoAmIReply"];
    };
}

export const routes = {
    ApplyProjectFile: { method: "put", path: "/api/v1/project-files" },
    CheckImports: { method: "post", path: "/api/v1/imports/known" },
    CheckTokens: { method: "post", path: "/api/v1/gateways/tokens" },
    ClearSegments: { method: "delete", path: "/api/v1/deployments/{deployment}/segments" },
    ClearShadow: { method: "delete", path: "/api/v1/deployments/{deployment}/shadow" },
    CreateToken: { method: "post", path: "/api/v1/tokens" },
    Deploy: { method: "post", path: "/api/v1/deployments/{deployment}/revisions" },
    FreeSpace: { method: "post", path: "/api/v1/space/collections" },
    GetDesiredState: { method: "get", path: "/api/v1/gateways/desired-state" },
    GetJob: { method: "get", path: "/api/v1/jobs/{job}" },
    GetJobLog: { method: "get", path: "/api/v1/jobs/{job}/log" },
    GetJobUsage: { method: "get", path: "/api/v1/jobs/{job}/usage" },
    GetProjectFile: { method: "get", path: "/api/v1/project-files/{project}" },
    GetSweep: { method: "get", path: "/api/v1/sweeps/{sweep}" },
    ImportExperiment: { method: "post", path: "/api/v1/imports/experiments" },
    ImportLoggedModel: { method: "post", path: "/api/v1/imports/logged-models" },
    ImportModel: { method: "post", path: "/api/v1/imports/models" },
    ListDeployments: { method: "get", path: "/api/v1/deployments" },
    ListEvents: { method: "get", path: "/api/v1/events" },
    ListGateways: { method: "get", path: "/api/v1/gateways" },
    ListJobs: { method: "get", path: "/api/v1/jobs" },
    ListPredictions: { method: "get", path: "/api/v1/predictions" },
    ListProjectFiles: { method: "get", path: "/api/v1/project-files" },
    ListRevisions: { method: "get", path: "/api/v1/revisions" },
    ListSweeps: { method: "get", path: "/api/v1/sweeps" },
    ListTokens: { method: "get", path: "/api/v1/tokens" },
    ListTraffic: { method: "get", path: "/api/v1/traffic" },
    PutServable: { method: "put", path: "/api/v1/models/{name}/versions/{version}/servable" },
    ReplayPrediction: { method: "post", path: "/api/v1/predictions/{prediction}/replay" },
    ReportGateway: { method: "post", path: "/api/v1/gateways/report" },
    RetryJob: { method: "post", path: "/api/v1/jobs/{job}/retry" },
    RevokeToken: { method: "delete", path: "/api/v1/tokens/{name}" },
    Rollback: { method: "post", path: "/api/v1/deployments/{deployment}/rollback" },
    RunJob: { method: "post", path: "/api/v1/jobs" },
    ScoreTable: { method: "post", path: "/api/v1/scorings" },
    SetSegments: { method: "put", path: "/api/v1/deployments/{deployment}/segments" },
    SetShadow: { method: "put", path: "/api/v1/deployments/{deployment}/shadow" },
    ShowDeployment: { method: "get", path: "/api/v1/deployments/{deployment}" },
    ShowPrediction: { method: "get", path: "/api/v1/predictions/{prediction}" },
    ShowRevision: { method: "get", path: "/api/v1/deployments/{deployment}/revisions/{number}" },
    ShowServable: { method: "get", path: "/api/v1/models/{name}/versions/{version}/servable" },
    ShowSpace: { method: "get", path: "/api/v1/space" },
    ShowTraffic: { method: "get", path: "/api/v1/deployments/{deployment}/traffic" },
    StartSweep: { method: "post", path: "/api/v1/sweeps" },
    SteerRollout: { method: "post", path: "/api/v1/deployments/{deployment}/rollout" },
    StopJob: { method: "post", path: "/api/v1/jobs/{job}/stop" },
    StopSweep: { method: "post", path: "/api/v1/sweeps/{sweep}/stop" },
    WhoAmI: { method: "get", path: "/api/v1/whoami" },
} as const;
