package import AloftDomain
package import AloftStore
import Foundation

/// Queues jobs that score whole tables with a registered version.
package struct ScoringService: Sendable {
    package struct Request: Sendable, Equatable {
        package var model: ModelReference
        package var input: String
        package var output: String
        package var format: String?
        package var partRows: Int?
        package var priority: Int

        package init(
            model: ModelReference, input: String, output: String, format: String? = nil,
            partRows: Int? = nil, priority: Int = 0
        ) {
            self.model = model
            self.input = input
            self.output = output
            self.format = format
            self.partRows = partRows
            self.priority = priority
        }

        static let formats = ["parquet", "csv", "jsonl"]

        /// Everything that is wrong with it, in sentences.
        var faults: [String] {
            var faults: [String] = []
            for (name, path) in [("input", input), ("output", output)] {
                if !path.begins(with: "/") || path.holds("\0") || path.utf8.count > 4000 {
                    faults.append("\(name) is \(path.prefix(200)): expected an absolute path")
                }
            }
            if let format, !Self.formats.contains(format) {
                faults.append(
                    "format is \(format.prefix(100)): expected parquet, csv or jsonl")
            }
            if let partRows, !(1...10_000_000).contains(partRows) {
                faults.append("partRows is \(partRows): expected 1 to 10000000")
            }
            return faults
        }
    }

    private let store: Store
    private let launcher: JobLauncher
    private let files: VersionFiles
    /// The code of the scorer, as a blob.
    private let snapshot: @Sendable () async throws -> ContentDigest

    package init(
        store: Store, launcher: JobLauncher, files: VersionFiles,
        snapshot: @escaping @Sendable () async throws -> ContentDigest
    ) {
        self.store = store
        self.launcher = launcher
        self.files = files
        self.snapshot = snapshot
    }

    /// Queues the job. Asking again with the same output goes on where an earlier job ended.
    ///
    /// - Throws: `JobError.invalidSpec`, `DeploymentError` where the version is not there or cannot be
    ///   served.
    package func score(
        _ request: Request, by who: Principal
    ) async throws -> (job: JobRecord, version: ModelVersionKey, digest: ContentDigest) {
        let faults = request.faults
        guard faults.isEmpty else { throw JobError.invalidSpec(faults) }
        let (facts, servable, uri) = try await store.read { db in
            let facts = try VersionFactsQueries.resolve(db, request.model)
            return (
                facts, try ServableQueries.find(db, facts.key),
                try VersionFactsQueries.artifactURI(db, facts)
            )
        }
        guard let ready = servable?.servable else {
            throw DeploymentError.conversionFailed(facts.key, reason: Self.reason(servable))
        }
        let own = ready.manifest.runtime == .python ? uri.flatMap(files.requirements) : nil
        let job = try await launcher.queue(
            Self.spec(
                request, facts,
                requirements: ScoringRequirements.text(
                    for: ready.manifest.runtime, own: own), snapshot: try await snapshot()),
            by: who)
        return (job, facts.key, ready.digest)
    }

    private static func reason(_ servable: ServableRecord?) -> String {
        switch servable?.lifecycle.state {
        case nil, .pending: "its conversion has not begun; try again soon"
        case .converting(let job): "job \(job) converts it; try again when it has ended"
        case .failed(let failure): failure.reason
        case .ready: "it has no file"
        }
    }

    private static func spec(
        _ request: Request, _ facts: VersionFacts, requirements: String, snapshot: ContentDigest
    ) -> JobSpec {
        func quoted(_ text: String) -> String {
            "'" + text.replacing(scalar: "'", with: "'\\''") + "'"
        }
        var words = [
            "exec python -m aloft_models.score", "--model \(quoted(facts.key.model))",
            "--version \(facts.key.version)", "--server \"$ALOFT_SERVER\"",
            "--input \(quoted(request.input))", "--output \(quoted(request.output))",
        ]
        if let format = request.format { words.append("--format \(format)") }
        if let rows = request.partRows { words.append("--part-rows \(rows)") }
        return JobSpec(
            project: facts.project, name: "score", command: words.joined(separator: " "),
            parameters: [
                "model": facts.key.description, "input": request.input, "output": request.output,
            ],
            python: PythonEnvironment(requirements: .text(requirements), sources: .ofModels),
            resources: Resources(cpus: 1), snapshot: snapshot, priority: request.priority)
    }
}

/// The Python packages of scoring jobs.
package enum ScoringRequirements {
    /// Pinned, so that every job scores with the runtime that was tested.
    private static let own = ["onnxruntime==1.32.0", "pyarrow>=17", "requests>=2.31"]

    /// - Parameter own: a Python model's own packages.
    package static func text(for runtime: ServableManifest.Runtime, own models: String?) -> String {
        switch runtime {
        case .onnx: (own + ["numpy", "pandas"]).joined(separator: "\n") + "\n"
        // The converter's rules hold here too: a model's own pins, and what it forgot to name.
        case .python:
            ConversionRequirements.text(own: models) + "pyarrow>=17\n"
        }
    }
}
