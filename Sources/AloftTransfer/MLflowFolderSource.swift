import AloftDomain
package import AloftWire
import Foundation

/// The folder `mlruns`, in which clients logged where no server was named: a folder an experiment, in
/// it one a run, params and tags a file each, a line a point.
package struct MLflowFolderSource: TransferSource {
    let tree: RunsTree
    /// The folders of experiments, by their ids.
    private let folders: [ExactText: String]
    private let places: LocalPlaces
    package let identity: String
    package let faults = TransferFaults()

    /// - Parameters:
    ///   - artifacts: where artifacts are that are not in the folder itself.
    ///   - trustsPaths: whether artifacts are read wherever the folder says that they are.
    /// - Throws: `SourceError` if the folder holds no experiments.
    package init(path: String, artifacts: String?, trustsPaths: Bool = false) throws {
        let absolute = URL(fileURLWithPath: path).standardizedFileURL.path
        // The folder itself, or the one in which somebody worked.
        let outer = ConfinedFolder(root: absolute, components: [])
        let inner = ConfinedFolder(root: absolute, components: ["mlruns"])
        let isOuter = !RunsTree(folder: outer, faults: TransferFaults()).experiments.isEmpty
        let tree = RunsTree(folder: isOuter ? outer : inner, faults: faults)
        self.tree = tree
        let pairs = tree.experiments.compactMap { folder in
            (try? tree.meta(folder))?["experiment_id"].map { (ExactText($0), folder) }
        }
        folders = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        guard !tree.experiments.isEmpty else {
            throw SourceError(
                "\(path) holds no experiments of MLflow: expected folders with a meta.yaml, as in "
                    + "mlruns", isRefusal: true)
        }
        identity = "file:" + tree.root
        places = LocalPlaces(
            base: nil, artifacts: artifacts, own: tree.root, trustsPaths: trustsPaths)
    }

    package func place(of uri: String) -> ArtifactPlace { places.place(of: uri) }

    // MARK: Experiments and runs

    package func experiments() async throws -> [TransferExperiment] {
        tree.experiments.compactMap { folder in
            attempt("experiment in \(folder)") { () throws -> TransferExperiment? in
                let meta = try tree.meta(folder)
                guard meta.isActive else { return nil }
                return TransferExperiment(
                    id: try meta.required("experiment_id"), name: try meta.required("name"),
                    artifactLocation: meta["artifact_location"] ?? "",
                    createdAt: meta.number("creation_time") ?? 0,
                    updatedAt: meta.number("last_update_time") ?? 0,
                    tags: try tree.texts(folder + "/tags"))
            }
        }.sorted { MLflowServerSource.isOlder($0.id, $1.id) }
    }

    /// So many at a time; a page is named by its last folder.
    private static let pageSize = 200

    package func runs(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferRun> {
        guard let folder = folder(of: experiment) else { return Page(items: [], next: nil) }
        let all = tree.folders(in: folder, but: ["tags", "datasets", "traces", "models"])
        let left = all.filter { name in
            page.map { $0.utf8.lexicographicallyPrecedes(name.utf8) } ?? true
        }
        let names = left.prefix(Self.pageSize)
        let runs = names.compactMap { name in
            attempt("run \(name)") {
                try run(folder + "/" + name, named: name, experiment, in: folder)
            }
        }
        return Page(items: runs, next: left.count > names.count ? names.last : nil)
    }

    private func folder(of experiment: String) -> String? {
        folders[ExactText(experiment)]
    }

    /// `nil` for one that is deleted there.
    private func run(
        _ folder: String, named name: String, _ experiment: String, in parent: String
    ) throws -> TransferRun? {
        let meta = try tree.meta(folder)
        guard meta.isActive else { return nil }
        let id = try meta["run_id"] ?? meta.required("run_uuid")
        // Its points are read below the folder of that name.
        guard id.isSame(as: name) else {
            throw SourceError("its meta.yaml is of the run '\(id.prefix(100))'", isRefusal: true)
        }
        let tags = try tree.texts(folder + "/tags")
        let named = tags.first { $0.key == "mlflow.runName" }?.value
        let metrics = try tree.files(in: folder + "/metrics").map { key in
            let point = try tree.lastPoint(folder + "/metrics/" + key)
            return TransferRun.Metric(
                key: key, value: point.value, timestamp: point.timestamp, step: point.step)
        }
        var run = TransferRun(
            id: RunID(id), experiment: experiment, name: meta["run_name"] ?? named ?? "",
            user: meta["user_id"] ?? "", status: Self.status(meta),
            startTime: meta.number("start_time") ?? 0, endTime: meta.number("end_time"),
            artifactURI: artifacts(folder, meta["artifact_uri"]),
            params: try tree.texts(folder + "/params"), tags: tags, metrics: metrics)
        run.datasets = try tree.folders(in: folder + "/inputs").compactMap { name in
            try dataset(folder + "/inputs/" + name, in: parent)
        }
        return run
    }

    /// The folder itself, where it holds anything: the folder of runs may have been moved since. MLflow makes
    /// it also where the files lie elsewhere.
    private func artifacts(_ folder: String, _ uri: String?) -> String {
        let here = folder + "/artifacts"
        guard tree.isFolder(here) else { return uri ?? "" }
        guard let uri, !uri.isEmpty, tree.isEmpty(here), !uri.ends(with: here) else {
            return tree.path(here)
        }
        return uri
    }

    private static func status(_ meta: MetaFile) -> RunStatus {
        let inOrder: [RunStatus] = [.running, .scheduled, .finished, .failed, .killed]
        if let number = meta.number("status"), (1...5).contains(number) {
            return inOrder[Int(number) - 1]
        }
        return meta["status"].flatMap { RunStatus(rawValue: $0) } ?? .running
    }

    private func dataset(_ folder: String, in experiment: String) throws -> TransferRun.Dataset? {
        let input = try tree.meta(folder)
        guard input["source_type"] == "DATASET", let id = input["source_id"],
            let name = SafePath.checked(id)
        else { return nil }
        let set = try tree.meta(experiment + "/datasets/" + name)
        return TransferRun.Dataset(
            name: set["name"] ?? "", digest: set["digest"] ?? "",
            sourceType: set["source_type"] ?? "", source: set["source"] ?? "",
            schema: set["schema"], profile: set["profile"], tags: input.texts("tags"))
    }

    // MARK: Points

    /// The cursor's row is the byte that is read next.
    package func points(
        of run: TransferRun, after cursor: PointsCursor
    ) async throws -> (points: [TransferPoints], next: PointsCursor?) {
        guard run.metrics.indices.contains(cursor.metric),
            let experiment = folder(of: run.experiment)
        else { return ([], nil) }
        let key = run.metrics[cursor.metric].key
        let path = "\(experiment)/\(run.id)/metrics/\(key)"
        let (points, end) = try tree.points(
            path, from: max(0, cursor.row), atMost: ImportRun.pointsPerLine)
        var next = cursor
        if let end {
            next.row = end
        } else {
            next.row = -1
            next.metric += 1
        }
        return (
            [TransferPoints(key: key, points: points)],
            next.metric < run.metrics.count ? next : nil
        )
    }

    func attempt<Value>(_ what: String, _ body: () throws -> Value?) -> Value? {
        do {
            return try body()
        } catch {
            faults.note(what, error)
            return nil
        }
    }
}

// Models, and what is left.
extension MLflowFolderSource {
    package func loggedModels(
        of experiment: String, after page: String?
    ) async throws -> Page<TransferLoggedModel> {
        guard page == nil, let parent = folder(of: experiment) else {
            return Page(items: [], next: nil)
        }
        let models = tree.folders(in: parent + "/models").compactMap { name in
            attempt("logged model \(name)") {
                try loggedModel(parent + "/models/" + name, experiment)
            }
        }
        return Page(items: models, next: nil)
    }

    private func loggedModel(_ folder: String, _ experiment: String) throws -> TransferLoggedModel?
    {
        let meta = try tree.meta(folder)
        guard meta.isActive else { return nil }
        let status: LoggedModelStatus =
            switch meta.number("status") ?? 0 {
            case 2: .ready
            case 3: .failed
            default: .pending
            }
        let metrics = try tree.files(in: folder + "/metrics").flatMap { key in
            try tree.modelPoints(folder + "/metrics/" + key, key: key)
        }
        let here = folder + "/artifacts"
        return TransferLoggedModel(
            id: LoggedModelID(try meta.required("model_id")), experiment: experiment,
            name: meta["name"] ?? "", modelType: meta["model_type"] ?? "",
            sourceRun: meta["source_run_id"].flatMap { $0.isEmpty ? nil : RunID($0) },
            artifactURI: tree.isFolder(here) ? tree.path(here) : meta["artifact_location"] ?? "",
            status: status, statusMessage: meta["status_message"],
            createdAt: meta.number("creation_timestamp") ?? 0,
            updatedAt: meta.number("last_updated_timestamp") ?? 0,
            params: try tree.texts(folder + "/params"), tags: try tree.texts(folder + "/tags"),
            metrics: metrics)
    }

    package func models() async throws -> [TransferModel] {
        tree.folders(in: "models").compactMap { name in
            attempt("model '\(name)'") { try model("models/" + name, name) }
        }
    }

    private func model(_ folder: String, _ name: String) throws -> TransferModel {
        let meta = try tree.meta(folder)
        let versions = tree.folders(in: folder).filter { $0.begins(with: "version-") }
            .compactMap { version in
                attempt("\(version) of model '\(name)'") {
                    try self.version(folder + "/" + version)
                }
            }
        let aliases = try tree.texts(folder + "/aliases").compactMap { text in
            Int64(text.value.trimmingCharacters(in: .whitespacesAndNewlines)).map {
                TransferModel.Alias(alias: text.key, version: $0)
            }
        }
        return TransferModel(
            name: meta["name"] ?? name, description: meta["description"] ?? "",
            createdAt: meta.number("creation_timestamp") ?? 0,
            updatedAt: meta.number("last_updated_timestamp") ?? 0,
            tags: try tree.texts(folder + "/tags"), aliases: aliases,
            versions: versions.sorted { $0.version < $1.version })
    }

    /// `nil` for one that is deleted there.
    private func version(_ folder: String) throws -> TransferModel.Version? {
        let meta = try tree.meta(folder)
        let stage = meta["current_stage"].flatMap { $0.isEmpty ? nil : $0 } ?? "None"
        guard !stage.isSame(as: "Deleted_Internal") else { return nil }
        guard let number = meta.number("version") else {
            throw SourceError("its meta.yaml has no version", isRefusal: true)
        }
        let source = meta["source"] ?? ""
        return TransferModel.Version(
            version: number, stage: stage, description: meta["description"] ?? "", source: source,
            run: meta["run_id"].flatMap { $0.isEmpty ? nil : RunID($0) },
            runLink: meta["run_link"] ?? "", loggedModel: TransferModel.loggedModel(in: source),
            user: meta["user_id"] ?? "", createdAt: meta.number("creation_timestamp") ?? 0,
            updatedAt: meta.number("last_updated_timestamp") ?? 0,
            tags: try tree.texts(folder + "/tags"))
    }

    package func leftOut() async throws -> [LeftOut] {
        var left: [LeftOut] = []
        var (traces, deleted) = (0, 0)
        for folder in tree.experiments {
            traces += tree.folders(in: folder + "/traces").count
            for run in tree.folders(in: folder, but: ["tags", "datasets", "traces", "models"])
            where (try? tree.meta(folder + "/" + run))?.isActive == false {
                deleted += 1
            }
        }
        if traces > 0 { left.append(LeftOut("\(traces) traces", "not imported")) }
        if deleted > 0 { left.append(LeftOut("\(deleted) runs", "deleted there")) }
        return left
    }
}
