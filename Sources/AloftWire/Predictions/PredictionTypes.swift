// text-file: for a chart beside predictions; runs/get has every key
package import AloftDomain

/// A prediction as lists show it.
package struct PredictionItem: Codable, Sendable, Equatable {
    /// What the reply's header `X-Aloft-Prediction-Id` said.
    package var id: String
    package var at: String
    /// As gateways serve it: the deployment's name, `.environment` behind it outside production.
    package var endpoint: String
    package var deployment: String
    package var environment: String
    package var revision: RevisionID
    /// The revision's number; absent where the revision is not known here.
    package var number: Int?
    package var model: String
    package var version: String
    /// Of the model's file.
    package var digest: String
    /// HTTP status of the reply; 400 and above is an error.
    package var status: Int
    package var milliseconds: Double
    /// The step of the rollout at that time, from 0; absent outside of one.
    package var rolloutStep: Int?
    /// The trace that the caller's `traceparent` named.
    package var traceID: String?

    package init(
        id: String, at: String, endpoint: String, deployment: String, environment: String,
        revision: RevisionID, number: Int?, model: String, version: String, digest: String,
        status: Int, milliseconds: Double, rolloutStep: Int?, traceID: String?
    ) {
        self.id = id
        self.at = at
        self.endpoint = endpoint
        self.deployment = deployment
        self.environment = environment
        self.revision = revision
        self.number = number
        self.model = model
        self.version = version
        self.digest = digest
        self.status = status
        self.milliseconds = milliseconds
        self.rolloutStep = rolloutStep
        self.traceID = traceID
    }
}

/// What was asked or answered: text where it is UTF-8, else base64.
package struct PredictionBody: Codable, Sendable, Equatable {
    package var text: String?
    package var base64: String?
    /// Of the whole, also where only its begin was logged.
    package var sizeBytes: Int
    package var isCut: Bool

    package init(text: String?, base64: String?, sizeBytes: Int, isCut: Bool) {
        self.text = text
        self.base64 = base64
        self.sizeBytes = sizeBytes
        self.isCut = isCut
    }
}

/// From a prediction back to what it came from. What is not known here is absent.
package struct PredictionWalk: Codable, Sendable, Equatable {
    package struct Version: Codable, Sendable, Equatable {
        package var model: String
        package var version: Int
        package var source: String
        package var aliases: [String]
        package var createdAt: String
        package var createdBy: String
        /// The job that converted it.
        package var conversionJob: JobID?

        package init(
            model: String, version: Int, source: String, aliases: [String], createdAt: String,
            createdBy: String, conversionJob: JobID?
        ) {
            self.model = model
            self.version = version
            self.source = source
            self.aliases = aliases
            self.createdAt = createdAt
            self.createdBy = createdBy
            self.conversionJob = conversionJob
        }
    }

    package struct TrainingRun: Codable, Sendable, Equatable {
        package var id: RunID
        package var name: String
        package var experiment: ExperimentID
        package var experimentName: String
        package var user: String
        package var status: String
        package var startedAt: String
        package var endedAt: String?
        /// At most 100 of each.
        package var params: [String: String]
        package var metrics: [String: Double]

        package init(
            id: RunID, name: String, experiment: ExperimentID, experimentName: String,
            user: String, status: String, startedAt: String, endedAt: String?,
            params: [String: String], metrics: [String: Double]
        ) {
            self.id = id
            self.name = name
            self.experiment = experiment
            self.experimentName = experimentName
            self.user = user
            self.status = status
            self.startedAt = startedAt
            self.endedAt = endedAt
            self.params = params
            self.metrics = metrics
        }
    }

    /// The code that trained it.
    package struct Code: Codable, Sendable, Equatable {
        /// The snapshot of the folder that the job ran in; a blob.
        package var snapshot: ContentDigest?
        package var command: String?
        /// As the client noted them: the script, the commit.
        package var source: String?
        package var commit: String?

        package init(
            snapshot: ContentDigest?, command: String?, source: String?, commit: String?
        ) {
            self.snapshot = snapshot
            self.command = command
            self.source = source
            self.commit = commit
        }
    }

    package struct Dataset: Codable, Sendable, Equatable {
        package var name: String
        package var digest: String
        package var sourceType: String
        package var source: String
        /// What for, as `training`.
        package var context: String?

        package init(
            name: String, digest: String, sourceType: String, source: String, context: String?
        ) {
            self.name = name
            self.digest = digest
            self.sourceType = sourceType
            self.source = source
            self.context = context
        }
    }

    /// The revision that answered, with its rollout and its evidence.
    package var revision: RevisionItem?
    /// The step of the rollout in which it answered.
    package var step: RolloutStepItem?
    package var version: Version?
    package var run: TrainingRun?
    /// The job that trained it.
    package var job: JobView?
    package var code: Code?
    /// The digest of the job's Python environment.
    package var environment: ContentDigest?
    package var datasets: [Dataset]

    package init(
        revision: RevisionItem? = nil, step: RolloutStepItem? = nil, version: Version? = nil,
        run: TrainingRun? = nil, job: JobView? = nil, code: Code? = nil,
        environment: ContentDigest? = nil, datasets: [Dataset] = []
    ) {
        self.revision = revision
        self.step = step
        self.version = version
        self.run = run
        self.job = job
        self.code = code
        self.environment = environment
        self.datasets = datasets
    }
}
