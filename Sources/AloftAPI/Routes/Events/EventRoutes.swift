package import AloftStore
import AloftWire

/// The event feed.
package struct EventRoutes: Sendable {
    private let store: Store

    package init(store: Store) { self.store = store }

    package func add(to routes: inout APIRoutes) {
        routes.on(ListEvents.self) { call in
            let after = try call.integer("after", in: 0...Int64.max, default: 0)
            let limit = try call.integer("limit", in: 1...1000, default: 100)
            let wait = try call.integer("wait", in: 0...60, default: 0)
            let entity = call.query("entity")
            let id = call.query("id")
            let found = try await longPoll(
                store.changes, of: .events, timeout: .seconds(wait)
            ) {
                let records = try await store.read { db in
                    try EventLog.list(
                        db, after: after, entity: entity, entityID: id, limit: Int(limit))
                }
                return records.isEmpty ? nil : records
            }
            return ListEvents.Reply(events: (found ?? []).map(ListEvents.Item.init))
        }
    }
}

extension ListEvents.Item {
    init(_ record: EventRecord) {
        self.init(
            sequence: record.position, at: record.at, project: record.project,
            entity: record.entity, entityID: record.entityID, what: record.what, who: record.who,
            why: record.why, payload: record.payload)
    }
}
