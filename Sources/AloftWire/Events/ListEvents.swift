package import AloftDomain

/// The event feed: `?after=SEQUENCE&entity=KIND&id=ID&limit=N&wait=SECONDS`.
package enum ListEvents: Endpoint {
    package struct Item: Codable, Sendable, Equatable {
        package var sequence: Int64
        package var at: String
        package var project: ProjectID
        package var entity: String
        package var entityID: String
        package var what: String
        package var who: String
        package var why: String?
        package var payload: JSONValue

        package init(
            sequence: Int64, at: String, project: ProjectID, entity: String, entityID: String,
            what: String, who: String, why: String?, payload: JSONValue
        ) {
            self.sequence = sequence
            self.at = at
            self.project = project
            self.entity = entity
            self.entityID = entityID
            self.what = what
            self.who = who
            self.why = why
            self.payload = payload
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var events: [Item]
        package init(events: [Item]) { self.events = events }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/events"
    package static let summary = "Changes of state, oldest first; waits for the next with wait"
}
