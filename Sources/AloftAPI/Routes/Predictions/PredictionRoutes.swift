package import AloftControl
package import AloftDomain
import AloftPredictionLog
package import AloftStore
import AloftWire
import Foundation

/// Predictions that gateways logged: find them, explain one, ask one again.
package struct PredictionRoutes: Sendable {
    private let store: Store
    private let finder: PredictionFinder
    private let replay: PredictionReplay
    private let time: TimeSource

    /// - Parameter ask: asks a registered version through a gateway; `nil` where this server runs
    ///   none.
    package init(
        store: Store, finder: PredictionFinder, ask: PredictionReplay.Ask?, time: TimeSource
    ) {
        self.store = store
        self.time = time
        self.finder = finder
        replay = PredictionReplay(ask: ask)
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ListPredictions.self) { call in
            return try await list(call)
        }
        routes.on(ShowPrediction.self) { call in
            let found = try await finder.find(call.parameter("prediction"))
            let now = time.now()
            return try await store.read { db in
                let pages = PredictionPages(db: db, now: now)
                return ShowPrediction.Reply(
                    prediction: try pages.item(found), form: "\(found.form)",
                    request: PredictionBody(requestOf: found),
                    response: PredictionBody(responseOf: found),
                    walk: try pages.walk(found))
            }
        }
        routes.on(ReplayPrediction.self) { call in
            let found = try await finder.find(call.parameter("prediction"))
            return try await replay.answer(
                found, version: call.body.version, token: call.token)
        }
    }

    private func list(_ call: EndpointCall<ListPredictions>) async throws -> ListPredictions.Reply {
        if let id = call.query("id"), !id.isEmpty { return try await one(id) }
        let search = try await search(call)
        let page = try await finder.list(search)
        let now = time.now()
        return try await store.read { db in
            let pages = PredictionPages(db: db, now: now)
            return ListPredictions.Reply(
                predictions: try page.predictions.map(pages.item), next: page.next?.text,
                storage: try pages.storage(),
                damagedBlocks: page.damagedBlocks == 0 ? nil : page.damagedBlocks)
        }
    }

    private func one(_ id: String) async throws -> ListPredictions.Reply {
        let found = try await finder.find(id)
        let now = time.now()
        return try await store.read { db in
            let pages = PredictionPages(db: db, now: now)
            return ListPredictions.Reply(
                predictions: [try pages.item(found)], next: nil, storage: try pages.storage())
        }
    }

    private func search(
        _ call: EndpointCall<ListPredictions>
    ) async throws -> PredictionFinder.Search {
        var filter = PredictionQueries.Filter(
            hasErrors: call.query("errors") == "true", since: try time(call, "since"))
        if call.query("slower") != nil {
            let milliseconds = try call.integer("slower", in: 0...86_400_000, default: 0)
            filter.slowerThanMicroseconds = Int(milliseconds) * 1000
        }
        if let deployment = call.query("deployment"), !deployment.isEmpty {
            let environment = call.query("environment").flatMap { $0.isEmpty ? nil : $0 }
            try await narrow(
                &filter, deployment, environment ?? EndpointName.production,
                revision: Int(call.integer("revision", in: 0...Int64(Int32.max), default: 0)))
        }
        var cursor: PredictionFinder.Cursor?
        if let text = call.query("before"), !text.isEmpty {
            cursor = PredictionFinder.Cursor(text)
            if cursor == nil { throw PredictionError.invalidCursor(text) }
        }
        return PredictionFinder.Search(
            filter: filter, until: try time(call, "until"), before: cursor,
            limit: Int(try call.integer("limit", in: 1...1000, default: 50)))
    }

    private func narrow(
        _ filter: inout PredictionQueries.Filter, _ deployment: String, _ environment: String,
        revision number: Int
    ) async throws {
        filter.endpoint = EndpointName.text(deployment: deployment, environment: environment)
        filter.revision = try await store.read { db in
            let record = try DeploymentQueries.get(
                db, name: deployment, environment: environment)
            guard number > 0 else { return nil }
            guard let found = try RevisionQueries.find(db, of: record.id, number: number) else {
                throw DeploymentError.revisionNotFound(deployment: deployment, number: number)
            }
            return found.id
        }
    }

    private func time(
        _ call: EndpointCall<ListPredictions>, _ name: String
    ) throws -> Date? {
        guard let text = call.query(name), !text.isEmpty else { return nil }
        if let date = Date(stamp: text) { return date }
        guard let date = try? Date(text, strategy: .iso8601) else {
            throw PredictionError.invalidTime(name: name, value: text)
        }
        return date
    }
}
