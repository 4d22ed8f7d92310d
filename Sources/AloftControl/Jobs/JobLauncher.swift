package import AloftDomain
import AloftProjectFile
package import AloftStore
import Foundation

/// Queues jobs that people ask for.
package struct JobLauncher: Sendable {
    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let hasBlob: @Sendable (ContentDigest) -> Bool
    /// Whether requirements may name any source of packages.
    private let allowsAnySource: Bool
    private let sealer: @Sendable () throws -> VariableSealer

    package init(
        store: Store, time: TimeSource, chance: Chance, allowsAnySource: Bool = false,
        sealer: @escaping @Sendable () throws -> VariableSealer,
        hasBlob: @escaping @Sendable (ContentDigest) -> Bool
    ) {
        self.allowsAnySource = allowsAnySource
        self.sealer = sealer
        self.store = store
        self.time = time
        self.chance = chance
        self.hasBlob = hasBlob
    }

    /// Queues a job of the project's file with these parameters in place of its defaults.
    ///
    /// - Throws: `JobError` if there is no such job, or a parameter is missing or unknown.
    package func run(
        // text: names of parameters, which are ASCII
        _ name: String, of project: ProjectID, parameters: [String: String], priority: Int,
        from source: Source? = nil, by who: Principal
    ) async throws -> JobRecord {
        let source = try await self.source(source, of: project)
        let file = try ProjectFileParser.parse(source.text)
        guard file.project == project else {
            throw JobError.invalidSpec([
                "the file is the project \(file.project)'s, not \(project)'s"
            ])
        }
        guard let definition = file.job(named: name) else {
            throw JobError.unknownJob(
                name: name, project: project, known: file.jobs.map(\.name))
        }
        var spec = try Self.spec(definition, project: project, parameters: parameters)
        spec.snapshot = source.snapshot
        spec.code = source.code
        spec.priority = priority
        return try await queue(spec, secrets: definition.secrets ?? [], by: who)
    }

    /// A project's file with its folder, other than the one that was applied last.
    package struct Source: Sendable {
        package var text: String
        package var snapshot: ContentDigest?
        package var code: CodeOrigin?

        package init(text: String, snapshot: ContentDigest?, code: CodeOrigin?) {
            self.text = text
            self.snapshot = snapshot
            self.code = code
        }
    }

    private func source(_ given: Source?, of project: ProjectID) async throws -> Source {
        if let given { return given }
        guard let record = try await store.read({ try ProjectFileQueries.current($0, project) })
        else { throw JobError.noProjectFile(project: project) }
        return Source(text: record.text, snapshot: record.snapshot, code: record.code)
    }

    private static func spec(
        // text: names of parameters, which are ASCII
        _ definition: JobDefinition, project: ProjectID, parameters: [String: String]
    ) throws -> JobSpec {
        let known = definition.run.parameters
        for name in parameters.keys.sorted() where !known.contains(name) {
            throw JobError.unknownParameter(name, job: definition.name, known: known)
        }
        let values = definition.parameters
            .merging(parameters.mapValues(ParameterValue.text)) { _, given in given }
        let missing = definition.run.missing(from: values)
        guard missing.isEmpty else {
            throw JobError.missingParameters(missing, job: definition.name)
        }
        return JobSpec(
            definition, project: project, parameters: parameters.mapValues(ParameterValue.text),
            snapshot: nil, run: nil, experiment: nil)
    }

    /// Queues a complete job with a run of its own. The values of its secret variables are stored sealed.
    ///
    /// - Parameter secrets: variables that are secret although their names do not say so.
    package func queue(
        _ spec: JobSpec, secrets: [String] = [], by who: Principal
    ) async throws -> JobRecord {
        var spec = spec
        if let unknown = secrets.first(where: { spec.variables[$0] == nil }) {
            throw JobError.invalidSpec([
                "secrets names \"\(unknown.prefix(200))\", which is no variable of the job"
            ])
        }
        if !spec.variables.isEmpty {
            spec.variables = try sealer().sealed(spec.variables, secrets: secrets)
        }
        let sealed = spec
        if let snapshot = spec.snapshot, !hasBlob(snapshot) {
            throw JobError.unknownSnapshot(snapshot)
        }
        if let code = spec.code {
            guard code.isPlausible else {
                throw JobError.invalidSpec(["code is no commit of git: \(code.commit.prefix(80))"])
            }
            if let diff = code.diff, !hasBlob(diff) { throw JobError.unknownSnapshot(diff) }
        }
        if !allowsAnySource, let python = spec.python, case .text(let text) = python.requirements {
            let faults = (python.sources ?? .ofJobs).faults(in: text)
            guard faults.isEmpty else { throw JobError.packageSources(faults) }
        }
        let id: JobID = chance.identifier()
        let run: RunID = chance.identifier()
        let now = time.now()
        return try await store.write { db in
            var spec = sealed
            try JobRuns.create(db, run, of: id, for: &spec, at: now, by: who)
            try JobQueries.insert(db, id: id, spec: spec, at: now, by: who)
            return try JobQueries.get(db, id)
        }
    }

    /// Queues an ended job again, as a new one.
    ///
    /// - Throws: `JobError.notEnded` while it has not ended.
    package func retry(_ id: JobID, by who: Principal) async throws -> JobRecord {
        let job = try await store.read { try JobQueries.get($0, id) }
        guard job.outcome != nil else { throw JobError.notEnded(id) }
        var spec = job.spec
        spec.retryOf = id
        spec.group = nil
        return try await queue(spec, by: who)
    }
}
