import AloftDomain
import AloftSearch
import AloftStore
import AloftTestKit
import Foundation
import Testing

@testable import AloftControl

struct SweepControllerTests {
    @Test func `a sweep runs its trials and registers the best one's model`() async throws {
        let world = try SweepWorld()
        try await world.apply("trials: 12\n      parallel: 3\n      seed: 7", more: "registers: m")
        let id = try await world.start()
        try await world.finish(id)
        let trials = try await world.trials(id)
        #expect(trials.map(\.number) == Array(1...12))
        #expect(trials.allSatisfy { if case .succeeded = $0.outcome { true } else { false } })
        let sweep = try await world.sweep(id)
        guard case .ended(.succeeded, .some(let best)) = sweep.state else {
            Issue.record("\(sweep.state)")
            return
        }
        func value(_ trial: TrialRecord) -> Double {
            if case .succeeded(let last) = trial.outcome { last.value } else { 0 }
        }
        #expect(trials.allSatisfy { value($0) <= value(trials[best - 1]) })
        #expect(sweep.registered == RegisteredVersion(model: "m", version: 1))
        let versions = try await world.versions(of: "m")
        let version = try #require(versions.first)
        #expect(version.run == trials[best - 1].run)
        #expect(version.source == "models:/m-\(trials[best - 1].run)")
        let tags = Dictionary(uniqueKeysWithValues: version.tags.map { ($0.key, $0.value) })
        #expect(tags["aloft.sweep"] == id.rawValue && tags["aloft.trial"] == String(best))
        #expect(tags["aloft.job"] == trials[best - 1].job.rawValue)
    }

    @Test func `a trial's job has its command, its run and its group`() async throws {
        let world = try SweepWorld()
        try await world.apply("trials: 2\n      method: random\n      seed: 3")
        let id = try await world.start()
        try await world.controller.runOnce()
        let trials = try await world.trials(id)
        let trial = try #require(trials.first)
        let jobs = try await world.jobs()
        let job = try #require(jobs.first)
        #expect(job.id == trial.job && job.spec.run == trial.run)
        #expect(job.spec.command == "python train.py --x \(trial.point[0].text) --seed 5")
        #expect(job.spec.group == JobGroup(name: id.rawValue, parallel: 1))
        let run = try await world.store.read { try TrackingQueries.run($0, trial.run) }
        #expect(run?.info.status == .scheduled)
        let tags = run?.tags.map { "\($0.key)=\($0.value)" } ?? []
        #expect(tags.contains("aloft.parameter.x=\(trial.point[0].text)"))
        #expect(run?.params == [])
        let experiment = try await world.store.read {
            try TrackingQueries.experiment($0, named: "p/train")
        }
        #expect(job.spec.experiment == experiment?.id)
    }

    @Test func `no more than the parallel limit are under way at once`() async throws {
        let world = try SweepWorld()
        try await world.apply("trials: 9\n      parallel: 4")
        let id = try await world.start()
        var most = 0
        for _ in 0..<200 {
            try await world.controller.runOnce()
            most = max(most, try await world.trials(id).count { $0.outcome == nil })
            try await world.stepJobs()
        }
        #expect(most == 4)
        #expect(try await world.sweep(id).isEnded)
    }

    @Test func `ASHA stops trials that fall behind, from what they log`() async throws {
        let world = try SweepWorld()
        try await world.apply(
            "trials: 12\n      parallel: 4\n      seed: 2\n      stop: { asha: { grace: 2, reduction: 2 } }",
            more: "registers: m")
        let id = try await world.start()
        try await world.finish(id)
        let trials = try await world.trials(id)
        let stopped = trials.filter { if case .stoppedEarly = $0.outcome { true } else { false } }
        #expect((1...11).contains(stopped.count))
        for trial in stopped {
            let tag = try await world.store.read {
                try TrackingQueries.tag($0, trial.run, key: "aloft.stoppedEarly")
            }
            let job = try await world.store.read { try JobQueries.get($0, trial.job) }
            #expect(tag != nil && job.outcome == .stopped)
            #expect(job.stopReason?.contains("other trials") == true)
        }
        guard case .ended(.succeeded, .some(let best)) = try await world.sweep(id).state else {
            Issue.record("the sweep failed")
            return
        }
        if case .succeeded = trials[best - 1].outcome {
        } else {
            Issue.record("the best did not finish")
        }
    }

    @Test func `a failed trial leaves the sweep going, too many end it with the reason`()
        async throws
    {
        let few = try SweepWorld()
        try await few.apply("trials: 8\n      max_failures: 3\n      seed: 1")
        let count = Counter()
        few.exitCode = { _ in count.next() <= 2 ? 1 : 0 }
        let survivor = try await few.start()
        try await few.finish(survivor)
        #expect(try await few.trials(survivor).count == 8)
        if case .ended(.succeeded, _) = try await few.sweep(survivor).state {
        } else {
            Issue.record("two failures of three ended the sweep")
        }

        let many = try SweepWorld()
        try await many.apply("trials: 40\n      parallel: 2\n      max_failures: 3")
        many.exitCode = { _ in 1 }
        let victim = try await many.start()
        try await many.finish(victim)
        guard case .ended(.failed(let reason), nil) = try await many.sweep(victim).state else {
            Issue.record("a sweep of failures did not fail")
            return
        }
        #expect(reason.contains("trials failed") && reason.contains("exit status 1"))
        #expect(try await many.trials(victim).count <= 4)
    }

    @Test func `stopping a sweep ends its trials and keeps the best`() async throws {
        let world = try SweepWorld()
        try await world.apply("trials: 40\n      parallel: 2", more: "registers: m")
        let id = try await world.start()
        for _ in 0..<40 {
            try await world.controller.runOnce()
            try await world.stepJobs()
        }
        #expect(try await world.starter.stop(id.rawValue, by: .local) == id)
        #expect(try await world.starter.stop(id.rawValue, by: .local) == id)
        try await world.finish(id)
        guard case .ended(.stopped, .some) = try await world.sweep(id).state else {
            Issue.record("the sweep was not stopped")
            return
        }
        #expect(try await world.trials(id).allSatisfy { $0.outcome != nil })
        #expect(try await world.jobs().allSatisfy { $0.outcome != nil })
        #expect(try await world.versions(of: "m").isEmpty)
    }

    @Test func `a best trial without a model fails the sweep that should register it`() async throws
    {
        let world = try SweepWorld()
        world.logsModel = false
        try await world.apply("trials: 2", more: "registers: m")
        let id = try await world.start()
        try await world.finish(id)
        guard case .ended(.failed(let reason), .some) = try await world.sweep(id).state else {
            Issue.record("\(try await world.sweep(id).state)")
            return
        }
        #expect(reason.contains("logged no model"))
    }

    @Test func `a script that logs no objective fails its trial`() async throws {
        let world = try SweepWorld()
        world.script = { _, _ in nil }
        try await world.apply("trials: 9")
        let id = try await world.start()
        try await world.finish(id)
        guard case .ended(.failed(let reason), nil) = try await world.sweep(id).state else {
            Issue.record("\(try await world.sweep(id).state)")
            return
        }
        #expect(reason.contains("logged no value of the objective"))
    }

    @Test func `a grid ends when every point was tried`() async throws {
        let world = try SweepWorld()
        try await world.apply(
            "method: grid\n      parallel: 2\n      trials: 50".replacingOccurrences(
                of: "trials: 50", with: "max_failures: 9"))
        await #expect(throws: (any Error).self) { try await world.start() }  // a grid needs steps
        let now = world.time.now
        let text = """
            project: p
            jobs: { train: { run: "x ${x}", sweep: { objective: maximize auc, method: grid,
              space: { x: { int: [1, 5] } } } } }
            """
        try await world.store.write { db in
            _ = try ProjectFileQueries.apply(
                db, project: SweepWorld.project, text: text, snapshot: nil, at: now, by: .local)
        }
        let id = try await world.start(.init(trials: 50))
        try await world.finish(id)
        #expect(try await world.trials(id).map { $0.point[0] } == (1...5).map { .int($0) })
    }

    @Test func `a sweep of what is not there is refused`() async throws {
        let world = try SweepWorld()
        await #expect(throws: JobError.noProjectFile(project: SweepWorld.project)) {
            try await world.start()
        }
        try await world.apply("trials: 2")
        await #expect(throws: JobError.self) {
            try await world.starter.start(
                project: SweepWorld.project, job: "trian", changes: .init(), by: .local)
        }
        await #expect(throws: SweepError.self) { try await world.start(.init(trials: 0)) }
        await #expect(throws: SweepError.notFound("x")) {
            try await world.starter.stop("x", by: .local)
        }
    }

    @Test func `a long history is read in parts, and each part once`() async throws {
        let world = try SweepWorld()
        try await world.apply(
            "trials: 1\n      parallel: 1\n      stop: { asha: { grace: 10, reduction: 2 } }")
        let id = try await world.start()
        try await world.controller.runOnce()
        let trial = try #require(try await world.trials(id).first)
        for start in stride(from: 0, to: 120_000, by: 10_000) {
            let points = (start..<start + 10_000).map {
                MetricPoint(
                    value: $0 % 7 == 0 ? .nan : 0.5, timestamp: Int64($0), step: Int64($0))
            }
            try await world.store.write {
                try TrackingQueries.log($0, trial.run, [MetricSeries(key: "auc", points: points)])
            }
        }
        func news() async throws -> SweepSnapshot.News {
            let look = try await world.store.read { try SweepSnapshot.read($0, id) }
            return try #require(look?.news[trial.number])
        }
        let first = try await news().points
        // What one call logged is read whole.
        let most = SweepSnapshot.mostPoints
        #expect((most..<most + 10_000).contains(first.count))
        #expect(first.allSatisfy { $0.value == 0.5 })
        try await world.controller.runOnce()
        let second = try await news().points
        #expect(second.first?.step ?? 0 > first.last?.step ?? .max)
        for _ in 0..<3 { try await world.controller.runOnce() }
        #expect(try await news().points.isEmpty)
        let stopping = try #require(try await world.sweep(id).stopping)
        let rule = try SavedState.decode(EarlyStopping.self, stopping)
        #expect(rule.lastStep(of: trial.number) ?? 0 >= 81_920)
    }

    @Test func `a trial whose end is known goes on while its history is read`() async throws {
        let world = try SweepWorld()
        try await world.apply(
            "trials: 1\n      parallel: 1\n      stop: { asha: { grace: 10, reduction: 2 } }")
        world.script = { _, _ in nil }
        let id = try await world.start()
        try await world.controller.runOnce()
        let trial = try #require(try await world.trials(id).first)
        let points = (0..<60_000).map {
            MetricPoint(value: 0.5, timestamp: Int64($0), step: Int64($0))
        }
        try await world.store.write {
            try TrackingQueries.log($0, trial.run, [MetricSeries(key: "auc", points: points)])
        }
        try await world.finish(id)
        #expect(
            try await world.trials(id).first?.outcome == .succeeded(.init(value: 0.5, step: 59_999))
        )
    }

    @Test func `a plan made from an older look is dropped whole`() async throws {
        let world = try SweepWorld()
        try await world.apply("trials: 3")
        let id = try await world.start()
        let look = try await world.store.read { try SweepSnapshot.read($0, id) }
        let planned = try planSweep(#require(look))
        let plan = try #require(planned)
        _ = try await world.starter.stop(id.rawValue, by: .local)
        let late = SweepPlanApplication(
            plan: plan, names: [TrialNames(run: RunID("r"), job: JobID("j"))], now: world.time.now)
        #expect(try await !world.store.write { try late.apply($0) })
        #expect(try await world.trials(id).isEmpty)
        #expect(try await world.jobs().isEmpty)
    }
}

final class Counter {
    private var count = 0
    func next() -> Int {
        count += 1
        return count
    }
}
