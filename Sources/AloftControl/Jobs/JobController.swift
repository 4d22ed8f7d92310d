package import AloftCompute
package import AloftDomain
package import AloftScheduling
package import AloftStore
package import Foundation
package import Logging

/// Takes jobs from the queue to their end: looks at what the executor knows of each, writes it down,
/// gives free places to those that wait, and begins those that have a place.
///
/// Each step is one transaction or one call that the executor does once however often it is asked,
/// so that it can be stopped after any of them and go on from the tables.
package struct JobController: Sendable {
    package struct Configuration: Sendable {
        package var capacity: Capacity
        /// The address at which jobs reach this server.
        package var serverURL: String
        /// From which the jobs' tokens are made; kept as long as the data.
        package var tokenKey: String
        /// The file with a snapshot's bytes.
        package var blobPath: @Sendable (ContentDigest) -> String
        package var effects = EffectHook.none

        package init(
            capacity: Capacity, serverURL: String, tokenKey: String,
            blobPath: @escaping @Sendable (ContentDigest) -> String
        ) {
            self.capacity = capacity
            self.serverURL = serverURL
            self.tokenKey = tokenKey
            self.blobPath = blobPath
        }
    }

    /// How long an attempt is trusted to live when its executor cannot be asked.
    static let lease = Duration.seconds(120)
    /// What can be left of it, with what stamps are rounded by; more says that the clock was set back.
    static let longestLeft = lease.seconds + 1
    static let who = Principal.controller(name: "jobs")

    let store: Store
    let executor: any Executor
    let time: TimeSource
    let chance: Chance
    let logger: Logger
    let configuration: Configuration

    package init(
        store: Store, executor: any Executor, time: TimeSource, chance: Chance, logger: Logger,
        configuration: Configuration
    ) {
        self.store = store
        self.executor = executor
        self.time = time
        self.chance = chance
        self.logger = logger
        self.configuration = configuration
    }

    private static let pace = ReconcileLoop.Pace(
        wakesOn: .jobs, leastPause: .milliseconds(50), longestWait: .seconds(30))

    package var loop: ReconcileLoop {
        ReconcileLoop(
            name: "jobs", pace: Self.pace, changes: store.changes, clock: time.clock,
            logger: logger)
    }

    package func run() async throws { try await loop.run(turn) }

    package func turn() async throws -> ReconcileLoop.Next { .within(try await runOnce()) }

    /// One look at every job that has not ended.
    ///
    /// - Returns: when to look again, if nothing is committed before.
    package func runOnce() async throws -> Duration {
        let jobs = try await store.read { try JobQueries.live($0) }
        guard !jobs.isEmpty else { return Self.pace.longestWait }
        try await place()
        for job in jobs where job.state.isPlaced {
            do {
                try await advance(job)
            } catch let error as CancellationError {
                throw error
            } catch let killed as EffectHook.Killed {
                throw killed
            } catch {
                // One job's trouble holds up no other; the next look tries again.
                logger.error(
                    "a job cannot be brought forward",
                    metadata: ["job": "\(job.id)", "error": "\(error)"])
            }
        }
        return .milliseconds(250)
    }

    /// Gives free places to waiting jobs.
    private func place() async throws {
        let (jobs, slots) = try await store.read { db in
            (try JobQueries.live(db), try JobQueries.heldSlots(db))
        }
        let now = time.now()
        let plan = JobPlanner.plan(
            JobSnapshot(jobs: jobs, slots: slots, capacity: configuration.capacity, now: now))
        guard !plan.starts.isEmpty || !plan.impossible.isEmpty else { return }
        let leaseUntil = leaseEnd
        try configuration.effects.willAct("give places")
        try await store.write { db in
            for start in plan.starts {
                try JobQueries.applyIfQueued(
                    db, .claimed(leaseUntil: leaseUntil), to: start.job, at: now, by: Self.who,
                    gpuSlots: start.gpuSlots)
            }
            for (job, reason) in plan.impossible {
                try JobQueries.applyIfQueued(
                    db, .impossible(reason: reason), to: job, at: now, by: Self.who)
            }
        }
    }

    var leaseEnd: Date { time.now().addingTimeInterval(Self.lease.seconds) }
}

extension JobSnapshot {
    /// What the tables say, for the scheduler.
    package init(
        jobs: [JobRecord], slots: [AttemptID: [String]], capacity: Capacity, now: Date
    ) {
        self.init(
            capacity: capacity,
            placed: jobs.filter(\.state.isPlaced).map { job in
                Placed(
                    job: job.id, project: job.spec.project, group: job.spec.group,
                    resources: job.spec.resources, gpuSlots: slots[job.attempt] ?? [])
            },
            waiting: jobs.filter { $0.state.name == .queued }.map { job in
                Waiting(
                    job: job.id, project: job.spec.project, group: job.spec.group,
                    resources: job.spec.resources, priority: job.spec.priority,
                    waited: .seconds(max(0, now.timeIntervalSince(job.createdAt))))
            })
    }
}
