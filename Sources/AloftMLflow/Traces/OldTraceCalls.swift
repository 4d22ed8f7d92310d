import AloftDomain
import AloftStore
import Hummingbird

/// Traces as clients before 3.0 start, end, read and search them; their spans are artifacts.
struct OldTraceCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        calls.post("traces", .begin, of: Subjects.experiment, start)
        calls.getSearch("traces", .read, of: Subjects.experiments, search)
        calls.patch("traces/:trace", .record, of: Subjects.trace, end)
        calls.get("traces/:trace/info", .read, of: Subjects.trace, getInfo)
    }

    private func start(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let new = TraceRecord(
            id: service.chance.identifier(prefix: "tr-"),
            experiment: try FieldReader.experimentID(fields),
            requestTime: try fields.traceTime("timestamp_ms"), duration: nil, state: .inProgress,
            metadata: try TraceFields.pairs(fields, "request_metadata"),
            tags: try TraceFields.pairs(fields, "tags"))
        let who = call.principal
        let stored = try await service.store.write(as: .tracking) { db in
            try TraceQueries.start(db, new)
            try AccessQueries.note(db, who, made: .trace, new.id.rawValue)
            return try TraceQueries.get(db, new.id)
        }
        return Self.document(stored)
    }

    private func end(_ call: Call) async throws -> [UInt8] {
        let fields = call.fields
        let id = TraceID(call.parameter("trace"))
        let endTime = try fields.traceTime("timestamp_ms")
        let state = try TraceFields.state(fields, "status") ?? .unspecified
        let tags = try TraceFields.pairs(fields, "tags")
        let metadata = try TraceFields.pairs(fields, "request_metadata")
        let ended = try await service.store.write(as: .tracking) { db in
            try TraceQueries.end(
                db, id, endTime: endTime, state: state, tags: tags, metadata: metadata)
            return try TraceQueries.get(db, id)
        }
        return Self.document(ended)
    }

    private static func document(_ trace: TraceRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("trace_info") { $0.oldTraceInfoMembers(trace) }
        }
    }

    private func getInfo(_ call: Call) async throws -> [UInt8] {
        let id = TraceID(call.parameter("trace"))
        return Self.document(try await service.store.read { try TraceQueries.get($0, id) })
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let ids = try FieldReader.experimentIDs(call.fields)
        let search = try TraceCalls.search(call.fields, in: ids)
        let found = try await service.store.search { try TraceQueries.search($0, search) }
        return Page(found).document("traces") {
            writer, trace in writer.object { $0.oldTraceInfoMembers(trace) }
        }
    }
}
