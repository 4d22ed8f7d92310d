import AloftDomain
import AloftStore
import Foundation
import Testing

struct JobQueriesTests {
    private static let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let store: Store
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "aloft-jobs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        store = try Store(path: folder.path + "/aloft.db")
    }

    private func spec(_ name: String = "train") -> JobSpec {
        JobSpec(
            project: ProjectID("flights"), name: name, command: "true",
            parameters: ["depth": "6"],
            resources: Resources(cpus: 0.5, memoryBytes: 1 << 30, timeLimit: .seconds(90)),
            run: RunID("r1"), group: JobGroup(name: "s1", parallel: 2))
    }

    private func insert(_ id: JobID, at offset: TimeInterval = 0) async throws {
        let spec = spec()
        try await store.write { db in
            try JobQueries.insert(
                db, id: id, spec: spec, at: Self.now + offset, by: .local)
        }
    }

    @Test func `a job comes back as it was stored, with its event`() async throws {
        try await insert(JobID("j1"))
        let (job, events) = try await store.read { db in
            (
                try JobQueries.get(db, JobID("j1")),
                try EventLog.list(db, entity: "job", entityID: "j1", limit: 10)
            )
        }
        #expect(job.spec == spec())
        #expect(job.state == .queued(attempt: 1))
        #expect(job.createdAt == Self.now)
        #expect(events.map(\.what) == ["queued"])
    }

    @Test func `a job is found by the begin of its identifier, and several are named`() async throws
    {
        for id in ["abc1230", "abc1239", "abd0000", "train0", "train1"] {
            try await insert(JobID(id))
        }
        func found(_ text: String) async throws -> String {
            try await store.read { try JobQueries.resolve($0, text) }.id.rawValue
        }
        #expect(try await found("abd") == "abd0000")
        #expect(try await found("abc1239") == "abc1239")
        #expect(try await found("train") == "train1", "a name before several beginnings")
        await #expect(
            throws: JobError.ambiguous("abc", [JobID("abc1230"), JobID("abc1239")])
        ) { try await found("abc") }
        let refusal = JobError.ambiguous("ab", (0..<6).map { JobID("ab\($0)") })
        #expect(
            refusal.message
                == "several jobs begin with ab: ab0, ab1, ab2, ab3, ab4, ...; write more of it")
        for text in ["", "zzz", "abc1230x"] {
            await #expect(throws: JobError.notFound(JobID(text))) { try await found(text) }
        }
    }

    @Test func `a job walks through its life, and its attempt and token with it`() async throws {
        let id = JobID("j1")
        try await insert(id)
        let lease = Self.now + 60
        let ended = try await store.write { db in
            let job = try JobQueries.apply(
                db, .claimed(leaseUntil: lease), to: id, at: Self.now, by: .local, gpuSlots: ["g0"])
            try JobQueries.giveToken(
                db, to: job, id: TokenID("t1"), secret: "secret", at: Self.now)
            #expect(try JobQueries.heldSlots(db) == [job.attempt: ["g0"]])
            #expect(try TokenQueries.find(db, secret: "secret")?.name == "j1")
            try JobQueries.apply(
                db, .started(attempt: 1, leaseUntil: lease), to: id, at: Self.now + 1, by: .local)
            try JobQueries.recordUse(
                db, by: job.attempt, usage: AttemptUsage(peakMemoryBytes: 7, cpuSeconds: 0.5),
                environment: nil, at: Self.now)
            return try JobQueries.apply(
                db, .ended(attempt: 1, .exited(code: 3)), to: id, at: Self.now + 2, by: .local)
        }
        #expect(ended.outcome == .failed(.exited(code: 3)))
        let (job, attempts, token, slots, events) = try await store.read { db in
            (
                try JobQueries.get(db, id), try JobQueries.attempts(db, of: id),
                try TokenQueries.find(db, secret: "secret"), try JobQueries.heldSlots(db),
                try EventLog.list(db, entity: "job", entityID: "j1", limit: 10)
            )
        }
        #expect(job == ended)
        #expect(job.startedAt == Self.now + 1)
        #expect(job.endedAt == Self.now + 2)
        #expect(attempts.count == 1)
        #expect(attempts.first?.howEnded == .exited(code: 3))
        #expect(attempts.first?.usage == AttemptUsage(peakMemoryBytes: 7, cpuSeconds: 0.5))
        #expect(token == nil)
        #expect(slots.isEmpty)
        #expect(events.map(\.what) == ["queued", "starting", "running", "failed"])
        #expect(events.last?.why == "the command ended with exit status 3")
    }

    @Test func `a stop ends a waiting job at once, and twice is once`() async throws {
        let id = JobID("j1")
        try await insert(id)
        let (first, second) = try await store.write { db in
            (
                try JobQueries.requestStop(db, id, reason: "no", at: Self.now, by: .local),
                try JobQueries.requestStop(db, id, reason: "again", at: Self.now + 9, by: .local)
            )
        }
        #expect(first.outcome == .stopped)
        #expect(first.stopReason == "no")
        #expect(first == second)
    }

    @Test func `lists are newest first and go on where the page ended`() async throws {
        for number in 1...5 { try await insert(JobID("j\(number)"), at: TimeInterval(number)) }
        let (first, second, live) = try await store.read { db in
            (
                try JobQueries.list(db, .init(project: ProjectID("flights")), limit: 2),
                try JobQueries.list(db, .init(before: JobID("j4")), limit: 2),
                try JobQueries.live(db)
            )
        }
        #expect(first.map(\.id.rawValue) == ["j5", "j4"])
        #expect(second.map(\.id.rawValue) == ["j3", "j2"])
        #expect(live.map(\.id.rawValue) == ["j1", "j2", "j3", "j4", "j5"])
    }

    @Test func `a job without processor cores is refused`() async throws {
        var spec = spec()
        spec.resources.cpus = 0
        let broken = spec
        await #expect(throws: JobError.self) {
            try await store.write { db in
                try JobQueries.insert(
                    db, id: JobID("j1"), spec: broken, at: Self.now, by: .local)
            }
        }
    }
}
