// text-file: ids, which are ASCII; others are refused when they are taken
package import AloftDomain

/// Which experiment here takes what an experiment of another tracker holds. Doing it again gives the
/// same one.
package enum ImportExperiment: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        /// The other tracker, as its address or path.
        package var source: String
        package var experiment: TransferExperiment
        /// Whether its files stay where they are, so that its artifact location is kept.
        package var keepsLocation: Bool

        package init(source: String, experiment: TransferExperiment, keepsLocation: Bool) {
            self.source = source
            self.experiment = experiment
            self.keepsLocation = keepsLocation
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var experiment: ExperimentID
        package var artifactLocation: String
        package var isNew: Bool

        package init(experiment: ExperimentID, artifactLocation: String, isNew: Bool) {
            self.experiment = experiment
            self.artifactLocation = artifactLocation
            self.isNew = isNew
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/imports/experiments"
    package static let summary = "Take an experiment of another tracker"
    package static let bodyLimitBytes = 16 << 20
}

/// What the server knows of runs and logged models that somebody wants to import.
package enum CheckImports: Endpoint {
    package struct Item: Codable, Sendable, Equatable {
        package var id: String
        /// Changes with what there is to take.
        package var fingerprint: String

        package init(id: String, fingerprint: String) {
            self.id = id
            self.fingerprint = fingerprint
        }
    }

    package enum State: String, Codable, Sendable, CaseIterable {
        /// Taken, and nothing has changed since.
        case same
        /// Taken, but there is more to take now.
        case changed
        /// Taken once, and deleted here since.
        case deleted
        /// There is one of this id that no import brought.
        case foreign
    }

    package struct Body: Codable, Sendable, Equatable {
        package var runs: [Item]
        package var loggedModels: [Item]

        package init(runs: [Item] = [], loggedModels: [Item] = []) {
            self.runs = runs
            self.loggedModels = loggedModels
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        /// By id; what is new has none.
        package var runs: [String: State]
        package var loggedModels: [String: State]

        package init(runs: [String: State], loggedModels: [String: State]) {
            self.runs = runs
            self.loggedModels = loggedModels
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/imports/known"
    package static let summary = "Which runs and logged models an import has taken already"
    package static let bodyLimitBytes = 16 << 20
}

/// A whole run in one transaction. The body is lines of JSON: the first a `Header`, each further one
/// `TransferPoints`. Doing it again adds only what is new.
package enum ImportRun {
    package struct Header: Codable, Sendable, Equatable {
        package var source: String
        package var fingerprint: String
        /// `experiment` is the one here; `metrics` are not read.
        package var run: TransferRun
        /// Whether `run.artifactURI` is kept as it is.
        package var keepsArtifacts: Bool

        package init(source: String, fingerprint: String, run: TransferRun, keepsArtifacts: Bool) {
            self.source = source
            self.fingerprint = fingerprint
            self.run = run
            self.keepsArtifacts = keepsArtifacts
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var isNew: Bool
        /// How many points were added.
        package var points: Int

        package init(isNew: Bool, points: Int) {
            self.isNew = isNew
            self.points = points
        }
    }
    package static let path = "/api/v1/imports/runs"
    package static let contentType = "application/x-ndjson"
    /// The most points of one line.
    package static let pointsPerLine = 5000
    /// The most points of one run.
    package static let mostPoints = 8_000_000
}

/// A logged model, whole. Doing it again adds only what is new.
package enum ImportLoggedModel: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var source: String
        package var fingerprint: String
        /// `experiment` is the one here.
        package var model: TransferLoggedModel
        /// Whether `model.artifactURI` is kept as it is.
        package var keepsArtifacts: Bool

        package init(
            source: String, fingerprint: String, model: TransferLoggedModel, keepsArtifacts: Bool
        ) {
            self.source = source
            self.fingerprint = fingerprint
            self.model = model
            self.keepsArtifacts = keepsArtifacts
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var isNew: Bool
        package init(isNew: Bool) { self.isNew = isNew }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/imports/logged-models"
    package static let summary = "Take a logged model of another tracker"
    package static let bodyLimitBytes = 16 << 20
}

/// A registered model with its versions and aliases. Versions and aliases that are here stay as they
/// are; what could not be taken is said.
package enum ImportModel: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var source: String
        package var model: TransferModel

        package init(source: String, model: TransferModel) {
            self.source = source
            self.model = model
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var isNew: Bool
        package var newVersions: Int
        /// One sentence for each thing that was left as it is here.
        package var conflicts: [String]

        package init(isNew: Bool, newVersions: Int, conflicts: [String]) {
            self.isNew = isNew
            self.newVersions = newVersions
            self.conflicts = conflicts
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/imports/models"
    package static let summary = "Take a registered model of another tracker, with its versions"
    package static let bodyLimitBytes = 16 << 20
}
