import AloftDomain
import AloftStore
import Hummingbird

/// Feedback on traces, and what their answers should have been.
struct AssessmentCalls: Sendable {
    let service: MLflowService

    func add<Context>(to calls: CallRouter<Context>) {
        let calls = calls.version("3.0")
        calls.post("traces/:trace/assessments", .record, of: Subjects.trace, create)
        calls.get("traces/:trace/assessments/:assessment", .read, of: Subjects.trace, get)
        calls.patch("traces/:trace/assessments/:assessment", .record, of: Subjects.trace, update)
        calls.delete("traces/:trace/assessments/:assessment", .record, of: Subjects.trace, delete)
    }

    private func create(_ call: Call) async throws -> [UInt8] {
        guard let fields = try call.fields.object("assessment") else {
            throw ProtocolError.missing("assessment")
        }
        let trace = TraceID(call.parameter("trace"))
        let new = try AssessmentFields.new(
            fields, now: service.time.now().millisecondsSince1970, chance: service.chance)
        try await service.store.write(as: .tracking) {
            try AssessmentQueries.insert($0, new, of: trace)
        }
        return Self.document(new, of: trace)
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let (trace, id) = (TraceID(call.parameter("trace")), call.parameter("assessment"))
        let found = try await service.store.read { try AssessmentQueries.get($0, id, of: trace) }
        return Self.document(found, of: trace)
    }

    private func update(_ call: Call) async throws -> [UInt8] {
        guard let fields = try call.fields.object("assessment") else {
            throw ProtocolError.missing("assessment")
        }
        let mask = try AssessmentFields.mask(call.fields)
        let (trace, id) = (TraceID(call.parameter("trace")), call.parameter("assessment"))
        let now = service.time.now().millisecondsSince1970
        let changed = try await service.store.write(as: .tracking) { db in
            var record = try AssessmentQueries.get(db, id, of: trace)
            try AssessmentFields.update(&record, with: fields, mask: mask, now: now)
            try AssessmentQueries.update(db, record, of: trace)
            return record
        }
        return Self.document(changed, of: trace)
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let (trace, id) = (TraceID(call.parameter("trace")), call.parameter("assessment"))
        try await service.store.write(as: .tracking) {
            try AssessmentQueries.delete($0, id, of: trace)
        }
        return MLflowService.empty
    }

    private static func document(_ assessment: AssessmentRecord, of trace: TraceID) -> [UInt8] {
        JSONWriter.document { writer in
            writer.member("assessment", assessment, of: trace)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func member(
        _ name: StaticString, _ assessment: AssessmentRecord, of trace: TraceID
    ) {
        var inner = JSONWriter()
        inner.assessment(assessment, of: trace)
        member(name, raw: String(decoding: inner.bytes, as: UTF8.self))
    }
}
