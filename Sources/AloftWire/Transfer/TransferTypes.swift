package import AloftDomain

// What is carried between trackers, whole: the bodies of `/api/v1/imports` and the files of an
// export. Times are milliseconds since 1970.

package struct TransferExperiment: Codable, Sendable, Equatable {
    package var id: String
    package var name: String
    package var artifactLocation: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText]

    package init(
        id: String, name: String, artifactLocation: String, createdAt: Int64 = 0,
        updatedAt: Int64 = 0, tags: [NamedText] = []
    ) {
        self.id = id
        self.name = name
        self.artifactLocation = artifactLocation
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tags = tags
    }
}

/// A run but for the points of its metrics: `metrics` are the latest ones.
package struct TransferRun: Codable, Sendable, Equatable {
    package struct Metric: Codable, Sendable, Equatable {
        package var key: String
        package var value: Double
        package var timestamp: Int64
        package var step: Int64

        package init(key: String, value: Double, timestamp: Int64, step: Int64) {
            self.key = key
            self.value = value
            self.timestamp = timestamp
            self.step = step
        }
    }

    package struct Dataset: Codable, Sendable, Equatable {
        package var name: String
        package var digest: String
        package var sourceType: String
        package var source: String
        package var schema: String?
        package var profile: String?
        package var tags: [NamedText]

        package init(
            name: String, digest: String, sourceType: String, source: String, schema: String? = nil,
            profile: String? = nil, tags: [NamedText] = []
        ) {
            self.name = name
            self.digest = digest
            self.sourceType = sourceType
            self.source = source
            self.schema = schema
            self.profile = profile
            self.tags = tags
        }
    }

    package struct Output: Codable, Sendable, Equatable {
        package var model: LoggedModelID
        package var step: Int64

        package init(model: LoggedModelID, step: Int64) {
            self.model = model
            self.step = step
        }
    }

    package var id: RunID
    package var experiment: String
    package var name: String
    package var user: String
    package var status: RunStatus
    package var startTime: Int64
    package var endTime: Int64?
    package var artifactURI: String
    package var params: [NamedText]
    package var tags: [NamedText]
    package var metrics: [Metric]
    package var datasets: [Dataset] = []
    package var modelInputs: [LoggedModelID] = []
    package var modelOutputs: [Output] = []

    package init(
        id: RunID, experiment: String, name: String, user: String, status: RunStatus,
        startTime: Int64, endTime: Int64?, artifactURI: String, params: [NamedText] = [],
        tags: [NamedText] = [], metrics: [Metric] = []
    ) {
        self.id = id
        self.experiment = experiment
        self.name = name
        self.user = user
        self.status = status
        self.startTime = startTime
        self.endTime = endTime
        self.artifactURI = artifactURI
        self.params = params
        self.tags = tags
        self.metrics = metrics
    }
}

/// Points of one metric: three lists of one length.
package struct TransferPoints: Codable, Sendable, Equatable {
    package var key: String
    package var values: [Double]
    package var timestamps: [Int64]
    package var steps: [Int64]

    package init(key: String, points: [MetricPoint] = []) {
        self.key = key
        values = points.map(\.value)
        timestamps = points.map(\.timestamp)
        steps = points.map(\.step)
    }

    package mutating func append(value: Double, timestamp: Int64, step: Int64) {
        values.append(value)
        timestamps.append(timestamp)
        steps.append(step)
    }
}

package struct TransferLoggedModel: Codable, Sendable, Equatable {
    package struct Metric: Codable, Sendable, Equatable {
        package var key: String
        package var value: Double
        package var timestamp: Int64
        package var step: Int64
        package var run: RunID
        package var datasetName: String?
        package var datasetDigest: String?

        package init(
            key: String, value: Double, timestamp: Int64, step: Int64, run: RunID,
            datasetName: String? = nil, datasetDigest: String? = nil
        ) {
            self.key = key
            self.value = value
            self.timestamp = timestamp
            self.step = step
            self.run = run
            self.datasetName = datasetName
            self.datasetDigest = datasetDigest
        }
    }

    package var id: LoggedModelID
    package var experiment: String
    package var name: String
    package var modelType: String
    package var sourceRun: RunID?
    package var artifactURI: String
    package var status: LoggedModelStatus
    package var statusMessage: String?
    package var createdAt: Int64
    package var updatedAt: Int64
    package var params: [NamedText]
    package var tags: [NamedText]
    package var metrics: [Metric]

    package init(
        id: LoggedModelID, experiment: String, name: String, modelType: String, sourceRun: RunID?,
        artifactURI: String, status: LoggedModelStatus, statusMessage: String?, createdAt: Int64,
        updatedAt: Int64, params: [NamedText] = [], tags: [NamedText] = [], metrics: [Metric] = []
    ) {
        self.id = id
        self.experiment = experiment
        self.name = name
        self.modelType = modelType
        self.sourceRun = sourceRun
        self.artifactURI = artifactURI
        self.status = status
        self.statusMessage = statusMessage
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.params = params
        self.tags = tags
        self.metrics = metrics
    }
}

/// A registered model with its versions, oldest first.
package struct TransferModel: Codable, Sendable, Equatable {
    package struct Alias: Codable, Sendable, Equatable {
        package var alias: String
        package var version: Int64

        package init(alias: String, version: Int64) {
            self.alias = alias
            self.version = version
        }
    }

    package struct Version: Codable, Sendable, Equatable {
        package var version: Int64
        package var stage: String
        package var description: String
        package var source: String
        package var run: RunID?
        package var runLink: String
        package var loggedModel: LoggedModelID?
        package var user: String
        package var createdAt: Int64
        package var updatedAt: Int64
        package var tags: [NamedText]

        package init(
            version: Int64, stage: String, description: String, source: String, run: RunID?,
            runLink: String, loggedModel: LoggedModelID?, user: String, createdAt: Int64,
            updatedAt: Int64, tags: [NamedText] = []
        ) {
            self.version = version
            self.stage = stage
            self.description = description
            self.source = source
            self.run = run
            self.runLink = runLink
            self.loggedModel = loggedModel
            self.user = user
            self.createdAt = createdAt
            self.updatedAt = updatedAt
            self.tags = tags
        }
    }

    package var name: String
    package var description: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText]
    package var aliases: [Alias]
    package var versions: [Version]

    package init(
        name: String, description: String, createdAt: Int64, updatedAt: Int64,
        tags: [NamedText] = [], aliases: [Alias] = [], versions: [Version] = []
    ) {
        self.name = name
        self.description = description
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.tags = tags
        self.aliases = aliases
        self.versions = versions
    }
}
