package import AloftDomain

package enum ModelStage: String, Sendable, Codable, CaseIterable {
    case none = "None"
    case staging = "Staging"
    case production = "Production"
    case archived = "Archived"
}

package struct ModelAlias: Sendable, Equatable, Codable {
    package var alias: String
    package var version: Int64

    package init(alias: String, version: Int64) {
        self.alias = alias
        self.version = version
    }
}

package struct RegisteredModelRecord: Sendable, Equatable {
    package var number: Int64
    package var project: ProjectID
    package var name: String
    package var description: String
    /// Milliseconds since 1970, as are all times here.
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText] = []
    package var aliases: [ModelAlias] = []
    /// The newest version of each stage that has one.
    package var latest: [ModelVersionRecord] = []
}

package struct ModelVersionRecord: Sendable, Equatable {
    package var modelNumber: Int64
    package var name: String
    package var version: Int64
    package var stage: ModelStage
    package var description: String
    /// Where its files are: `models:/m-…`, `mlflow-artifacts:/…`, `runs:/…`.
    package var source: String
    package var run: RunID?
    package var runLink: String
    package var loggedModel: LoggedModelID?
    package var user: String
    package var createdAt: Int64
    package var updatedAt: Int64
    package var tags: [NamedText] = []
    package var aliases: [String] = []

    package init(
        modelNumber: Int64, name: String, version: Int64, stage: ModelStage, description: String,
        source: String, run: RunID?, runLink: String, loggedModel: LoggedModelID?, user: String,
        createdAt: Int64, updatedAt: Int64
    ) {
        self.modelNumber = modelNumber
        self.name = name
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
    }
}

/// A model version to create.
package struct NewModelVersion: Sendable {
    package var name: String
    package var source: String
    package var run: RunID?
    package var loggedModel: LoggedModelID?
    package var runLink: String
    package var description: String
    package var tags: [NamedText]

    package init(
        name: String, source: String, run: RunID? = nil, loggedModel: LoggedModelID? = nil,
        runLink: String = "", description: String = "", tags: [NamedText] = []
    ) {
        self.name = name
        self.source = source
        self.run = run
        self.loggedModel = loggedModel
        self.runLink = runLink
        self.description = description
        self.tags = tags
    }
}
