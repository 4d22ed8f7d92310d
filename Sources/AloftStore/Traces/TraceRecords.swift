package import AloftDomain

package enum TraceState: String, Sendable, CaseIterable {
    case unspecified = "STATE_UNSPECIFIED"
    case ok = "OK"
    case error = "ERROR"
    case inProgress = "IN_PROGRESS"
}

/// A trace without its spans.
package struct TraceRecord: Sendable, Equatable {
    package var id: TraceID
    package var experiment: ExperimentID
    /// Milliseconds since 1970.
    package var requestTime: Int64
    /// Milliseconds.
    package var duration: Int64?
    package var state: TraceState
    package var clientRequestID: String?
    package var requestPreview: String?
    package var responsePreview: String?
    package var metadata: [NamedText]
    package var tags: [NamedText]
    package var assessments: [AssessmentRecord]

    package init(
        id: TraceID, experiment: ExperimentID, requestTime: Int64, duration: Int64?,
        state: TraceState, clientRequestID: String? = nil, requestPreview: String? = nil,
        responsePreview: String? = nil, metadata: [NamedText] = [], tags: [NamedText] = [],
        assessments: [AssessmentRecord] = []
    ) {
        self.id = id
        self.experiment = experiment
        self.requestTime = requestTime
        self.duration = duration
        self.state = state
        self.clientRequestID = clientRequestID
        self.requestPreview = requestPreview
        self.responsePreview = responsePreview
        self.metadata = metadata
        self.tags = tags
        self.assessments = assessments
    }
}

package struct SpanRecord: Sendable, Equatable {
    /// 16 hexadecimal digits.
    package var id: String
    package var parent: String?
    package var name: String
    /// `LLM`, `TOOL`, … or `UNKNOWN`.
    package var type: String
    /// `OK`, `ERROR` or `UNSET`.
    package var status: String
    /// Nanoseconds since 1970.
    package var startedAt: Int64
    package var endedAt: Int64?
    /// The whole span as OpenTelemetry's JSON.
    package var content: String

    package init(
        id: String, parent: String?, name: String, type: String, status: String, startedAt: Int64,
        endedAt: Int64?, content: String
    ) {
        self.id = id
        self.parent = parent
        self.name = name
        self.type = type
        self.status = status
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.content = content
    }
}

/// Spans of one trace that came together, and what its root span says of the trace.
package struct SpanBatch: Sendable {
    package var trace: TraceID
    package var spans: [SpanRecord]
    package var tags: [NamedText] = []
    package var metadata: [NamedText] = []
    package var requestPreview: String?
    package var responsePreview: String?

    package init(trace: TraceID) {
        self.trace = trace
        spans = []
    }
}

/// What somebody or something thinks of a trace, or what its answer should have been.
package struct AssessmentRecord: Sendable, Equatable {
    package enum Kind: String, Sendable { case feedback, expectation, issue }

    package var id: String
    package var name: String
    package var kind: Kind
    /// As JSON, for searching.
    package var value: String?
    package var isValid: Bool
    /// The assessment that this one replaces.
    package var overrides: String?
    /// Milliseconds since 1970.
    package var createdAt: Int64
    package var updatedAt: Int64
    /// Its other members, as its client gave them.
    package var body: [String: JSONValue]

    package init(
        id: String, name: String, kind: Kind, value: String?, isValid: Bool, overrides: String?,
        createdAt: Int64, updatedAt: Int64, body: [String: JSONValue]
    ) {
        self.id = id
        self.name = name
        self.kind = kind
        self.value = value
        self.isValid = isValid
        self.overrides = overrides
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.body = body
    }
}

/// What is refused of traces, as facts.
package enum TraceError: Refusal, Equatable {
    case notFound(String)
    case assessmentNotFound(String, trace: String)
    case tagNotFound(key: String, trace: String)
    /// Looking for it in all texts took more steps than one search may.
    case patternTooCostly(String)

    package var code: String {
        switch self {
        case .notFound: "trace_not_found"
        case .assessmentNotFound: "assessment_not_found"
        case .tagNotFound: "trace_tag_not_found"
        case .patternTooCostly: "trace_pattern_too_costly"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .notFound, .assessmentNotFound, .tagNotFound: .notFound
        case .patternTooCostly: .invalid
        }
    }

    package var message: String {
        switch self {
        case .notFound(let id): "Trace with ID '\(id.prefix(200))' not found."
        case .assessmentNotFound(let id, let trace):
            "Assessment with ID '\(id.prefix(200))' not found for trace '\(trace.prefix(200))'"
        case .tagNotFound(let key, let trace):
            "No trace tag with key '\(key.prefix(250))' for trace with ID '\(trace.prefix(200))'"
        case .patternTooCostly(let pattern):
            "Looking for the pattern '\(pattern.prefix(200))' in so many traces takes too long; "
                + "make it simpler, or add conditions on time, state or tags with =."
        }
    }
}
