import AloftDomain
import AloftStore
import Hummingbird

/// Traces as clients since 3.0 start, read, search and delete them.
struct TraceCalls: Sendable {
    let service: MLflowService

    private static let mostAtOnce = 1000

    func add<Context>(to calls: CallRouter<Context>) {
        let third = calls.version("3.0")
        third.post("traces", .begin, of: Subjects.newTrace, start)
        third.get("traces/get", .read, of: Subjects.trace, get)
        third.get("traces/batchGet", .read, of: Subjects.traces, getSeveral)
        third.post("traces/batchGetInfos", .read, of: Subjects.traces, getSeveralInfos)
        third.post("traces/search", .read, of: Subjects.traceLocations, search)
        third.get("traces/:trace", .read, of: Subjects.trace, getInfo)
        for calls in [calls, third] {
            calls.patch("traces/:trace/tags", .record, of: Subjects.trace, setTag)
            calls.delete("traces/:trace/tags", .record, of: Subjects.trace, deleteTag)
            calls.post("traces/delete-traces", .discard, of: Subjects.deletedTraces, delete)
        }
        calls.post("traces/link-to-run", .record, of: Subjects.linkedTraces, linkToRun)
        calls.post("traces/link-prompts", .record, of: Subjects.trace, linkPrompts)
        for path in [
            "/ajax-api/2.0/mlflow/get-trace-artifact", "/ajax-api/3.0/mlflow/get-trace-artifact",
        ] {
            calls.raw(.get, path, .read, of: Self.requested) { request, _ in
                try await TraceFile(service: service).answer(request)
            }
        }
    }

    /// The trace that the query names.
    private static func requested<Context>(
        _ queries: AccessQueries, _ request: Request, _: Context
    ) throws -> [Claim] {
        let id = try FieldReader.text(QueryText.fields(request), "request_id") ?? ""
        let trace = Claim(try queries.trace(TraceID(id)))
        // Where its files are a client wrote.
        guard let files = try queries.files(of: TraceID(id)) else { return [trace] }
        return [trace, Claim(files)]
    }

    private func start(_ call: Call) async throws -> [UInt8] {
        guard let trace = try call.fields.object("trace"), let info = try trace.object("trace_info")
        else { throw ProtocolError.missing("trace.trace_info") }
        let new = try TraceFields.trace(
            info, now: service.time.now().millisecondsSince1970, chance: service.chance)
        let who = call.principal
        let stored = try await service.store.write(as: .tracking) { db in
            try TraceQueries.start(db, new)
            try AccessQueries.note(db, who, made: .trace, new.id.rawValue)
            return try TraceQueries.get(db, new.id)
        }
        return Self.document(stored)
    }

    private static func document(_ trace: TraceRecord) -> [UInt8] {
        JSONWriter.document { writer in
            writer.object("trace") { writer in
                writer.object("trace_info") { $0.traceInfoMembers(trace) }
            }
        }
    }

    private func getInfo(_ call: Call) async throws -> [UInt8] {
        let id = TraceID(call.parameter("trace"))
        return Self.document(try await service.store.read { try TraceQueries.get($0, id) })
    }

    private func get(_ call: Call) async throws -> [UInt8] {
        let id = try TraceFields.traceID(call.fields, "trace_id")
        let (trace, spans) = try await service.store.read { db in
            (try TraceQueries.get(db, id), try TraceQueries.spans(db, of: id))
        }
        return JSONWriter.document { writer in
            writer.object("trace") { $0.traceMembers(trace, spans: spans) }
        }
    }

    private static func ids(_ fields: Fields, _ name: String) throws -> [TraceID] {
        let ids = try fields.strings(name)
        guard !ids.isEmpty else { throw ProtocolError.missing(name) }
        guard ids.count <= mostAtOnce else {
            throw ProtocolError.invalid("More than \(mostAtOnce) values of '\(name)'.")
        }
        return ids.map { TraceID($0) }
    }

    private func getSeveral(_ call: Call) async throws -> [UInt8] {
        let ids = try Self.ids(call.fields, "trace_ids")
        let found = try await service.store.read { db in
            try TraceQueries.find(db, ids).map { ($0, try TraceQueries.spans(db, of: $0.id)) }
        }
        return JSONWriter.document { writer in
            writer.list("traces", found) { writer, one in writer.trace(one.0, spans: one.1) }
        }
    }

    private func getSeveralInfos(_ call: Call) async throws -> [UInt8] {
        let ids = try Self.ids(call.fields, "trace_ids")
        let found = try await service.store.read { try TraceQueries.find($0, ids) }
        return JSONWriter.document { writer in
            writer.list("trace_infos", found) { writer, one in
                writer.object { $0.traceInfoMembers(one) }
            }
        }
    }

    private func search(_ call: Call) async throws -> [UInt8] {
        let locations = try call.fields.objects("locations")
        guard !locations.isEmpty else { throw ProtocolError.missing("locations") }
        let search = try Self.search(
            call.fields, in: locations.map(TraceFields.searched(inLocation:)))
        let found = try await service.store.search { try TraceQueries.search($0, search) }
        return Page(found).document("traces") {
            writer, trace in writer.object { $0.traceInfoMembers(trace) }
        }
    }

    static func search(_ fields: Fields, in experiments: [ExperimentID]) throws -> TraceSearch {
        guard experiments.count <= 10_000 else {
            throw ProtocolError.invalid("More than 10000 places to search.")
        }
        var search = TraceSearch(
            experiments: experiments, limit: try fields.maxResults(default: 100, limit: 500),
            after: try PageToken.position(fields))
        search.conditions = try TraceSearchParser.conditions(fields.optionalString("filter"))
        search.orders = try TraceSearchParser.orders(fields.strings("order_by"))
        return search
    }

    // MARK: Changing

    private func setTag(_ call: Call) async throws -> [UInt8] {
        let id = TraceID(call.parameter("trace"))
        let key = try call.fields.string("key")
        let value = try call.fields.optionalString("value") ?? ""
        try ValueRules.checkKey(key, "key")
        let tags = try TraceFields.tags([NamedText(key: key, value: value)])
        try await service.store.write(as: .tracking) { db in
            for tag in tags { try TraceQueries.setTag(db, id, tag) }
        }
        return MLflowService.empty
    }

    private func deleteTag(_ call: Call) async throws -> [UInt8] {
        let id = TraceID(call.parameter("trace"))
        let key = try call.fields.string("key")
        try await service.store.write(as: .tracking) {
            try TraceQueries.deleteTag($0, id, key: key)
        }
        return MLflowService.empty
    }

    private func delete(_ call: Call) async throws -> [UInt8] {
        let experiment = try FieldReader.experimentID(call.fields)
        let ids = try call.fields.strings("request_ids") + call.fields.strings("trace_ids")
        let time = try call.fields.optionalInt("max_timestamp_millis")
        let limit = try call.fields.optionalInt("max_traces")
        let deletion: TraceQueries.Deletion
        switch (ids.isEmpty, time) {
        case (false, nil):
            guard limit == nil else {
                throw ProtocolError.invalid(
                    "`max_traces` can't be specified if `request_ids` is specified.")
            }
            deletion = .these(ids.map { TraceID($0) })
        case (true, .some(let time)):
            guard limit ?? 1 > 0 else {
                throw ProtocolError.invalid("`max_traces` must be a positive integer.")
            }
            deletion = .until(time, limit: limit.map { Int(clamping: $0) })
        case (true, nil), (false, .some):
            throw ProtocolError.invalid(
                "Either `max_timestamp_millis` or `request_ids` must be specified, but not both.")
        }
        let count = try await service.store.write(as: .tracking) { db in
            try TraceQueries.delete(db, deletion, of: experiment)
        }
        return JSONWriter.document { $0.member("traces_deleted", Int64(count)) }
    }

    private func linkToRun(_ call: Call) async throws -> [UInt8] {
        guard call.fields.has("trace_ids") else { throw ProtocolError.missing("trace_ids") }
        let ids = try call.fields.strings("trace_ids").map { TraceID($0) }
        guard ids.count <= 100 else {
            throw ProtocolError.invalid(
                "Cannot link more than 100 traces to a run in a single request. Provided "
                    + "\(ids.count) traces.")
        }
        guard ids.allSatisfy({ $0.rawValue.utf8.count <= 250 }) else {
            throw ProtocolError.tooLong("trace_ids", limit: 250)
        }
        let run = try FieldReader.runID(call.fields)
        let at = service.time.now()
        try await service.store.write(as: .tracking) {
            try TraceQueries.link($0, ids, to: run, at: at)
        }
        return MLflowService.empty
    }

    /// Linked prompts are a tag, as the client itself writes and reads them.
    private func linkPrompts(_ call: Call) async throws -> [UInt8] {
        let id = try TraceFields.traceID(call.fields, "trace_id")
        let new = try call.fields.objects("prompt_versions").map { prompt in
            JSONValue.object([
                "name": .string(try prompt.string("name")),
                "version": .string(String(try RegistryFields.version(prompt))),
            ])
        }
        try await service.store.write(as: .tracking) { db in
            let key = "mlflow.linkedPrompts"
            let old = try TraceQueries.get(db, id).tags.first { $0.key == key }?.value ?? "[]"
            guard case .array(var linked) = try? JSONReader.read(text: old) else {
                throw ProtocolError.invalid("The trace's tag '\(key)' is no list.")
            }
            linked += new.filter { !linked.contains($0) }
            var writer = JSONWriter()
            writer.value(.array(linked))
            let text = String(decoding: writer.bytes, as: UTF8.self)
            try TraceQueries.setTag(db, id, NamedText(key: key, value: text))
        }
        return MLflowService.empty
    }
}
