import AloftArtifacts
import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

struct ConversionControllerTests {
    private func controller(
        _ world: DeploymentWorld, lastLines: String = ""
    ) throws -> ConversionController {
        let snapshot = try #require(ContentDigest(hex: String(repeating: "c", count: 64)))
        let artifacts = try ArtifactFolder(
            root: world.folder.path + "/artifacts", chance: world.chance)
        return ConversionController(
            store: world.store,
            tools: .init(
                snapshot: { snapshot }, files: VersionFiles(artifacts: artifacts),
                lastLines: { _ in lastLines }),
            time: world.time.source, chance: world.chance, logger: Logger(label: "test"))
    }

    /// Registers a version as a plain client does: nothing of ours knows of it.
    private func register(
        _ world: DeploymentWorld, name: String = "m", hasModel: Bool = true
    ) async throws {
        let now = world.time.now
        if hasModel {
            let folder = world.folder.path + "/artifacts/files/0/models/m-1/artifacts"
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            try Data("flavors: {}".utf8).write(to: URL(fileURLWithPath: folder + "/MLmodel"))
        }
        _ = try await world.store.write { db in
            try RegistryQueries.ensureModel(db, name: name, who: .local, at: now)
            try RegistryQueries.createVersion(
                db, NewModelVersion(name: name, source: "mlflow-artifacts:/0/models/m-1/artifacts"),
                who: .local, at: now)
        }
    }

    private func servable(_ world: DeploymentWorld, _ key: ModelVersionKey) async throws
        -> ServableRecord?
    {
        try await world.store.read { try ServableQueries.find($0, key) }
    }

    private let first = ModelVersionKey(model: "m", version: 1)

    @Test func `a registered version gets one conversion job, however often one looks`()
        async throws
    {
        let world = try DeploymentWorld()
        try await register(world)
        for _ in 0..<3 { try await controller(world).runOnce() }
        let jobs = try await world.store.read { try JobQueries.live($0) }
        #expect(jobs.count == 1)
        let job = try #require(jobs.first)
        #expect(try await servable(world, first)?.lifecycle.state == .converting(job.id))
        #expect(job.spec.command.contains("--model-uri 'models:/m/1'"))
    }

    @Test func `a job that fails is told of with its last lines`() async throws {
        let world = try DeploymentWorld()
        try await register(world)
        let controller = try controller(
            world, lastLines: "Traceback\nconversion failed: no converter for X\n")
        try await controller.runOnce()
        let now = world.time.now
        try await world.store.write { db in
            for job in try JobQueries.live(db) {
                try JobQueries.requestStop(db, job.id, reason: "test", at: now, by: .local)
            }
        }
        try await controller.runOnce()
        let state = try await servable(world, first)?.lifecycle.state
        #expect(
            state
                == .failed(
                    ConversionFailure(
                        reason: "no converter for X",
                        lastLines: "Traceback\nconversion failed: no converter for X\n")))
    }

    @Test func `a source without a model starts no job, and says what it lacks`() async throws {
        let world = try DeploymentWorld()
        try await register(world, hasModel: false)
        for _ in 0..<2 { try await controller(world).runOnce() }
        #expect(try await world.store.read { try JobQueries.live($0) }.isEmpty)
        guard case .failed(let failure)? = try await servable(world, first)?.lifecycle.state else {
            Issue.record("the version waits")
            return
        }
        #expect(failure.reason.contains("holds no model"))
    }

    @Test func `conversions queue behind what people start`() async throws {
        let world = try DeploymentWorld()
        try await register(world)
        try await controller(world).runOnce()
        let jobs = try await world.store.read { try JobQueries.live($0) }
        #expect(jobs.allSatisfy { $0.spec.priority < 0 } && jobs.count == 1)
    }

    @Test func `a version that replaces a deleted one is converted anew`() async throws {
        let world = try DeploymentWorld()
        try await register(world)
        try await controller(world).runOnce()
        let old = try await servable(world, first)
        let now = world.time.now
        try await world.store.write { db in
            try RegistryQueries.deleteModel(db, "m", who: .local, at: now)
        }
        try await register(world)
        try await controller(world).runOnce()
        let new = try await servable(world, first)
        #expect(new?.job != nil)
        #expect(new?.job != old?.job)
    }

    @Test func `stopped before any effect, each version still has one job`() async throws {
        for crashAt in 0..<3 {
            let world = try DeploymentWorld()
            try await register(world)
            try await register(world)
            var crashing = try controller(world)
            crashing.effects = DeadLine(after: crashAt).hook
            let dying = crashing
            await #expect(throws: EffectHook.Killed.self) { try await dying.runOnce() }
            try await controller(world).runOnce()
            #expect(try await world.store.read { try JobQueries.live($0).count } == 2)
        }
    }

    @Test func `a model's own packages are kept, the converters' pins win`() {
        let text = ConversionRequirements.text(
            own: "mlflow==3.17.2\nscikit-learn==1.9.0\n# note\nonnx==1.14\nnumpy==2.4.6\n")
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines.prefix(3) == ["mlflow==3.17.2", "scikit-learn==1.9.0", "numpy==2.4.6"])
        #expect(!lines.contains("onnx==1.14"))
        #expect(lines.contains("pandas"))
        #expect(!lines.contains { $0.hasPrefix("mlflow-skinny") })
        #expect(ConversionRequirements.text(own: nil).hasPrefix("mlflow-skinny"))
    }

    @Test func `PyTorch comes with what its exporter needs, once`() {
        func exporters(_ own: String) -> [Substring] {
            ConversionRequirements.text(own: own).split(separator: "\n")
                .filter { $0.hasPrefix("onnxscript") }
        }
        #expect(exporters("torch==2.15.0\n") == ["onnxscript==0.7.2"])
        #expect(exporters("torch\nonnxscript==0.5.0\n") == ["onnxscript==0.5.0"])
        #expect(exporters("scikit-learn==1.9.0\n").isEmpty)
    }
}
