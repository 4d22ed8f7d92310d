import AloftDomain
import AloftScheduling
import Testing

struct JobPlannerTests {
    private static let pool = Capacity(cpus: 2, memoryBytes: 8 << 30, gpuSlots: ["g0", "g1"])

    private func waiting(
        _ name: String, project: String = "p", cpus: Double = 1, memory: Int64? = nil,
        gpus: Int = 0, group: JobGroup? = nil, priority: Int = 0, waited: Duration = .zero
    ) -> JobSnapshot.Waiting {
        JobSnapshot.Waiting(
            job: JobID(name), project: ProjectID(project), group: group,
            resources: Resources(cpus: cpus, memoryBytes: memory, gpus: gpus),
            priority: priority, waited: waited)
    }

    private func placed(
        _ name: String, project: String = "p", cpus: Double = 1, slots: [String] = [],
        group: JobGroup? = nil
    ) -> JobSnapshot.Placed {
        JobSnapshot.Placed(
            job: JobID(name), project: ProjectID(project), group: group,
            resources: Resources(cpus: cpus, gpus: slots.count), gpuSlots: slots)
    }

    private func plan(
        _ waiting: [JobSnapshot.Waiting], placed: [JobSnapshot.Placed] = []
    ) -> JobPlan {
        JobPlanner.plan(JobSnapshot(capacity: Self.pool, placed: placed, waiting: waiting))
    }

    private func waits(_ plan: JobPlan) -> [JobID: WaitReason] {
        Dictionary(uniqueKeysWithValues: plan.queue.map { ($0.job, $0.reason) })
    }

    private func names(_ plan: JobPlan) -> [String] { plan.starts.map(\.job.rawValue) }

    @Test func `the oldest go first, as many as there is room for`() {
        let plan = plan([waiting("a"), waiting("b"), waiting("c")])
        #expect(names(plan) == ["a", "b"])
        #expect(waits(plan) == [JobID("c"): .cpus])
    }

    @Test func `who waits stands in the planner's order, with the reason in words`() {
        let plan = plan(
            [
                waiting("a", cpus: 2), waiting("b", cpus: 2, priority: 5),
                waiting("c", project: "q", cpus: 2), waiting("d", memory: 16 << 20, gpus: 2),
            ], placed: [placed("x", cpus: 1.5, slots: ["g1"])])
        #expect(plan.queue.map(\.job.rawValue) == ["b", "c", "a", "d"])
        #expect(
            plan.queue.first?.explanation
                == "it asks for 2 processor cores, and 0.5 of 2 are free")
        #expect(plan.queue.count == 4)
    }

    @Test func `priority goes before age`() {
        #expect(
            names(plan([waiting("a"), waiting("b"), waiting("c", priority: 1)])) == ["c", "a"])
    }

    @Test func `the project with the smaller share goes first`() {
        let plan = plan(
            [waiting("a"), waiting("b"), waiting("c", project: "q")], placed: [placed("x")])
        #expect(names(plan) == ["c"])
    }

    @Test func `two projects take turns`() {
        let plan = plan([
            waiting("a", cpus: 0.5), waiting("b", cpus: 0.5), waiting("c", cpus: 0.5),
            waiting("d", project: "q", cpus: 0.5), waiting("e", project: "q", cpus: 0.5),
        ])
        #expect(names(plan) == ["a", "d", "b", "e"])
    }

    @Test func `no more of a group than may, and others pass`() {
        let group = JobGroup(name: "s", parallel: 1)
        let plan = plan([
            waiting("a", cpus: 0.5, group: group), waiting("b", cpus: 0.5, group: group),
            waiting("c", cpus: 0.5),
        ])
        #expect(names(plan) == ["a", "c"])
        #expect(waits(plan) == [JobID("b"): .group])
    }

    @Test func `each GPU is leased once`() {
        let plan = plan(
            [waiting("a", cpus: 0.1, gpus: 1), waiting("b", cpus: 0.1, gpus: 1)],
            placed: [placed("x", cpus: 0.1, slots: ["g0"])])
        #expect(plan.starts.first?.gpuSlots == ["g1"])
        #expect(waits(plan) == [JobID("b"): .gpus])
    }

    @Test func `who can never fit is told why`() {
        let plan = plan([
            waiting("a", cpus: 4), waiting("b", memory: 9 << 30), waiting("c", gpus: 3),
        ])
        #expect(plan.starts.isEmpty)
        #expect(Set(plan.impossible.keys.map(\.rawValue)) == ["a", "b", "c"])
        #expect(plan.impossible[JobID("a")]?.contains("4.0 processor cores") == true)
    }

    @Test func `a large job is passed at first, and not for ever`() {
        let small = [waiting("b", cpus: 0.5), waiting("c", cpus: 0.5)]
        let running = [placed("x", cpus: 1)]
        let young = plan([waiting("a", cpus: 2)] + small, placed: running)
        #expect(names(young) == ["b", "c"])
        let old = plan([waiting("a", cpus: 2, waited: .minutes(11))] + small, placed: running)
        #expect(old.starts.isEmpty)
        #expect(waits(old)[JobID("b")] == .turn)
    }

    /// A world that runs to its end: jobs start as planned and end by chance.
    @Test(arguments: UInt64(0)..<200)
    func `nothing is ever oversold, and every job that can runs`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        let slots = (0..<Int.random(in: 0...3, using: &chance)).map { "g\($0)" }
        let capacity = Capacity(
            cpus: Double(Int.random(in: 1...8, using: &chance)),
            memoryBytes: Int64.random(in: 1...16, using: &chance) << 30, gpuSlots: slots)
        var queue = (0..<30).map { number in
            let hasGroup = Bool.random(using: &chance)
            return waiting(
                "j\(number)", project: "p\(Int.random(in: 0...2, using: &chance))",
                cpus: Double(Int.random(in: 1...20, using: &chance)) / 4,
                memory: Bool.random(using: &chance)
                    ? Int64.random(in: 1...12, using: &chance) << 30 : nil,
                gpus: Int.random(in: 0...9, using: &chance) / 5,
                group: hasGroup ? JobGroup(name: "s", parallel: 2) : nil,
                priority: Int.random(in: 0...1, using: &chance))
        }
        var running: [JobSnapshot.Placed] = []
        var rounds = 0
        while !(queue.isEmpty && running.isEmpty) {
            rounds += 1
            guard rounds < 500 else {
                Issue.record("jobs wait for ever")
                return
            }
            let plan = JobPlanner.plan(
                JobSnapshot(capacity: capacity, placed: running, waiting: queue))
            #expect(
                plan.starts.count + plan.impossible.count + plan.queue.count == queue.count)
            for start in plan.starts {
                guard let index = queue.firstIndex(where: { $0.job == start.job }) else {
                    Issue.record("\(start.job) does not wait")
                    return
                }
                let job = queue.remove(at: index)
                #expect(start.gpuSlots.count == job.resources.gpus)
                running.append(
                    JobSnapshot.Placed(
                        job: job.job, project: job.project, group: job.group,
                        resources: job.resources, gpuSlots: start.gpuSlots))
            }
            queue.removeAll { plan.impossible[$0.job] != nil }
            #expect(running.reduce(0) { $0 + $1.resources.cpus } <= capacity.cpus + 1e-6)
            #expect(
                running.reduce(0) { $0 + ($1.resources.memoryBytes ?? 0) } <= capacity.memoryBytes)
            let leased = running.flatMap(\.gpuSlots)
            #expect(Set(leased).count == leased.count && Set(leased).isSubset(of: slots))
            #expect(running.filter { $0.group != nil }.count <= 2)
            if !queue.isEmpty { #expect(!running.isEmpty) }
            running.removeAll { _ in Int.random(in: 0..<3, using: &chance) == 0 }
        }
    }
}
