package import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire

/// Jobs: list, show, run, stop, retry, their logs and what they used.
package struct JobRoutes: Sendable {
    private let store: Store
    private let launcher: JobLauncher
    private let logs: JobLogs
    private let queue: JobQueuePositions
    private let time: TimeSource
    private let failureLines: FailureLines

    package init(
        store: Store, launcher: JobLauncher, logs: JobLogs, queue: JobQueuePositions,
        time: TimeSource
    ) {
        self.store = store
        self.queue = queue
        self.launcher = launcher
        self.logs = logs
        self.time = time
        failureLines = FailureLines(logs: logs)
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ListJobs.self, of: { _, _ in .ownProject }) { call in try await list(call) }
        routes.on(GetJob.self, of: Self.job) { call in
            let wait = try call.integer("wait", in: 0...60, default: 0)
            return try await show(call.parameter("job"), wait: .seconds(wait))
        }
        routes.on(RunJob.self) { call in
            return JobView(try await run(call.body, by: call.principal))
        }
        routes.on(StopJob.self) { call in
            let (name, reason, who) = (call.parameter("job"), call.body.reason, call.principal)
            let now = time.now()
            return try await store.write { db in
                let job = try JobQueries.resolve(db, name)
                return JobView(
                    try JobQueries.requestStop(
                        db, job.id, reason: reason ?? "stopped by \(who.description)", at: now,
                        by: who))
            }
        }
        routes.on(RetryJob.self) { call in
            let job = try await resolve(call.parameter("job"))
            return JobView(try await launcher.retry(job.id, by: call.principal))
        }
        addLogs(to: &routes)
    }

    private static let job: APIRoutes.Find = { try $0.job($1["job"] ?? "") }

    private func addLogs(to routes: inout APIRoutes) {
        routes.on(GetJobLog.self, of: Self.job) { call in
            let job = try await resolve(call.parameter("job"))
            let offset = try call.integer("offset", in: 0...Int64.max, default: 0)
            let limit = try call.integer("limit", in: 16...(4 << 20), default: 256 << 10)
            let wait = try call.integer("wait", in: 0...60, default: 0)
            let chunk = try await logs.read(
                job.id, attempt: try attempt(call), from: offset, limit: Int(limit),
                wait: .seconds(wait))
            return GetJobLog.Reply(
                attempt: chunk.attempt, text: chunk.text, nextOffset: chunk.nextOffset,
                isComplete: chunk.isComplete)
        }
        routes.on(GetJobUsage.self, of: Self.job) { call in
            let job = try await resolve(call.parameter("job"))
            let (number, samples) = try await logs.usage(job.id, attempt: try attempt(call))
            return GetJobUsage.Reply(
                attempt: number,
                samples: samples.map {
                    .init(seconds: $0.seconds, cpus: $0.cpus, memoryBytes: $0.memoryBytes)
                })
        }
    }

    /// 0 stands for the newest.
    private func attempt<E: Endpoint>(_ call: EndpointCall<E>) throws -> Int? {
        let number = try call.integer("attempt", in: 0...1_000_000, default: 0)
        return number == 0 ? nil : Int(number)
    }

    private func resolve(_ name: String) async throws -> JobRecord {
        try await store.read { try JobQueries.resolve($0, name) }
    }

    private func list(_ call: EndpointCall<ListJobs>) async throws -> ListJobs.Reply {
        let limit = try call.integer("limit", in: 1...1000, default: 50)
        let filter = JobQueries.Filter(
            project: call.narrowedProject ?? call.query("project").map(ProjectID.init),
            name: call.query("name"),
            group: call.query("group"), run: call.query("run").map(RunID.init),
            isLive: call.query("live") == "true", before: call.query("before").map(JobID.init))
        let (queue, now) = (queue, time.now())
        let (jobs, places) = try await store.read { db in
            let jobs = try JobQueries.list(db, filter, limit: Int(limit))
            return (jobs, try Self.areWaiting(jobs) ? queue.places(db, at: now) : [:])
        }
        return ListJobs.Reply(jobs: await failureLines.views(of: jobs, places))
    }

    private static func areWaiting(_ jobs: [JobRecord]) -> Bool {
        jobs.contains { $0.state.name == .queued }
    }

    private func show(_ name: String, wait: Duration) async throws -> GetJob.Reply {
        let id = try await resolve(name).id
        if wait > .zero {
            _ = try await longPoll(store.changes, of: .jobs, timeout: wait) {
                try await store.read { try JobQueries.get($0, id) }.outcome
            }
        }
        let (queue, now) = (queue, time.now())
        let (job, attempts, registered, place) = try await store.read { db in
            let job = try JobQueries.get(db, id)
            return (
                job, try JobQueries.attempts(db, of: id), try Self.registered(db, by: job),
                try Self.areWaiting([job]) ? queue.places(db, at: now)[id] : nil
            )
        }
        var lastLines: String?
        if case .failed(let failure) = job.outcome, failure.code != "not_started" {
            lastLines = try await logs.tail(id, attempt: job.state.attempt, lines: 20)
        }
        let places = place.map { [id: $0] } ?? [:]
        var view = await failureLines.views(of: [job], places).first ?? JobView(job, place)
        view.isolation = try await logs.isolation(id, attempt: job.state.attempt)
        return GetJob.Reply(
            job: view, command: job.spec.command, snapshot: job.spec.snapshot,
            code: job.spec.code, attempts: attempts.map(AttemptView.init), lastLines: lastLines,
            registered: registered)
    }

    private static func registered(
        _ db: Transaction, by job: JobRecord
    ) throws -> GetJob.Reply.Registered? {
        guard case .succeeded = job.outcome, let model = job.spec.registers, let run = job.spec.run
        else { return nil }
        return try RegistryQueries.version(db, model, of: run)
            .map { .init(model: model, version: $0.version) }
    }

    private func run(_ body: RunJob.Body, by who: Principal) async throws -> JobRecord {
        let project = body.project ?? .default
        switch (body.job, body.command) {
        case (.some(let name), nil):
            return try await launcher.run(
                name, of: project, parameters: body.parameters ?? [:],
                priority: body.priority ?? 0,
                from: body.file.map {
                    JobLauncher.Source(text: $0, snapshot: body.snapshot, code: body.code)
                }, by: who)
        case (nil, .some(let command)):
            return try await launcher.queue(
                try body.spec(project: project, command: command),
                secrets: body.secrets ?? [], by: who)
        case (nil, nil), (.some, .some):
            throw JobError.invalidSpec(["name either a job of the project file or a command"])
        }
    }
}

extension RunJob.Body {
    func spec(project: ProjectID, command: String) throws -> JobSpec {
        let defaults = Resources()
        var timeLimit: Duration?
        if let seconds = resources?.seconds {
            guard seconds > 0, seconds < 1e9 else {
                throw JobError.invalidSpec(["seconds is \(seconds): expected more than 0"])
            }
            timeLimit = .seconds(seconds)
        }
        return JobSpec(
            project: project, name: name ?? "command", command: command,
            variables: variables ?? [:],
            python: requirements.map {
                PythonEnvironment(requirements: .text($0), version: python)
            },
            resources: Resources(
                cpus: resources?.cpus ?? defaults.cpus, memoryBytes: resources?.memoryBytes,
                gpus: resources?.gpus ?? 0, timeLimit: timeLimit,
                processes: resources?.processes),
            snapshot: snapshot, code: code, priority: priority ?? 0)
    }
}
