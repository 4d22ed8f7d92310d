import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

struct DeploymentQueriesTests {
    private let time = ManualTime()
    private let chance = Chance.seeded(1)

    private var context: ChangeContext {
        ChangeContext(now: time.now, who: .user(name: "ann"), chance: chance)
    }

    private func servable(_ digit: Character = "a") throws -> Servable {
        let digest = try #require(ContentDigest(hex: String(repeating: digit, count: 64)))
        return Servable(
            digest: digest, sizeBytes: 10,
            manifest: ServableManifest(runtime: .onnx, inputs: [], outputs: []))
    }

    /// Adds a revision and takes it to `warming`.
    private func warm(
        _ store: Store, version: Int, policy: RolloutPolicy = .standard
    ) async throws -> RevisionRecord {
        let context = context
        let servable = try servable()
        return try await store.write { db in
            let deployment = try DeploymentQueries.ensure(
                db, id: context.chance.identifier(), project: .default, name: "delay",
                environment: "production", at: context.now, by: context.who)
            let revision = try RevisionQueries.insert(
                db, id: context.chance.identifier(), deployment: deployment,
                version: ModelVersionKey(model: "m", version: version), policy: policy, checks: [],
                at: context.now, by: context.who)
            return try RevisionQueries.apply(
                db, .admitted, to: revision, servable: servable, context)
        }
    }

    private func apply(
        _ store: Store, _ event: RevisionLifecycle.Event, to record: RevisionRecord
    ) async throws -> RevisionRecord {
        let context = context
        return try await store.write { db in
            try RevisionQueries.apply(db, event, to: record, context)
        }
    }

    private func weights(_ store: Store) async throws -> [Double] {
        try await store.read { db in
            try DesiredStateQueries.read(db).plan.endpoints.flatMap(\.revisions)
                .map(\.weightPercent)
        }
    }

    @Test func `weights follow the states through rollout, promotion and rollback`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let first = try await warm(store, version: 1)
        #expect(try await weights(store) == [0])
        let live = try await apply(store, .released(byRollout: false), to: first)
        #expect(try await weights(store) == [100])
        let second = try await warm(store, version: 2)
        let rolling = try await apply(store, .released(byRollout: true), to: second)
        #expect(try await weights(store) == [90, 10])
        let context = context
        try await store.write { db in
            let rollout = try #require(try RolloutQueries.find(db, of: rolling.id))
            try RolloutQueries.apply(
                db, .advanced(at: context.now), to: rollout, reason: "good", context)
        }
        #expect(try await weights(store) == [50, 50])
        _ = try await apply(store, .promoted, to: rolling)
        #expect(try await weights(store) == [0, 100])
        let restored = try await store.write { db in
            try RevisionQueries.restoreStandby(
                db, of: live.deployment, reason: "rollback", context)
        }
        #expect(restored.number == 1)
        #expect(try await weights(store) == [100])
    }

    @Test func `the revision of the desired state grows only when it changes`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        _ = try await warm(store, version: 1)
        let before = try await store.read { try DesiredStateQueries.revision($0) }
        try await store.write { try DesiredStateQueries.refresh($0) }
        #expect(try await store.read { try DesiredStateQueries.revision($0) } == before)
    }

    @Test func `an abort gives the traffic back and keeps what the step saw`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        _ = try await apply(
            store, .released(byRollout: false), to: try await warm(store, version: 1))
        let rolling = try await apply(
            store, .released(byRollout: true), to: try await warm(store, version: 2))
        let (now, id) = (time.now, rolling.id)
        try await store.write { db in
            try GatewayQueries.report(
                db, gateway: GatewayID("g"), incarnation: "1", desiredRevision: 3,
                revisions: [
                    GatewayRevisionReport(
                        revision: id, state: .ready,
                        traffic: TrafficCount(requests: 40, errors: 20))
                ], at: now)
        }
        _ = try await apply(store, .withdrawn(.aborted(reason: "error_rate")), to: rolling)
        #expect(try await weights(store) == [100])
        let step = try await store.read { db in
            let rollout = try #require(try RolloutQueries.find(db, of: id))
            #expect(rollout.state == .aborted(step: 0, reason: "error_rate"))
            return try #require(try RolloutQueries.steps(db, of: rollout).first)
        }
        #expect(step.traffic.candidate.requests == 40)
        #expect(step.end?.verdict == .aborted)
        #expect(step.end?.reason == "error_rate")
    }

    @Test func `a plan made from an old row changes nothing`() async throws {
        let temporary = try TemporaryStore()
        let revision = try await warm(temporary.store, version: 1)
        _ = try await apply(temporary.store, .released(byRollout: false), to: revision)
        await #expect(throws: StalePlan.self) {
            _ = try await apply(temporary.store, .failed(reason: "x"), to: revision)
        }
    }

    @Test func `only one revision is under way`() async throws {
        let temporary = try TemporaryStore()
        _ = try await warm(temporary.store, version: 1)
        await #expect(throws: StatementError.self) {
            _ = try await warm(temporary.store, version: 2)
        }
    }

    @Test func `gateways add up, also over a gateway's restart`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let revision = try await warm(store, version: 1)
        let now = time.now
        @Sendable func report(
            _ gateway: String, _ incarnation: String, _ requests: UInt64
        ) async throws {
            try await store.write { db in
                try GatewayQueries.report(
                    db, gateway: GatewayID(gateway), incarnation: incarnation, desiredRevision: 1,
                    revisions: [
                        GatewayRevisionReport(
                            revision: revision.id, state: .ready,
                            traffic: TrafficCount(requests: requests, errors: 1))
                    ], at: now)
            }
        }
        try await report("a", "1", 10)
        try await report("b", "1", 5)
        try await report("a", "1", 12)
        try await report("a", "2", 3)
        try await report("a", "1", 13)  // late news of the incarnation before
        let sum = try await store.read { try GatewayQueries.traffic($0, of: revision.id) }
        #expect(sum.requests == 20)
        #expect(sum.errors == 3)
        let fleet = try await store.read { db in
            try GatewayQueries.fleet(db, of: revision.id, heardSince: now)
        }
        #expect(fleet.map(\.gateway.rawValue) == ["a", "b"])
        #expect(fleet.compactMap(\.report?.traffic.requests) == [3, 5])
    }

    @Test func `reports of unknown revisions are ignored`() async throws {
        let temporary = try TemporaryStore()
        let now = time.now
        try await temporary.store.write { db in
            try GatewayQueries.report(
                db, gateway: GatewayID("a"), incarnation: "1", desiredRevision: 1,
                revisions: [GatewayRevisionReport(revision: RevisionID("?"), state: .ready)],
                at: now)
        }
        #expect(try await temporary.store.read { try GatewayQueries.list($0).count } == 1)
    }

    @Test func `a servable is stored whole and told of once`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let key = ModelVersionKey(model: "m", version: 1)
        let (now, made) = (time.now, try servable())
        try await store.write { db in
            try ServableQueries.insert(db, key, versionStamp: "1", at: now)
            try ServableQueries.insert(db, key, versionStamp: "1", at: now)
            try ServableQueries.apply(db, .jobCreated(JobID("j")), to: key, at: now, by: .local)
            try ServableQueries.apply(db, .uploaded(made), to: key, at: now, by: .local)
            try ServableQueries.apply(db, .uploaded(made), to: key, at: now, by: .local)
        }
        let (record, events) = try await store.read { db in
            (
                try ServableQueries.find(db, key),
                try EventLog.list(db, entity: "servable", entityID: "m/1", limit: 10)
            )
        }
        #expect(record?.servable == made)
        #expect(record?.job == JobID("j"))
        #expect(events.map(\.what) == ["converting", "ready"])
    }

    @Test func `a checked version is known by the checks it passed`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let revision = try await warm(store, version: 1)
        let now = time.now
        let key = ModelVersionKey(model: "m", version: 1)
        try await store.write { db in
            try RevisionQueries.insertChecks(
                db,
                [
                    CheckResultRecord(
                        position: 0, source: "auc >= 0.6", held: true, left: 0.7, right: 0.6,
                        explanation: "holds")
                ], of: revision.id, at: now)
        }
        let passed: @Sendable () async throws -> Set<String> = {
            try await store.read { db in
                try RevisionQueries.passedChecks(db, version: key, environment: "production")
            }
        }
        #expect(try await passed().isEmpty, "it was not released yet")
        _ = try await apply(store, .released(byRollout: false), to: revision)
        #expect(try await passed() == ["auc >= 0.6"])
    }
}
