import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// A store with registered versions, a gateway that does as it is told, and the controller.
final class DeploymentWorld: Sendable {
    let folder: TemporaryFolder
    let store: Store
    let time: ManualTime
    let chance: Chance

    init(folder: TemporaryFolder? = nil, time: ManualTime = ManualTime(), seed: UInt64 = 1) throws {
        let folder = try folder ?? TemporaryFolder()
        self.folder = folder
        store = try Store(path: folder.path + "/aloft.db")
        self.time = time
        chance = .seeded(seed)
    }

    var service: DeploymentService {
        DeploymentService(store: store, time: time.source, chance: chance)
    }

    var controller: DeploymentController {
        DeploymentController(
            store: store, time: time.source, chance: chance, logger: Logger(label: "test"))
    }

    // MARK: - Versions

    /// Registers the next version of `m` with a run that logged these metrics.
    @discardableResult
    func register(
        metrics: [String: Double] = [:], isConverted: Bool = true, parity: Double = 1e-7,
        inputs: [ServableManifest.Tensor] = []
    ) async throws -> ModelVersionKey {
        let now = time.now
        let run: RunID = chance.identifier()
        let key = try await store.write { db in
            let handle = try TrackingQueries.createRun(
                db,
                NewRun(
                    id: run, experiment: ExperimentID("0"), name: "r", user: "ann",
                    startTime: now.millisecondsSince1970))
            try TrackingQueries.log(
                db, handle,
                metrics.map { name, value in
                    MetricSeries(
                        key: name, points: [MetricPoint(value: value, timestamp: 1, step: 0)])
                })
            try RegistryQueries.ensureModel(db, name: "m", who: .local, at: now)
            let version = try RegistryQueries.createVersion(
                db, NewModelVersion(name: "m", source: "models:/m-1", run: run), who: .local,
                at: now)
            let key = ModelVersionKey(model: "m", version: Int(version.version))
            let facts = try VersionFactsQueries.find(db, key)
            try ServableQueries.insert(db, key, versionStamp: facts?.stamp ?? "", at: now)
            return key
        }
        if isConverted { try await convert(key, parity: parity, inputs: inputs) }
        return key
    }

    func convert(
        _ key: ModelVersionKey, parity: Double = 1e-7, inputs: [ServableManifest.Tensor] = []
    ) async throws {
        let hex = String(repeating: String(key.version % 10), count: 64)
        let servable = Servable(
            digest: try #require(ContentDigest(hex: hex)), sizeBytes: 10,
            manifest: ServableManifest(
                runtime: .onnx, inputs: inputs, outputs: [], parity: parity))
        let now = time.now
        _ = try await store.write { db in
            try ServableQueries.apply(db, .uploaded(servable), to: key, at: now, by: .local)
        }
    }

    func apply(projectFile text: String) async throws {
        let now = time.now
        try await store.write { db in
            _ = try ProjectFileQueries.apply(
                db, project: ProjectID("flights"), text: text, snapshot: nil, at: now, by: .local)
        }
    }

    // MARK: - Deploying

    @discardableResult
    func deploy(
        _ key: ModelVersionKey, environment: String = "production", atOnce: Bool = false
    ) async throws -> RevisionRecord {
        let reference = try #require(ModelReference(key.description))
        return try await service.deploy(
            .init(
                deployment: "d", environment: environment, model: reference, atOnce: atOnce),
            by: .user(name: "ann")
        ).revision
    }

    /// Deploys and takes it to the end without any harm.
    func deployFully(
        _ key: ModelVersionKey, environment: String = "production"
    ) async throws -> RevisionRecord {
        let revision = try await deploy(key, environment: environment, atOnce: true)
        try await settle()
        return try await self.revision(revision.id)
    }

    func revision(_ id: RevisionID) async throws -> RevisionRecord {
        try #require(try await store.read { try RevisionQueries.find($0, id) })
    }

    /// Controller and gateway take turns, without time passing.
    func settle(_ gateway: FakeGateway = FakeGateway(), rounds: Int = 4) async throws {
        for _ in 0..<rounds {
            _ = try await controller.runOnce()
            try await gateway.report(to: self)
        }
        _ = try await controller.runOnce()
    }

    func weights(environment: String = "production") async throws -> [Int: Double] {
        let plan = try await store.read { try DesiredStateQueries.read($0).plan }
        let endpoint = plan.endpoints.first { $0.environment == environment }
        return Dictionary(
            uniqueKeysWithValues: (endpoint?.revisions ?? []).map { ($0.number, $0.weightPercent) })
    }
}

/// Loads whatever is desired and reports it, with counters as a test sets them.
struct FakeGateway: Sendable {
    var name = "g"
    var incarnation = "1"
    /// What each revision, by its number, has counted.
    var traffic: [Int: TrafficCount] = [:]
    /// Revisions that it cannot load, by number.
    var broken: Set<Int> = []
    var warmupMicroseconds = 500.0
    /// The desired state that its event loops answer by; `nil`: the newest.
    var served: Int?

    func report(to world: DeploymentWorld) async throws {
        let (revision, plan) = try await world.store.read { try DesiredStateQueries.read($0) }
        var warmup = LatencyHistogram()
        for _ in 0..<50 { warmup.record(microseconds: warmupMicroseconds) }
        let measured = warmup
        let reports = plan.endpoints.flatMap(\.revisions).map { served in
            let isBroken = broken.contains(served.number)
            return GatewayRevisionReport(
                revision: served.id, state: isBroken ? .failed : .ready,
                error: isBroken ? "no such operator" : nil, warmup: measured,
                traffic: traffic[served.number] ?? TrafficCount())
        }
        let now = world.time.now
        try await world.store.write { db in
            try GatewayQueries.report(
                db, gateway: GatewayID(name), incarnation: incarnation,
                desiredRevision: served ?? revision,
                revisions: reports, at: now)
        }
    }
}

func makeTraffic(_ requests: UInt64, errors: UInt64 = 0) -> TrafficCount {
    var latency = LatencyHistogram()
    for _ in 0..<min(requests, 1000) { latency.record(microseconds: 800) }
    return TrafficCount(requests: requests, errors: errors, latency: latency)
}
