package import AloftDomain

/// Checks a project file and makes it the project's own; the project is the one that it names. The
/// same text with the same snapshot again changes nothing.
package enum ApplyProjectFile: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var text: String
        /// The file's name, for messages.
        package var file: String?
        /// The folder that goes with it: a tar, uploaded as a blob before.
        package var snapshot: ContentDigest?
        /// Where the folder comes from, as git says.
        package var code: CodeOrigin?
        /// Names that are another project's become this one's; without it they are refused.
        package var takeOver: Bool?

        package init(
            text: String, file: String? = nil, snapshot: ContentDigest? = nil,
            code: CodeOrigin? = nil, takeOver: Bool? = nil
        ) {
            self.text = text
            self.file = file
            self.snapshot = snapshot
            self.code = code
            self.takeOver = takeOver
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var project: ProjectID
        package var revision: Int
        /// False if the file was the project's already.
        package var isNew: Bool
        /// What is other than before, one line each: `+ job train`, `~ model m (checks)`, `- job x`.
        package var changes: [String]
        /// The parts of the file that this version checks but does not act on.
        package var warnings: [String]

        package init(
            project: ProjectID, revision: Int, isNew: Bool, changes: [String], warnings: [String]
        ) {
            self.project = project
            self.revision = revision
            self.isNew = isNew
            self.changes = changes
            self.warnings = warnings
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.put
    package static let path = "/api/v1/project-files"
    package static let summary = "Check a project file and make it the project's own"
}

package enum GetProjectFile: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var project: ProjectID
        package var revision: Int
        package var text: String
        package var snapshot: ContentDigest?
        package var appliedAt: String
        package var appliedBy: String

        package init(
            project: ProjectID, revision: Int, text: String, snapshot: ContentDigest?,
            appliedAt: String, appliedBy: String
        ) {
            self.project = project
            self.revision = revision
            self.text = text
            self.snapshot = snapshot
            self.appliedAt = appliedAt
            self.appliedBy = appliedBy
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/project-files/{project}"
    package static let summary = "A project's current file"
}

package enum ListProjectFiles: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        package var projects: [ProjectID]
        package init(projects: [ProjectID]) { self.projects = projects }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/project-files"
    package static let summary = "The projects that have a file"
}
