import AloftDomain
import AloftStore

/// Traces as requests write them.
enum TraceFields {
    private static let maxPreview = 100_000

    static func trace(_ fields: Fields, now: Int64, chance: Chance) throws -> TraceRecord {
        let id = try traceID(fields, "trace_id")
        let times = try (fields.time("request_time") ?? now, duration(fields))
        return TraceRecord(
            id: id, experiment: try experiment(fields), requestTime: times.0, duration: times.1,
            state: try state(fields, "state") ?? .unspecified,
            clientRequestID: try fields.optionalString("client_request_id"),
            requestPreview: try preview(fields, "request_preview"),
            responsePreview: try preview(fields, "response_preview"),
            metadata: try metadata(fields.texts("trace_metadata")),
            tags: try tags(fields.texts("tags")),
            assessments: try fields.objects("assessments").map {
                try AssessmentFields.new($0, now: now, chance: chance)
            })
    }

    static func traceID(_ fields: Fields, _ name: String) throws -> TraceID {
        TraceID(try fields.text(name, limit: 250))
    }

    static func experiment(_ fields: Fields) throws -> ExperimentID {
        guard let location = try fields.object("trace_location") else {
            throw ProtocolError.missing(fields.path(of: "trace_location"))
        }
        return try experiment(inLocation: location)
    }

    /// - Throws: `ProtocolError` if the place is no experiment.
    static func experiment(inLocation location: Fields) throws -> ExperimentID {
        guard let experiment = try location.object("mlflow_experiment") else {
            throw ProtocolError.invalid(
                "'\(location.path(of: "mlflow_experiment"))' is missing: traces are kept in "
                    + "experiments only.")
        }
        return try FieldReader.experimentID(experiment)
    }

    /// A place where traces are searched.
    static func searched(inLocation location: Fields) throws -> ExperimentID {
        let named = try location.object("mlflow_experiment")?.optionalString("experiment_id")
        if let named, !named.isEmpty, Int64(named) == nil {
            throw ProtocolError.invalid(
                "Locations must be a list of experiment IDs. Found invalid experiment IDs: "
                    + "\(named.prefix(100)).")
        }
        return try experiment(inLocation: location)
    }

    private static func duration(_ fields: Fields) throws -> Int64? {
        guard let text = try fields.optionalString("execution_duration") else { return nil }
        guard let duration = TraceTimes.duration(text) else {
            throw ProtocolError.invalidValue(
                "\"\(text.prefix(100))\"", fields.path(of: "execution_duration"))
        }
        return duration
    }

    static func state(_ fields: Fields, _ name: String) throws -> TraceState? {
        switch fields.value(name) {
        case nil: return nil
        case .int(let number) where (0...3).contains(number):
            // traps: one of 0...3, as this case says
            return [.unspecified, .ok, .error, .inProgress][Int(number)]
        case .some:
            let text = try fields.string(name)
            if text == "TRACE_STATUS_UNSPECIFIED" { return .unspecified }
            guard let state = TraceState(rawValue: text) else {
                throw ProtocolError.invalidValue(
                    "\"\(text.prefix(100))\"", fields.path(of: name))
            }
            return state
        }
    }

    private static func preview(_ fields: Fields, _ name: String) throws -> String? {
        try fields.optionalString(name).map { ValueRules.cut($0, to: maxPreview) }
    }

    /// Keys have at most 250 characters; longer values are cut, but for those of clients themselves.
    static func tags(_ texts: [NamedText]) throws -> [NamedText] {
        try texts.map { tag in
            guard !tag.key.isEmpty else { throw ProtocolError.missing("tags.key") }
            guard tag.key.unicodeScalars.count <= ValueRules.maxKey else {
                throw ProtocolError.tooLong("key", limit: ValueRules.maxKey)
            }
            return try ValueRules.stored(tag, "value")
        }
    }

    static func metadata(_ texts: [NamedText]) throws -> [NamedText] { try tags(texts) }

    /// `[{key, value}]`, as version 2.0 writes them.
    static func pairs(_ fields: Fields, _ name: String) throws -> [NamedText] {
        try tags(
            fields.objects(name).map { pair in
                NamedText(
                    key: try pair.string("key"), value: try pair.optionalString("value") ?? "")
            })
    }
}

// Traces as answers write them.
extension JSONWriter {
    mutating func traceInfoMembers(_ trace: TraceRecord) {
        member("trace_id", trace.id.rawValue)
        member("client_request_id", trace.clientRequestID)
        object("trace_location") { writer in
            writer.member("type", "MLFLOW_EXPERIMENT")
            writer.object("mlflow_experiment") { writer in
                writer.member("experiment_id", trace.experiment.rawValue)
            }
        }
        member("request_preview", trace.requestPreview)
        member("response_preview", trace.responsePreview)
        member("request_time", TraceTimes.text(trace.requestTime))
        member("execution_duration", trace.duration.map(TraceTimes.durationText))
        member("state", trace.state.rawValue)
        map("trace_metadata", trace.metadata)
        list("assessments", trace.assessments) { writer, assessment in
            writer.assessment(assessment, of: trace.id)
        }
        map("tags", trace.tags)
    }

    /// `{trace_info, spans}`.
    mutating func trace(_ trace: TraceRecord, spans: [String]) {
        object { $0.traceMembers(trace, spans: spans) }
    }

    mutating func traceMembers(_ trace: TraceRecord, spans: [String]) {
        object("trace_info") { $0.traceInfoMembers(trace) }
        list("spans", spans) { writer, span in writer.raw(SpanDocument.named(span)) }
    }

    /// As version 2.0 writes them.
    mutating func oldTraceInfoMembers(_ trace: TraceRecord) {
        member("request_id", trace.id.rawValue)
        member("experiment_id", trace.experiment.rawValue)
        member("timestamp_ms", trace.requestTime)
        member("execution_time_ms", trace.duration)
        member(
            "status",
            trace.state == .unspecified ? "TRACE_STATUS_UNSPECIFIED" : trace.state.rawValue)
        texts("request_metadata", trace.metadata)
        texts("tags", trace.tags)
    }
}
