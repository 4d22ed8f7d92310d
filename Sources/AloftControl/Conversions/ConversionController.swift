package import AloftDomain
package import AloftStore
import Foundation
package import Logging

/// Gives each registered version its servable form: notices versions without one, whoever
/// registered them, queues the job that converts them, and writes down why one failed. What the
/// job uploads makes it ready.
package struct ConversionController: Sendable {
    /// What conversions are made with.
    package struct Tools: Sendable {
        /// The code of the converter, as a blob.
        package var snapshot: @Sendable () async throws -> ContentDigest
        package var files: VersionFiles
        /// The last lines that a job wrote.
        package var lastLines: @Sendable (JobID) async throws -> String

        package init(
            snapshot: @escaping @Sendable () async throws -> ContentDigest, files: VersionFiles,
            lastLines: @escaping @Sendable (JobID) async throws -> String
        ) {
            self.snapshot = snapshot
            self.files = files
            self.lastLines = lastLines
        }
    }

    private let store: Store
    private let tools: Tools
    private let time: TimeSource
    private let chance: Chance
    private let logger: Logger
    package var effects = EffectHook.none

    /// Nobody waits for a conversion by the millisecond; jobs and versions may come by the hundred.
    private static let pace = ReconcileLoop.Pace(
        wakesOn: [.versions, .servables, .jobs], leastPause: .milliseconds(200),
        longestWait: .seconds(30))

    package init(store: Store, tools: Tools, time: TimeSource, chance: Chance, logger: Logger) {
        self.store = store
        self.tools = tools
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    package var loop: ReconcileLoop {
        ReconcileLoop(
            name: "conversions", pace: Self.pace, changes: store.changes, clock: time.clock,
            logger: logger)
    }

    package func run() async throws { try await loop.run(turn) }

    package func turn() async throws -> ReconcileLoop.Next {
        try await runOnce()
        return .whenWoken
    }

    /// Does everything that can be done now.
    package func runOnce() async throws {
        try await noticeVersions()
        for servable in try await store.read({ try ServableQueries.open($0, limit: 100) }) {
            do {
                switch servable.lifecycle.state {
                case .pending: try await queueJob(for: servable)
                case .converting(let job): try await follow(job, of: servable)
                case .ready, .failed: break
                }
            } catch is ServableLifecycle.Refused {
                continue  // it was uploaded meanwhile
            }
        }
    }

    private static let who = Principal.controller(name: "conversions")
    /// Behind what people start, who begin at 0: they wait for it, nobody for a version that may never
    /// be deployed.
    private static let priority = -10

    /// A servable for each version that has none, or that of an older version of the same number.
    private func noticeVersions() async throws {
        let found = try await store.read { db in
            try VersionFactsQueries.withoutServable(db, limit: 100)
        }
        guard !found.isEmpty else { return }
        try effects.willAct("note versions")
        let now = time.now()
        try await store.write { db in
            for facts in found {
                try ServableQueries.delete(db, facts.key)
                try ServableQueries.insert(db, facts.key, versionStamp: facts.stamp, at: now)
            }
        }
    }

    private func queueJob(for servable: ServableRecord) async throws {
        let key = servable.version
        let (facts, uri) = try await store.read { db in
            let facts = try VersionFactsQueries.find(db, key)
            return (facts, try facts.flatMap { try VersionFactsQueries.artifactURI(db, $0) })
        }
        let now = time.now()
        guard let facts else {
            // The version was deleted before it was converted.
            try effects.willAct("forget a servable")
            return try await store.write { try ServableQueries.delete($0, key) }
        }
        if let uri, tools.files.holdsModel(at: uri) == false {
            let failure = ConversionFailure(
                reason:
                    "\(uri.prefix(300)) holds no model (there is no file MLmodel in it, nor one ONNX "
                    + "file); log one there and deploy the version again")
            try effects.willAct("give up without a model")
            _ = try await store.write { db in
                try ServableQueries.apply(
                    db, .foundNoModel(failure), to: key, project: facts.project, at: now,
                    by: Self.who)
            }
            return logger.info("nothing to convert", metadata: ["version": "\(key)"])
        }
        let own = uri.flatMap(tools.files.requirements)
        let spec = Self.spec(
            facts, requirements: ConversionRequirements.text(own: own),
            snapshot: try await tools.snapshot())
        let id: JobID = chance.identifier()
        try effects.willAct("queue a job")
        _ = try await store.write { db in
            try JobQueries.insert(db, id: id, spec: spec, at: now, by: Self.who)
            try ServableQueries.apply(
                db, .jobCreated(id), to: key, project: facts.project, at: now, by: Self.who)
        }
        logger.info(
            "conversion queued", metadata: ["version": "\(key)", "job": "\(id)"])
    }

    private static func spec(
        _ facts: VersionFacts, requirements: String, snapshot: ContentDigest
    ) -> JobSpec {
        let uri = "models:/\(facts.key)"
        let quoted = "'" + uri.replacing(scalar: "'", with: "'\\''") + "'"
        return JobSpec(
            project: facts.project, name: "convert",
            command: "exec python -m aloft_models.convert --model-uri \(quoted) "
                + "--server \"$ALOFT_SERVER\"",
            parameters: ["model": facts.key.description],
            python: PythonEnvironment(requirements: .text(requirements), sources: .ofModels),
            resources: Resources(cpus: 1, timeLimit: .minutes(30)), snapshot: snapshot,
            group: JobGroup(name: "conversions", parallel: 2), priority: Self.priority)
    }

    /// Looks whether the job ended without an upload. One that came just before the job's end wins:
    /// a servable that is ready ignores the news.
    private func follow(_ job: JobID, of servable: ServableRecord) async throws {
        let key = servable.version
        let record = try await store.read { try JobQueries.find($0, job) }
        let reason: String
        switch record?.outcome {
        case .some(.failed(let failure)): reason = failure.message
        case .some(.stopped): reason = "its job was stopped"
        case .some(.succeeded): reason = "its job ended without a result"
        case nil where record == nil: reason = "its job is gone"
        case nil: return
        }
        let lines = record == nil ? "" : try await tools.lastLines(job)
        let failure = ConversionFailure(
            reason: Self.said(in: lines) ?? reason, lastLines: String(lines.suffix(8000)))
        try effects.willAct("give up after a job")
        let now = time.now()
        _ = try await store.write { db in
            try ServableQueries.apply(db, .jobFailed(job, failure), to: key, at: now, by: Self.who)
        }
        logger.warning(
            "conversion failed", metadata: ["version": "\(key)", "reason": "\(failure.reason)"])
    }

    /// The converter's own sentence, if it came to one.
    private static func said(in lines: String) -> String? {
        let mark = "conversion failed: "
        return lines.pieces(at: "\n").compactMap { $0.rest(after: mark) }.last.map(String.init)
    }
}
