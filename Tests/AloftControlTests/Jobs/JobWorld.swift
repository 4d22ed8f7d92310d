import AloftControl
import AloftDomain
import AloftScheduling
import AloftStore
import AloftTestKit
import Foundation
import Logging
import Synchronization

/// A controller with a real store, an executor without processes, and time that stands still.
final class JobWorld: Sendable {
    let files: TemporaryFolder
    let executor = FakeExecutor()
    let time = ManualTime()
    private let chance = Chance.seeded(7)
    private let current: Mutex<Store>

    init() throws {
        files = try TemporaryFolder()
        current = Mutex(try Store(path: files.path + "/aloft.db"))
    }

    var store: Store { current.withLock { $0 } }

    /// Closes the file and opens it again, as a server does that was killed and started again.
    func reopen() throws {
        try current.withLock { store in
            try store.close()
            store = try Store(path: files.path + "/aloft.db")
        }
    }

    /// - Parameter effects: after so many it is killed.
    func controller(
        killedAfter effects: Int = .max, cpus: Double = 2, time other: TimeSource? = nil
    ) -> JobController {
        var configuration = JobController.Configuration(
            capacity: Capacity(cpus: cpus, memoryBytes: 8 << 30),
            serverURL: "http://127.0.0.1:5000", tokenKey: "key", blobPath: { "/blobs/\($0)" })
        configuration.effects = DeadLine(after: effects).hook
        return JobController(
            store: store, executor: executor, time: other ?? time.source, chance: chance,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            configuration: configuration)
    }

    /// Queues a job with a run of its own.
    func queue(
        _ name: String, _ command: String, cpus: Double = 1, group: JobGroup? = nil,
        registers: String? = nil, variables: [String: String] = [:]
    ) async throws {
        let now = time.now
        try await store.write { db in
            var spec = JobSpec(
                project: ProjectID("flights"), name: name, command: command,
                variables: variables, resources: Resources(cpus: cpus), group: group,
                registers: registers)
            try JobRuns.create(
                db, RunID("run-\(name)"), of: JobID(name), for: &spec, at: now, by: .local)
            try JobQueries.insert(db, id: JobID(name), spec: spec, at: now, by: .local)
        }
    }

    /// A model that the job's run logged and finished.
    func logModel(_ id: String, by name: String) async throws {
        let now = time.now
        try await store.write { db in
            let job = try JobQueries.get(db, JobID(name))
            guard let experiment = job.spec.experiment else { return }
            try LoggedModelQueries.create(
                db,
                NewLoggedModel(
                    id: LoggedModelID(id), experiment: experiment, name: "model",
                    sourceRun: job.spec.run), at: now)
            try LoggedModelQueries.setStatus(db, LoggedModelID(id), .ready, at: now)
        }
    }

    func job(_ name: String) async throws -> JobRecord {
        try await store.read { try JobQueries.get($0, JobID(name)) }
    }

    func run(_ name: String) async throws -> RunStatus? {
        try await store.read { try TrackingQueries.runInfo($0, RunID("run-\(name)"))?.status }
    }

    /// Looks until nothing waits or runs, or so many times.
    func settle(_ controller: JobController, looks: Int = 60) async throws {
        for _ in 0..<looks {
            _ = try await controller.runOnce()
            let live = try await store.read { try JobQueries.live($0) }
            if live.isEmpty { return }
            time.advance(by: .milliseconds(250))
        }
    }
}
