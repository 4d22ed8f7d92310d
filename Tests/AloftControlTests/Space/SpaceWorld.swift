import AloftArtifacts
import AloftDomain
import AloftStore
import AloftTestKit
import AloftWire
import Foundation
import Testing

@testable import AloftControl

/// A data folder with a history that chance makes, and beside it a plain model of what must be there.
final class SpaceWorld {
    struct Thing {
        var experiment: Int64
        var place: String
        var deletedAt: Date?
        var files: [String: Data]
    }

    struct Version {
        var name: String
        var number: Int64
        var run: String?
        var model: String?
    }

    let temporary: TemporaryStore
    /// Whole seconds, as some file systems keep them.
    let time = ManualTime(
        start: Date(timeIntervalSince1970: Date().timeIntervalSince1970.rounded(.down)))
    var chance: SplitMix64
    var artifacts: ArtifactFolder
    var blobs: BlobStore

    var experiments: [Int64: Date?] = [0: nil]
    var runs: [String: Thing] = [:]
    var models: [String: Thing] = [:]
    var traces: [String: Thing] = [:]
    var versions: [Version] = []
    var orphans: [String: (touched: Date, data: Data)] = [:]
    /// What deleted traces left behind, by path.
    var orphanFiles: [String: (touched: Date, data: Data)] = [:]
    var storedBlobs: [ContentDigest: (touched: Date, isUsed: Bool)] = [:]
    var strays: [String: Data] = [:]

    var store: Store { temporary.store }
    var now: Date { time.now }

    init(seed: UInt64) throws {
        temporary = try TemporaryStore()
        chance = SplitMix64(seed: seed)
        artifacts = try Self.openArtifacts(temporary)
        blobs = try Self.openBlobs(temporary)
    }

    static func openArtifacts(_ temporary: TemporaryStore) throws -> ArtifactFolder {
        try ArtifactFolder(root: temporary.folder.path + "/artifacts", chance: .live())
    }

    static func openBlobs(_ temporary: TemporaryStore) throws -> BlobStore {
        try BlobStore(root: temporary.folder.path + "/blobs", chance: .live())
    }

    func hex() -> String {
        let id: RunID = .random(using: &chance)
        return id.rawValue
    }

    func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &chance) }

    func pick<Key: Comparable, Value>(
        _ all: [Key: Value], where holds: (Value) -> Bool = { _ in true }
    ) -> Key? {
        all.filter { holds($0.value) }.keys.sorted().randomElement(using: &chance)
    }

    // MARK: Steps

    func step() async throws {
        switch below(23) {
        case 0: try await createExperiment()
        case 1...4: try await createRun()
        case 5, 6: try await createModel()
        case 7, 8: try await register()
        case 9...11: try await deleteRun()
        case 12: try await restoreRun()
        case 13: try await deleteModel()
        case 14: try await deleteVersion()
        case 15: try await deleteExperiment()
        case 16: try await restoreExperiment()
        case 17: try storeOrphan()
        case 18: try await storeBlob()
        case 19, 20: try await createTrace()
        case 21: try await deleteTraces()
        default: time.advance(by: .seconds(3600 * (1 + below(72))))
        }
        if below(6) == 0 { time.advance(by: .seconds(3600 * (1 + below(240)))) }
    }

    private func createExperiment() async throws {
        let (name, at) = (hex(), now)
        let id = try await store.write {
            try TrackingQueries.createExperiment($0, name: name, at: at)
        }
        experiments[Int64(id.rawValue) ?? -1] = .some(nil)
    }

    private func liveExperiment() -> Int64? {
        experiments.filter { $0.value == nil }.keys.sorted().randomElement(using: &chance)
    }

    private func createRun() async throws {
        guard let experiment = liveExperiment() else { return }
        let id = hex()
        let new = NewRun(
            id: RunID(id), experiment: ExperimentID(String(experiment)), name: "r",
            startTime: now.millisecondsSince1970)
        let points = (0..<below(30)).map {
            MetricPoint(value: Double($0), timestamp: Int64($0), step: Int64($0))
        }
        try await store.write { db in
            try TrackingQueries.createRun(db, new)
            try TrackingQueries.log(db, new.id, [MetricSeries(key: "loss", points: points)])
        }
        let place = "\(experiment)/\(id)/artifacts"
        let files = try putFiles(below: place)
        runs[id] = Thing(experiment: experiment, place: place, files: files)
    }

    private func createModel() async throws {
        guard let experiment = liveExperiment() else { return }
        let id = "m-" + hex()
        let run = pick(runs) { $0.experiment == experiment }
        let new = NewLoggedModel(
            id: LoggedModelID(id), experiment: ExperimentID(String(experiment)), name: "net",
            sourceRun: run.map { RunID($0) })
        let at = now
        try await store.write { try LoggedModelQueries.create($0, new, at: at) }
        let place = "\(experiment)/models/\(id)/artifacts"
        let files = try putFiles(below: place)
        models[id] = Thing(experiment: experiment, place: place, files: files)
    }

    private func createTrace() async throws {
        guard let experiment = liveExperiment() else { return }
        let id = "tr-" + hex()
        let trace = TraceRecord(
            id: TraceID(id), experiment: ExperimentID(String(experiment)),
            requestTime: now.millisecondsSince1970, duration: nil, state: .ok)
        try await store.write { try TraceQueries.start($0, trace) }
        let place = "\(experiment)/traces/\(id)/artifacts"
        traces[id] = Thing(experiment: experiment, place: place, files: try putFiles(below: place))
    }

    /// A deleted trace has no row; its files are an orphan's, touched when they were written.
    private func deleteTraces() async throws {
        guard let id = pick(traces), let trace = traces.removeValue(forKey: id) else { return }
        let experiment = ExperimentID(String(trace.experiment))
        let count = try await store.write {
            try TraceQueries.delete($0, .these([TraceID(id)]), of: experiment)
        }
        #expect(count == 1)
        guard !trace.files.isEmpty else { return }
        try stamp(artifacts.location(of: ArtifactPath("\(trace.experiment)/traces/\(id)")))
        for (path, data) in trace.files { orphanFiles[path] = (now, data) }
    }

    private func putFiles(below place: String) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for index in 0..<below(3) {
            let path = place + "/" + (below(2) == 0 ? "a/b/" : "") + "\(index).bin"
            files[path] = try put(path)
        }
        return files
    }

    @discardableResult
    private func put(_ path: String) throws -> Data {
        let data = Data(hex().utf8)
        let file = try artifacts.begin()
        try data.withUnsafeBytes { try file.write($0) }
        try artifacts.keep(file, at: ArtifactPath(path))
        return data
    }

    private func register() async throws {
        var version = Version(name: "model\(below(3))", number: 0)
        let source: String
        switch below(4) {
        case 0:
            guard let id = pick(models, where: { _ in true }),
                try await store.read({ try? LoggedModelQueries.get($0, LoggedModelID(id)) }) != nil
            else { return }
            version.model = id
            source = "models:/\(id)"
        case 1:
            guard let id = pick(runs) else { return }
            version.run = id
            source = "mlflow-artifacts:/\(runs[id]?.place ?? "")/a"
        case 2:
            guard let id = pick(runs) else { return }
            version.run = id
            source = "runs:/\(id)/a"
        default:
            guard let id = pick(runs) else { return }
            version.run = id
            source = "s3://elsewhere/x"
        }
        let new = NewModelVersion(
            name: version.name, source: source,
            run: source.hasPrefix("s3") ? version.run.map { RunID($0) } : nil,
            loggedModel: version.model.map { LoggedModelID($0) })
        let at = now
        let record = try await store.write { db in
            try RegistryQueries.ensureModel(db, name: new.name, who: .local, at: at)
            return try RegistryQueries.createVersion(db, new, who: .local, at: at)
        }
        version.number = record.version
        if let run = record.run { version.run = run.rawValue }
        versions.append(version)
    }

    private func deleteVersion() async throws {
        guard let index = versions.indices.randomElement(using: &chance) else { return }
        let version = versions.remove(at: index)
        let at = now
        try await store.write {
            try RegistryQueries.deleteVersion($0, version.name, version.number, who: .local, at: at)
        }
    }

    private func deleteRun() async throws {
        guard let id = pick(runs, where: { $0.deletedAt == nil }) else { return }
        let at = now
        try await store.write { try TrackingQueries.deleteRun($0, RunID(id), at: at) }
        runs[id]?.deletedAt = at
    }

    private func restoreRun() async throws {
        guard let id = pick(runs, where: { $0.deletedAt != nil }) else { return }
        try await store.write { try TrackingQueries.restoreRun($0, RunID(id)) }
        runs[id]?.deletedAt = nil
    }

    private func deleteModel() async throws {
        guard let id = pick(models, where: { $0.deletedAt == nil }) else { return }
        let at = now
        try await store.write { try LoggedModelQueries.delete($0, LoggedModelID(id), at: at) }
        models[id]?.deletedAt = at
    }

    private func deleteExperiment() async throws {
        guard let experiment = liveExperiment() else { return }
        let at = now
        try await store.write {
            try TrackingQueries.deleteExperiment($0, ExperimentID(String(experiment)), at: at)
        }
        // Later than any run of it that was deleted before: restoring tells them apart.
        let last = runs.values.filter { $0.experiment == experiment }.compactMap(\.deletedAt).max()
        let deletedAt = max(at, last?.addingTimeInterval(0.001) ?? at)
        experiments[experiment] = .some(deletedAt)
        for (id, run) in runs where run.experiment == experiment && run.deletedAt == nil {
            runs[id]?.deletedAt = deletedAt
        }
    }

    private func restoreExperiment() async throws {
        let deleted = experiments.filter { $0.value != nil }.keys.sorted()
        guard let experiment = deleted.randomElement(using: &chance) else { return }
        let at = now
        try await store.write {
            try TrackingQueries.restoreExperiment($0, ExperimentID(String(experiment)), at: at)
        }
        // Runs that were deleted before the experiment stay so.
        guard let deletedAt = experiments[experiment] ?? nil else { return }
        experiments[experiment] = .some(nil)
        for (id, run) in runs where run.experiment == experiment {
            guard let at = run.deletedAt, abs(at.timeIntervalSince(deletedAt)) < 0.0005 else {
                continue
            }
            runs[id]?.deletedAt = nil
        }
    }

    /// A folder named for a run that never came, or a file of nobody's.
    private func storeOrphan() throws {
        guard below(3) > 0 else {
            let path = "team/\(hex())/notes.txt"
            strays[path] = try put(path)
            return
        }
        let place = "\(below(3))/" + (below(2) == 0 ? hex() : "models/m-\(hex())")
        let data = try put(place + "/artifacts/x")
        try stamp(artifacts.location(of: ArtifactPath(place)))
        orphans[place] = (now, data)
    }

    /// Gives a file, or a folder with all in it, the simulated time.
    private func stamp(_ path: String) throws {
        let names = FileManager.default.subpaths(atPath: path) ?? []
        for name in [""] + names {
            try FileManager.default.setAttributes(
                [.modificationDate: now], ofItemAtPath: name.isEmpty ? path : path + "/" + name)
        }
    }

    private func storeBlob() async throws {
        let data = Data(below(4) == 0 ? "shared".utf8 : hex().utf8)
        let stored = try blobs.put(data)
        try stamp(blobs.path(of: stored.digest))
        let isUsed = below(2) == 0
        if isUsed {
            let (project, at) = (ProjectID(hex()), now)
            _ = try await store.write {
                try ProjectFileQueries.apply(
                    $0, project: project, text: "x", snapshot: stored.digest, at: at, by: .local
                ).isNew
            }
        }
        let before = storedBlobs[stored.digest]?.isUsed ?? false
        storedBlobs[stored.digest] = (now, before || isUsed)
    }
}
