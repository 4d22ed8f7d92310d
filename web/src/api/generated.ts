/** Made by web/make-types from the server's OpenAPI document. Do not edit. */

export interface Schemas {
    ApplyProjectFileBody: {
        file?: string;
        snapshot?: string;
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
    CreateTokenBody: {
        name: string;
    };
    CreateTokenReply: {
        name: string;
        secret: string;
    };
    ErrorReply: {
        error: Schemas["ErrorReplyFailure"];
    };
    ErrorReplyFailure: {
        code: string;
        message: string;
    };
    GetJobLogReply: {
        attempt: number;
        isComplete: boolean;
        nextOffset: number;
        text: string;
    };
    GetJobReply: {
        attempts: Schemas["AttemptView"][];
        command: string;
        job: Schemas["JobView"];
        lastLines?: string;
        snapshot?: string;
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
        memoryBytes?: number;
        name: string;
        outcome?: string;
        parameters: Record<string, string>;
        priority: number;
        project: string;
        run?: string;
        startedAt?: string;
        state: string;
        stopReason?: string;
    };
    JobViewFailure: {
        code: string;
        message: string;
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
    ListJobsReply: {
        jobs: Schemas["JobView"][];
    };
    ListProjectFilesReply: {
        projects: string[];
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
    RunJobBody: {
        command?: string;
        job?: string;
        name?: string;
        parameters?: Record<string, string>;
        priority?: number;
        project?: string;
        python?: string;
        requirements?: string;
        resources?: Schemas["RunJobBodyLimits"];
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
    StartSweepBody: {
        job: string;
        parallel?: number;
        project?: string;
        seed?: number;
        trials?: number;
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
    CreateToken: {
        path: undefined;
        body: Schemas["CreateTokenBody"];
        reply: Schemas["CreateTokenReply"];
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
    ListEvents: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListEventsReply"];
    };
    ListJobs: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListJobsReply"];
    };
    ListProjectFiles: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListProjectFilesReply"];
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
    RunJob: {
        path: undefined;
        body: Schemas["RunJobBody"];
        reply: Schemas["JobView"];
    };
    StartSweep: {
        path: undefined;
        body: Schemas["StartSweepBody"];
        reply: Schemas["SweepView"];
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
    CreateToken: { method: "post", path: "/api/v1/tokens" },
    GetJob: { method: "get", path: "/api/v1/jobs/{job}" },
    GetJobLog: { method: "get", path: "/api/v1/jobs/{job}/log" },
    GetJobUsage: { method: "get", path: "/api/v1/jobs/{job}/usage" },
    GetProjectFile: { method: "get", path: "/api/v1/project-files/{project}" },
    GetSweep: { method: "get", path: "/api/v1/sweeps/{sweep}" },
    ListEvents: { method: "get", path: "/api/v1/events" },
    ListJobs: { method: "get", path: "/api/v1/jobs" },
    ListProjectFiles: { method: "get", path: "/api/v1/project-files" },
    ListSweeps: { method: "get", path: "/api/v1/sweeps" },
    ListTokens: { method: "get", path: "/api/v1/tokens" },
    RetryJob: { method: "post", path: "/api/v1/jobs/{job}/retry" },
    RevokeToken: { method: "delete", path: "/api/v1/tokens/{name}" },
    RunJob: { method: "post", path: "/api/v1/jobs" },
    StartSweep: { method: "post", path: "/api/v1/sweeps" },
    StopJob: { method: "post", path: "/api/v1/jobs/{job}/stop" },
    StopSweep: { method: "post", path: "/api/v1/sweeps/{sweep}/stop" },
    WhoAmI: { method: "get", path: "/api/v1/whoami" },
} as const;
