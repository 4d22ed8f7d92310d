package import AloftDomain

/// `?model=NAME&version=N&bad=true&limit=N`: of all deployments, newest first. `bad` keeps those
/// that were rejected by a check, failed or were aborted.
package enum ListRevisions: Endpoint {
    package struct Item: Codable, Sendable, Equatable {
        package var deployment: String
        package var environment: String
        package var revision: RevisionItem

        package init(deployment: String, environment: String, revision: RevisionItem) {
            self.deployment = deployment
            self.environment = environment
            self.revision = revision
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var revisions: [Item]
        package init(revisions: [Item]) { self.revisions = revisions }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/revisions"
    package static let summary = "Revisions of all deployments, or of one model or version"
}
