package import AloftDomain
import AloftProjectFile
import AloftSearch
package import AloftStore

/// Starts and stops sweeps on behalf of a person.
package struct SweepStarter: Sendable {
    /// What a person may change of the project file's sweep.
    package struct Changes: Sendable, Equatable {
        package var trials: Int?
        package var parallel: Int?
        package var seed: UInt64?

        package init(trials: Int? = nil, parallel: Int? = nil, seed: UInt64? = nil) {
            self.trials = trials
            self.parallel = parallel
            self.seed = seed
        }
    }

    private let store: Store
    private let time: TimeSource
    private let chance: Chance
    private let sealer: @Sendable () throws -> VariableSealer

    package init(
        store: Store, time: TimeSource, chance: Chance,
        sealer: @escaping @Sendable () throws -> VariableSealer
    ) {
        self.sealer = sealer
        self.store = store
        self.time = time
        self.chance = chance
    }

    /// Stores a new sweep of a job of the project's current file; the controller does the rest.
    ///
    /// - Throws: `JobError` if there is no such file or job, `SweepError` if the job cannot be swept.
    package func start(
        project: ProjectID, job name: String, changes: Changes, by principal: Principal
    ) async throws -> SweepID {
        guard let file = try await store.read({ try ProjectFileQueries.current($0, project) })
        else {
            throw JobError.noProjectFile(project: project)
        }
        let parsed = try ProjectFileParser.parse(file.text)
        guard var job = parsed.job(named: name) else {
            throw JobError.unknownJob(name: name, project: project, known: parsed.jobs.map(\.name))
        }
        guard let declared = job.sweep else { throw SweepError.noSweep(job: name) }
        let sweep = try Self.apply(changes, to: declared)
        job.sweep = sweep
        // A file that was applied before values were sealed has them as they are.
        if !job.variables.isEmpty {
            job.variables = try sealer().sealed(job.variables, secrets: job.secretNames)
        }
        let new = NewSweep(
            id: chance.identifier(), project: project, definition: job,
            fileRevision: file.revision, snapshot: file.snapshot,
            searcher: try SavedState.encode(Searcher(sweep, seed: sweep.seed ?? chance.next())),
            stopping: try sweep.stop.map {
                try SavedState.encode(EarlyStopping($0, direction: sweep.objective.direction))
            })
        let now = time.now()
        try await store.write { try SweepQueries.insert($0, new, at: now, by: principal) }
        return new.id
    }

    /// Asks a sweep to end with the trials that are under way. Doing it again, or to a sweep that has
    /// ended, changes nothing.
    package func stop(_ prefix: String, by principal: Principal) async throws -> SweepID {
        let now = time.now()
        return try await store.write { db in
            var sweep = try SweepQueries.get(db, prefix: prefix)
            let before = sweep.state
            _ = try sweep.lifecycle.apply(.stopRequested)
            if sweep.state != before {
                _ = try SweepQueries.update(db, sweep, at: now, by: principal)
            }
            return sweep.id
        }
    }

    private static func apply(
        _ changes: Changes, to declared: SweepDefinition
    ) throws -> SweepDefinition {
        var sweep = declared
        let largest = ProjectFileParser.mostTrials
        if let trials = changes.trials {
            guard (1...largest).contains(trials) else {
                throw SweepError.invalid(
                    reason: "the number of trials is from 1 to \(largest), not \(trials)")
            }
            sweep.trials = trials
            if declared.maxFailures == SweepDefinition.defaultMaxFailures(trials: declared.trials) {
                sweep.maxFailures = SweepDefinition.defaultMaxFailures(trials: trials)
            }
        }
        if let parallel = changes.parallel {
            guard (1...1000).contains(parallel) else {
                throw SweepError.invalid(
                    reason: "from 1 to 1000 trials run at a time, not \(parallel)")
            }
            sweep.parallel = parallel
        }
        sweep.seed = changes.seed ?? sweep.seed
        return sweep
    }
}
