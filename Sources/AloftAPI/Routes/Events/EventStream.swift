import AloftDomain
package import AloftStore
import AloftWire
import Foundation
import HTTPTypes
import Hummingbird
import ServiceLifecycle

/// `GET /api/v1/events/stream`: the event log as server-sent events, for live pages.
///
/// Starts after `Last-Event-ID` or `?after=SEQUENCE`, otherwise with what happens from now on. Each
/// message's id is the event's position, so a browser that lost the connection misses nothing. A
/// comment is sent about every 15 seconds, so that a broken connection is noticed.
///
/// What runs log, tags and predictions make no events. A message named `changed` says what else changed,
/// one a kind and at most every two seconds; it has no id and is not repeated to a browser that lost
/// the connection.
package struct EventStream: Sendable {
    private static let heartbeat = Duration.seconds(15)
    private static let batch = 200
    /// What has no events is told at most so often.
    private static let pause = Duration.seconds(2)

    private let store: Store

    package init(store: Store) { self.store = store }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.get, "/api/v1/events/stream", .manage) { request, _ in
            let start = try await startPosition(of: request)
            var headers: HTTPFields = [
                .contentType: "text/event-stream", .cacheControl: "no-store",
            ]
            // Proxies that collect replies would hold every event back.
            if let name = HTTPField.Name("X-Accel-Buffering") { headers[name] = "no" }
            return Response(
                status: .ok, headers: headers,
                body: ResponseBody { writer in
                    try await send(after: start, to: &writer)
                    try await writer.finish(nil)
                })
        }
    }

    private func startPosition(of request: Request) async throws -> Int64 {
        let header = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
        let query = request.uri.queryParameters["after"].map(String.init)
        if let text = header ?? query {
            guard let position = Int64(text), position >= 0 else {
                throw BodyError.query(
                    name: "after", value: text, expected: "the number of an event")
            }
            return position
        }
        return try await store.read { try EventLog.lastPosition($0) }
    }

    /// Ends when the server shuts down or the reader is gone, which writing then throws.
    private func send(after start: Int64, to writer: inout any ResponseBodyWriter) async throws {
        let clock = ContinuousClock()
        var place = Place(event: start, activity: store.activity.sequence, told: clock.now)
        try await writer.write(ByteBuffer(string: "retry: 1000\n: hello\n\n"))
        while !Task.isCancelled {
            let from = place
            // What changed since such was last told of is told a little later, together.
            let isBehind = store.activity.sequence > from.activity
            let news = try await longPoll(
                store.changes, of: [.events, .activity],
                timeout: isBehind ? Self.pause : Self.heartbeat
            ) {
                try await look(after: from, isBehind: isBehind, now: clock.now)
            }
            guard let news else {
                if Task.isShuttingDownGracefully { return }
                if !isBehind { try await writer.write(ByteBuffer(string: ": still here\n\n")) }
                continue
            }
            var text = ""
            for record in news.events {
                let data = try JSON.encoder.encode(ListEvents.Item(record))
                text += "id: \(record.position)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
                place.event = record.position
            }
            if let changed = news.changed {
                for each in changed {
                    let data = try JSON.encoder.encode(each)
                    text += "event: changed\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
                }
                place.activity = news.activity
                place.told = clock.now
            }
            if !text.isEmpty { try await writer.write(ByteBuffer(string: text)) }
        }
    }

    /// Up to where a reader knows.
    private struct Place: Sendable {
        var event: Int64
        var activity: UInt64
        var told: ContinuousClock.Instant
    }

    private struct News: Sendable {
        var events: [EventRecord]
        var changed: [Changed]?
        var activity: UInt64
    }

    /// Things of one kind. Without `ids` any of the kind may have changed, without `entity` anything.
    private struct Changed: Encodable, Sendable {
        var entity: String?
        var ids: [String]?
    }

    /// Empty news where something changed that is told of later.
    private func look(
        after place: Place, isBehind: Bool, now: ContinuousClock.Instant
    ) async throws -> News? {
        let events = try await store.read { db in
            try EventLog.list(db, after: place.event, limit: Self.batch)
        }
        let isNew = store.activity.hasChanges(after: place.activity)
        let sequence = store.activity.sequence
        var changed: [Changed]?
        if isNew, now - place.told >= Self.pause {
            changed = Self.byKind(store.activity.subjects(after: place.activity))
        }
        if events.isEmpty, changed == nil, isBehind || !isNew { return nil }
        return News(events: events, changed: changed, activity: sequence)
    }

    private static func byKind(_ subjects: [LiveSubject]?) -> [Changed] {
        guard let subjects else { return [Changed()] }
        return Dictionary(grouping: subjects, by: \.kind).map { kind, all in
            Changed(entity: kind.rawValue, ids: all.map(\.id))
        }
    }
}
