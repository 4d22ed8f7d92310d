package import AloftDomain

package struct ExperimentRecord: Sendable, Equatable {
    package var id: ExperimentID
    package var project: ProjectID
    package var name: String
    package var artifactLocation: String
    package var stage: LifecycleStage
    /// Milliseconds since 1970, as are all times here.
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText]
}

package struct RunInfo: Sendable, Equatable {
    /// The row's own number, by which everything of the run refers to it.
    package var number: Int64
    package var id: RunID
    package var experiment: ExperimentID
    package var name: String
    package var user: String
    package var status: RunStatus
    package var startTime: Int64
    package var endTime: Int64?
    package var artifactURI: String
    package var stage: LifecycleStage
}

/// One metric's latest point.
package struct LatestMetric: Sendable, Equatable {
    package var key: String
    package var point: MetricPoint
    package var context: MetricContext
}

/// A run with all that belongs to it, metrics by their latest point.
package struct RunRecord: Sendable, Equatable {
    package var info: RunInfo
    package var metrics: [LatestMetric] = []
    package var params: [NamedText] = []
    package var tags: [NamedText] = []
    package var datasets: [DatasetInput] = []
    package var modelInputs: [LoggedModelID] = []
    package var modelOutputs: [ModelOutput] = []
}

package struct DatasetRecord: Sendable, Hashable {
    package var name: String
    package var digest: String
    package var sourceType: String
    package var source: String
    package var schema: String?
    package var profile: String?

    package init(
        name: String, digest: String, sourceType: String, source: String, schema: String? = nil,
        profile: String? = nil
    ) {
        self.name = name
        self.digest = digest
        self.sourceType = sourceType
        self.source = source
        self.schema = schema
        self.profile = profile
    }
}

/// A dataset that a run read; its tags say what for.
package struct DatasetInput: Sendable, Hashable {
    package var dataset: DatasetRecord
    package var tags: [NamedText]

    package init(dataset: DatasetRecord, tags: [NamedText]) {
        self.dataset = dataset
        self.tags = tags
    }
}

package struct ModelOutput: Sendable, Hashable {
    package var model: LoggedModelID
    package var step: Int64

    package init(model: LoggedModelID, step: Int64) {
        self.model = model
        self.step = step
    }
}

/// A run to create.
package struct NewRun: Sendable {
    package var id: RunID
    package var experiment: ExperimentID
    package var name: String
    package var user: String
    package var status: RunStatus
    package var startTime: Int64
    /// As they are stored: each key once with its last value, by the key's bytes; the name too.
    package private(set) var tags: [NamedText]

    package init(
        id: RunID, experiment: ExperimentID, name: String, user: String = "",
        status: RunStatus = .running, startTime: Int64, tags: [NamedText] = []
    ) {
        self.id = id
        self.experiment = experiment
        self.name = name
        self.user = user
        self.status = status
        self.startTime = startTime
        self.tags = Self.stored(tags + [NamedText(key: TrackingQueries.nameKey, value: name)])
    }

    /// Made by this person, whatever the client says.
    package mutating func setUser(_ name: String) {
        user = name
        tags = Self.stored(tags + [NamedText(key: PersonQueries.userKey, value: name)])
    }

    private static func stored(_ tags: [NamedText]) -> [NamedText] {
        // By bytes: texts that only look alike are different keys.
        let order = tags.indices.sorted { left, right in
            let (first, second) = (tags[left].key.utf8, tags[right].key.utf8)
            return first.lexicographicallyPrecedes(second)
                || (left < right && first.elementsEqual(second))
        }
        return order.indices.compactMap { place in
            let tag = tags[order[place]]
            let isLast =
                place + 1 == order.count
                || !tags[order[place + 1]].key.utf8.elementsEqual(tag.key.utf8)
            return isLast ? tag : nil
        }
    }
}

/// What a write to a run needs to know of it.
package struct RunHandle: Sendable, Equatable {
    package var id: RunID
    package var number: Int64
    package var experiment: Int64
    /// Whether its status is that of one that is over.
    package var hasEnded = false
}
