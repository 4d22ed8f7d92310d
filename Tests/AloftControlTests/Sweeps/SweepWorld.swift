import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl

/// A database file, a sweep controller, and jobs that run nowhere: each step of the world moves every
/// job on by one and logs what a script would log.
final class SweepWorld {
    static let project = ProjectID("p")

    let folder: TemporaryFolder
    let time = ManualTime()
    let chance: Chance
    private(set) var store: Store
    /// What a script with these parameters logs at this step; `nil` ends it well.
    var script: (_ parameters: [String: String], _ step: Int) -> Double? = { parameters, step in
        let x = Double(parameters["x"] ?? "") ?? 0
        return step < 9 ? 1 - abs(x - 0.3) - 1 / Double(step + 2) : nil
    }
    /// The exit status of the script; anything but 0 is a failure.
    var exitCode: (_ parameters: [String: String]) -> Int32 = { _ in 0 }
    var logsModel = true

    init(seed: UInt64 = 1) throws {
        folder = try TemporaryFolder()
        chance = .seeded(seed)
        store = try Store(path: folder.path + "/aloft.db")
    }

    /// As a killed server comes back: a new connection to the same file, nothing else kept.
    func reopen() throws {
        try store.close()
        store = try Store(path: folder.path + "/aloft.db")
    }

    var controller: SweepController {
        SweepController(
            store: store, time: time.source, chance: chance,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    var starter: SweepStarter {
        SweepStarter(
            store: store, time: time.source, chance: chance,
            sealer: { VariableSealer(key: "a key of tests") })
    }

    func apply(_ sweep: String, more: String = "") async throws {
        let text = """
            project: p
            jobs:
              train:
                run: python train.py --x ${x} --seed ${seed}
                parameters: { seed: 5 }
                \(more)
                sweep:
                  objective: maximize auc
                  space: { x: { uniform: [0, 1] } }
                  \(sweep)
            """
        let now = time.now
        try await store.write { db in
            _ = try ProjectFileQueries.apply(
                db, project: Self.project, text: text, snapshot: nil, at: now, by: .local)
        }
    }

    func start(_ changes: SweepStarter.Changes = .init()) async throws -> SweepID {
        try await starter.start(project: Self.project, job: "train", changes: changes, by: .local)
    }

    func sweep(_ id: SweepID) async throws -> SweepRecord {
        let record = try await store.read { try SweepQueries.find($0, id) }
        return try #require(record)
    }

    func trials(_ id: SweepID) async throws -> [TrialRecord] {
        try await store.read { try TrialQueries.list($0, of: id) }
    }

    func jobs() async throws -> [JobRecord] {
        try await store.read { try JobQueries.list($0, .init(), limit: 1000) }
    }

    /// Lets the controller look and every job take a step, until the sweep has ended.
    func finish(_ id: SweepID, rounds: Int = 2000) async throws {
        for _ in 0..<rounds {
            try await controller.runOnce()
            if try await sweep(id).isEnded { return }
            try await stepJobs()
            time.advance(by: .seconds(1))
        }
        Issue.record("the sweep does not end")
    }

    func stepJobs() async throws {
        let live = try await store.read { try JobQueries.live($0) }
        for job in live { try await step(job) }
    }

    private func step(_ job: JobRecord) async throws {
        let now = time.now
        let lease = now.addingTimeInterval(60)
        let attempt = job.state.attempt
        switch job.state {
        case .queued: try await move(job, .claimed(leaseUntil: lease))
        case .starting: try await move(job, .started(attempt: attempt, leaseUntil: lease))
        case .stopping: try await move(job, .ended(attempt: attempt, .stopped))
        case .ended: break
        case .running:
            let run = try #require(job.spec.run)
            let steps = try await store.read {
                try TrackingQueries.history($0, run, key: "auc").count
            }
            if let value = script(job.spec.parameters, steps) {
                try await log(run, step: steps, value)
            } else {
                let code = exitCode(job.spec.parameters)
                if logsModel, code == 0 { try await logModel(run, job) }
                try await move(job, .ended(attempt: attempt, .exited(code: code)))
            }
        }
    }

    private func move(_ job: JobRecord, _ event: JobLifecycle.Event) async throws {
        let now = time.now
        try await store.write { db in
            _ = try JobQueries.apply(
                db, event, to: job.id, at: now, by: .controller(name: "test"))
        }
    }

    private func log(_ run: RunID, step: Int, _ value: Double) async throws {
        let point = MetricPoint(value: value, timestamp: Int64(step), step: Int64(step))
        try await store.write { db in
            try TrackingQueries.log(db, run, [MetricSeries(key: "auc", points: [point])])
        }
    }

    private func logModel(_ run: RunID, _ job: JobRecord) async throws {
        let experiment = try #require(job.spec.experiment)
        let id = LoggedModelID("m-\(run)")
        let now = time.now
        try await store.write { db in
            guard try LoggedModelQueries.list(db, of: run).isEmpty else { return }
            try LoggedModelQueries.create(
                db, NewLoggedModel(id: id, experiment: experiment, name: "model", sourceRun: run),
                at: now)
            try LoggedModelQueries.setStatus(db, id, .ready, at: now)
        }
    }

    func versions(of model: String) async throws -> [ModelVersionRecord] {
        try await store.read { db in
            try db.row(sql: "SELECT 1 FROM registeredModel WHERE name = ?", arguments: [model])
                == nil ? [] : RegistryQueries.versions(db, of: model)
        }
    }
}
