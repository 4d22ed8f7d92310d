/// `aloft.yaml` as read and checked: everything that a project asks of the platform. Lists keep the
/// file's order; names are unique within a list.
package struct ProjectFile: Sendable, Equatable {
    package var project: ProjectID
    package var environment: EnvironmentDefinition?
    package var jobs: [JobDefinition]
    package var models: [ModelDefinition]
    package var deployments: [DeploymentDefinition]
    package var monitors: [MonitorDefinition]
    package var triggers: [TriggerDefinition]

    package init(
        project: ProjectID, environment: EnvironmentDefinition? = nil, jobs: [JobDefinition] = [],
        models: [ModelDefinition] = [], deployments: [DeploymentDefinition] = [],
        monitors: [MonitorDefinition] = [], triggers: [TriggerDefinition] = []
    ) {
        self.project = project
        self.environment = environment
        self.jobs = jobs
        self.models = models
        self.deployments = deployments
        self.monitors = monitors
        self.triggers = triggers
    }

    package func job(named name: String) -> JobDefinition? { jobs.first { $0.name == name } }

    package func model(named name: String) -> ModelDefinition? { models.first { $0.name == name } }

    package func deployment(named name: String) -> DeploymentDefinition? {
        deployments.first { $0.name == name }
    }
}

/// The Python environment of a job, built once per digest of the file and reused.
package struct EnvironmentDefinition: Sendable, Hashable, Codable {
    /// A requirements file, as a path inside the project's folder.
    package var python: String
    /// As `uv` takes it, such as `3.11`; `nil` for the Python that is found first.
    package var version: String?

    package init(python: String, version: String? = nil) {
        self.python = python
        self.version = version
    }
}

/// What a job may use. `nil` means no limit of its own.
package struct ResourceDefinition: Sendable, Hashable, Codable {
    /// Processor cores; more than 0.
    package var cpus: Double
    package var memoryBytes: Int64?
    package var gpus: Int
    /// The longest that an attempt may run.
    package var time: Duration?
    /// The most processes at once in the job's tree.
    package var processes: Int?

    package init(
        cpus: Double = 1, memoryBytes: Int64? = nil, gpus: Int = 0, time: Duration? = nil,
        processes: Int? = nil
    ) {
        self.cpus = cpus
        self.memoryBytes = memoryBytes
        self.gpus = gpus
        self.time = time
        self.processes = processes
    }
}

/// One command to execute, under `jobs:`.
package struct JobDefinition: Sendable, Equatable, Codable {
    package var name: String
    package var run: CommandTemplate
    /// The job's own environment, or the project's, or none: the machine's own Python.
    package var environment: EnvironmentDefinition?
    package var resources: ResourceDefinition
    /// Environment variables for the command, by name.
    package var variables: [String: String]
    /// The variables whose values are secrets although their names do not say so.
    package var secrets: [String]?
    /// Defaults of the parameters that `run` uses, by name.
    package var parameters: [String: ParameterValue]
    package var sweep: SweepDefinition?
    /// The registered model that gets a version from the best trial, or from the job's run.
    package var registers: String?

    /// The variables whose values nobody may read again.
    package var secretNames: [String] {
        variables.keys.filter { name in
            SecretVariable.isNamed(name) || (secrets ?? []).contains { $0.isSame(as: name) }
        }.sorted()
    }

    package init(
        name: String, run: CommandTemplate, environment: EnvironmentDefinition? = nil,
        resources: ResourceDefinition = ResourceDefinition(), variables: [String: String] = [:],
        secrets: [String]? = nil,
        parameters: [String: ParameterValue] = [:], sweep: SweepDefinition? = nil,
        registers: String? = nil
    ) {
        self.name = name
        self.run = run
        self.environment = environment
        self.resources = resources
        self.variables = variables
        self.secrets = secrets
        self.parameters = parameters
        self.sweep = sweep
        self.registers = registers
    }
}

/// What a version must pass before it enters an environment, under `models:`.
package struct ModelDefinition: Sendable, Equatable, Codable {
    /// The checks of one environment, in the file's order.
    package struct EnvironmentChecks: Sendable, Equatable, Codable {
        package var environment: String
        package var checks: [CheckExpression]

        package init(environment: String, checks: [CheckExpression]) {
            self.environment = environment
            self.checks = checks
        }
    }

    package var name: String
    package var checks: [EnvironmentChecks]

    package init(name: String, checks: [EnvironmentChecks] = []) {
        self.name = name
        self.checks = checks
    }

    /// The checks of `environment`; none where the file names none.
    package func checks(for environment: String) -> [CheckExpression] {
        checks.first { $0.environment == environment }?.checks ?? []
    }
}

/// A named endpoint, under `deployments:`.
package struct DeploymentDefinition: Sendable, Equatable, Codable {
    package var name: String
    package var model: String
    /// `nil`: all traffic moves at once.
    package var rollout: RolloutDefinition?
    /// The share of answers in the prediction log, 0...1; errors are there always. `nil`: all.
    package var logSampling: Double?
    /// Whether a version may take other inputs than the one that is live.
    package var breaking: Bool
    /// Its shadow and segments in production.
    package var traffic: TrafficRules

    package init(
        name: String, model: String, rollout: RolloutDefinition? = nil, logSampling: Double? = nil,
        breaking: Bool = false, traffic: TrafficRules = TrafficRules()
    ) {
        self.name = name
        self.model = model
        self.rollout = rollout
        self.logSampling = logSampling
        self.breaking = breaking
        self.traffic = traffic
    }
}

/// How traffic moves to a new revision.
package struct RolloutDefinition: Sendable, Equatable, Codable {
    /// Percent of the traffic at each step: rising, the last is 100.
    package var stepsPercent: [Double]
    /// How long each step before the last is watched.
    package var hold: Duration
    /// The rollout is undone as soon as one of these holds: conditions on `error_rate` and
    /// `latency_pNN` with constants.
    package var abort: [CheckExpression]
    /// How far the distributions of scores may be apart, 0...1; `nil`: they are not compared.
    package var scoreShift: Double?
    /// How many requests the new revision answers in each step before it ends; 0: any number.
    package var atLeast: Int

    package init(
        stepsPercent: [Double], hold: Duration, abort: [CheckExpression] = [],
        scoreShift: Double? = RolloutPolicy.standardScoreShift, atLeast: Int = 0
    ) {
        self.stepsPercent = stepsPercent
        self.hold = hold
        self.abort = abort
        self.scoreShift = scoreShift
        self.atLeast = atLeast
    }
}
