/// One command to execute, complete: nothing about it is looked up later. Made from the project
/// file, by a sweep for a trial, for the conversion of a model, or from a command of a person.
package struct JobSpec: Sendable, Hashable, Codable {
    package var project: ProjectID
    /// The job's name in the project file, or what its maker calls it, such as `convert`.
    package var name: String
    /// For `/bin/sh -c`, in the unpacked snapshot. Parameters are filled in and quoted already.
    package var command: String
    /// The parameters that were filled in, for people to read.
    package var parameters: [String: String]
    /// Environment variables beside those that every job gets.
    package var variables: [String: String]
    package var python: PythonEnvironment?
    package var resources: Resources
    /// The code: a tar in the blob store, unpacked to a fresh folder for each attempt.
    package var snapshot: ContentDigest?
    /// Where that comes from; `nil` where it is no git folder.
    package var code: CodeOrigin?
    /// The tracking run that this job is; its status follows the job's.
    package var run: RunID?
    package var experiment: ExperimentID?
    /// Jobs of one group, such as the trials of a sweep, run at most `group.parallel` at a time.
    package var group: JobGroup?
    /// The registered model that the run's newest logged model becomes a version of when the job
    /// succeeds; `nil` registers nothing.
    package var registers: String?
    /// Higher goes first.
    package var priority: Int
    /// How many attempts there may be when attempts are lost. A command that fails is not repeated.
    package var maxAttempts: Int
    /// How long the command has to end after SIGTERM before it is killed.
    package var stopGrace: Duration
    /// The job that this one repeats.
    package var retryOf: JobID?

    package init(
        project: ProjectID, name: String, command: String, parameters: [String: String] = [:],
        variables: [String: String] = [:], python: PythonEnvironment? = nil,
        resources: Resources = Resources(), snapshot: ContentDigest? = nil,
        code: CodeOrigin? = nil, run: RunID? = nil, experiment: ExperimentID? = nil,
        group: JobGroup? = nil, registers: String? = nil,
        priority: Int = 0,
        maxAttempts: Int = 3, stopGrace: Duration = .seconds(10), retryOf: JobID? = nil
    ) {
        self.project = project
        self.name = name
        self.command = command
        self.parameters = parameters
        self.variables = variables
        self.python = python
        self.resources = resources
        self.snapshot = snapshot
        self.code = code
        self.run = run
        self.experiment = experiment
        self.group = group
        self.registers = registers
        self.priority = priority
        self.maxAttempts = maxAttempts
        self.stopGrace = stopGrace
        self.retryOf = retryOf
    }
}

/// Jobs that share a limit on how many run at a time.
package struct JobGroup: Sendable, Hashable, Codable {
    /// A sweep's identifier, or any other word.
    package var name: String
    /// At least 1.
    package var parallel: Int

    package init(name: String, parallel: Int) {
        self.name = name
        self.parallel = parallel
    }
}

/// The Python packages of a job. Built once for the same packages, then shared.
package struct PythonEnvironment: Sendable, Hashable, Codable {
    package enum Requirements: Sendable, Hashable, Codable {
        /// A requirements file, as a path inside the snapshot.
        case file(String)
        /// The lines of one.
        case text(String)
    }

    package var requirements: Requirements
    /// As `uv` takes it: `3.11`; `nil` for the Python that is found first.
    package var version: String?
    /// By which rule they may name sources of packages; as jobs of people if not given.
    package var sources: PackageSources?

    package init(
        requirements: Requirements, version: String? = nil, sources: PackageSources? = nil
    ) {
        self.requirements = requirements
        self.version = version
        self.sources = sources
    }
}

/// One try to run a job. News of an older attempt than the job's own is ignored.
package struct AttemptID: Hashable, Sendable, Codable, CustomStringConvertible {
    package let job: JobID
    /// 1, 2, …
    package let number: Int

    package init(job: JobID, number: Int) {
        self.job = job
        self.number = number
    }

    package var description: String { "\(job).\(number)" }
}
