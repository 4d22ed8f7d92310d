import AloftDomain
package import AloftStore
import AloftWire
import Foundation
import HTTPTypes
package import Hummingbird
import ServiceLifecycle

/// `GET /api/v1/events/stream`: the event log as server-sent events, for live pages.
///
/// Starts after `Last-Event-ID` or `?after=SEQUENCE`, otherwise with what happens from now on. Each
/// message's id is the event's sequence, so a browser that lost the connection misses nothing. A
/// comment is sent about every 15 seconds, so that a broken connection is noticed.
package struct EventStream: Sendable {
    private static let heartbeat = Duration.seconds(15)
    private static let batch = 200

    private let store: Store

    package init(store: Store) { self.store = store }

    package func add(to router: Router<AloftRequestContext>) {
        router.get("/api/v1/events/stream") { request, _ in
            let start = try await startSequence(of: request)
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

    private func startSequence(of request: Request) async throws -> Int64 {
        let header = HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] }
        let query = request.uri.queryParameters["after"].map(String.init)
        if let text = header ?? query {
            guard let sequence = Int64(text), sequence >= 0 else {
                throw BodyError.query(
                    name: "after", value: text, expected: "the number of an event")
            }
            return sequence
        }
        return try await store.read { try EventLog.lastSequence($0) }
    }

    /// Ends when the server shuts down or the reader is gone, which writing then throws.
    private func send(after start: Int64, to writer: inout any ResponseBodyWriter) async throws {
        var sequence = start
        try await writer.write(ByteBuffer(string: "retry: 1000\n: hello\n\n"))
        while !Task.isCancelled {
            let last = sequence
            let records = try await longPoll(store.changes, timeout: Self.heartbeat) {
                let found = try await store.read { db in
                    try EventLog.list(db, after: last, limit: Self.batch)
                }
                return found.isEmpty ? nil : found
            }
            guard let records else {
                if Task.isShuttingDownGracefully { return }
                try await writer.write(ByteBuffer(string: ": still here\n\n"))
                continue
            }
            var text = ""
            for record in records {
                let data = try JSON.encoder.encode(ListEvents.Item(record))
                text += "id: \(record.sequence)\ndata: \(String(decoding: data, as: UTF8.self))\n\n"
                sequence = record.sequence
            }
            try await writer.write(ByteBuffer(string: text))
        }
    }
}
