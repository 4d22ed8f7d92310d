import AloftDomain
import AloftStore
import Foundation
import SwiftProtobuf

/// Reads exported spans, and what a root span says of its trace.
enum SpanReader {
    /// A preview of what went in or came out, in characters.
    private static let maxPreview = 1000
    private static let mostSpans = 100_000

    /// The spans by trace, in the order in which traces appear.
    static func batches(
        _ message: Aloft_Otlp_ExportTraceServiceRequest
    ) throws -> [SpanBatch] {
        guard !message.resourceSpans.isEmpty else {
            throw ProtocolError.invalid("Invalid OpenTelemetry format - no spans found")
        }
        var batches: [SpanBatch] = []
        var places: [TraceID: Int] = [:]
        var origins: [Int: Aloft_Otlp_Resource] = [:]
        var count = 0
        for resource in message.resourceSpans {
            for scope in resource.scopeSpans {
                count += scope.spans.count
                guard count <= mostSpans else {
                    throw ProtocolError.invalid("More than \(mostSpans) spans in one request.")
                }
                for span in scope.spans {
                    let id = try traceID(of: span)
                    let place = places[id] ?? batches.count
                    if place == batches.count {
                        batches.append(SpanBatch(trace: id))
                        places[id] = place
                    }
                    try add(span, to: &batches[place])
                    if span.parentSpanID.isEmpty { origins[place] = resource.resource }
                }
            }
        }
        // Last: what the root itself says comes first.
        for (place, resource) in origins {
            batches[place].tags += try tags(of: resource)  // traps: the place of a batch, see above
        }
        return batches
    }

    private static func traceID(of span: Aloft_Otlp_Span) throws -> TraceID {
        guard span.traceID.count == 16, span.spanID.count == 8,
            span.parentSpanID.isEmpty || span.parentSpanID.count == 8
        else {
            throw ProtocolError.unprocessable(
                "A span's trace id has 16 bytes and its own id 8; '\(span.name.prefix(100))' has "
                    + "\(span.traceID.count) and \(span.spanID.count).")
        }
        return TraceID("tr-" + hex(span.traceID))
    }

    private static func hex(_ bytes: Data) -> String {
        bytes.map { String(Int(clamping: $0) + 256, radix: 16).dropFirst() }.joined()
    }

    private static func add(_ span: Aloft_Otlp_Span, to batch: inout SpanBatch) throws {
        let attributes = Dictionary(
            span.attributes.map { ($0.key, $0.value) }, uniquingKeysWith: { _, last in last })
        let isRoot = span.parentSpanID.isEmpty
        batch.spans.append(
            SpanRecord(
                id: hex(span.spanID), parent: isRoot ? nil : hex(span.parentSpanID),
                name: span.name, type: attributes["mlflow.spanType"].map(plainText) ?? "UNKNOWN",
                status: status(of: span), startedAt: Int64(clamping: span.startTimeUnixNano),
                endedAt: span.endTimeUnixNano == 0
                    ? nil : Int64(clamping: span.endTimeUnixNano),
                content: try span.jsonString()))
        note(attributes, "session.id", as: "mlflow.trace.session", in: &batch)
        note(attributes, "user.id", as: "mlflow.trace.user", in: &batch)
        guard isRoot else { return }
        batch.requestPreview = attributes["mlflow.spanInputs"].map(preview)
        batch.responsePreview = attributes["mlflow.spanOutputs"].map(preview)
        let prefix = "mlflow.traceTag."
        for attribute in span.attributes {
            guard let rest = attribute.key.rest(after: prefix) else { continue }
            let key = String(rest)
            guard !key.isEmpty, key.unicodeScalars.count <= ValueRules.maxKey else { continue }
            let tag = NamedText(key: key, value: plainText(attribute.value))
            batch.tags.append(try ValueRules.stored(tag, "value"))
        }
    }

    /// What a root's resource says of itself, such as its service's name; not what is ours or of the SDK.
    private static func tags(of resource: Aloft_Otlp_Resource) throws -> [NamedText] {
        try resource.attributes.compactMap { attribute in
            let key = attribute.key
            guard !key.begins(with: "telemetry.sdk."), !key.begins(with: "mlflow."),
                (try? ValueRules.checkKey(key, "key")) != nil
            else { return nil }
            return try ValueRules.stored(
                NamedText(key: key, value: plainText(attribute.value)), "value")
        }
    }

    private static func status(of span: Aloft_Otlp_Span) -> String {
        switch span.status.code {
        case .ok: "OK"
        case .error: "ERROR"
        case .unset, .UNRECOGNIZED: "UNSET"
        }
    }

    private static func note(
        // text: only our own names are read
        _ attributes: [String: Aloft_Otlp_AnyValue], _ name: String, as key: String,
        in batch: inout SpanBatch
    ) {
        guard let value = attributes[name], !batch.metadata.contains(where: { $0.key == key })
        else { return }
        let text = ValueRules.cut(plainText(value), to: ValueRules.maxKey)
        batch.metadata.append(NamedText(key: key, value: text))
    }

    private static func preview(_ value: Aloft_Otlp_AnyValue) -> String {
        if case .stringValue(let text)? = value.value {
            return ValueRules.cut(text, to: maxPreview)
        }
        return ValueRules.cut(PythonJSON.text(json(value)), to: maxPreview)
    }

    /// A text itself, also where its client has put it into quotes as JSON; other values as JSON.
    private static func plainText(_ value: Aloft_Otlp_AnyValue) -> String {
        guard case .stringValue(let text)? = value.value else {
            var writer = JSONWriter()
            writer.value(json(value))
            return String(decoding: writer.bytes, as: UTF8.self)
        }
        guard text.begins(with: "\""), case .string(let inner)? = try? JSONReader.read(text: text)
        else { return text }
        return inner
    }

    private static func json(_ value: Aloft_Otlp_AnyValue) -> JSONValue {
        switch value.value {
        case .stringValue(let text): .string(text)
        case .boolValue(let flag): .bool(flag)
        case .intValue(let number): .int(number)
        case .doubleValue(let number):
            number.isFinite ? .double(number) : .string(number.description)
        case .arrayValue(let list): .array(list.values.map(json))
        case .kvlistValue(let list):
            .object(
                Dictionary(
                    list.values.map { ($0.key, json($0.value)) }, uniquingKeysWith: { $1 }))
        case .bytesValue(let bytes): .string(bytes.base64EncodedString())
        case nil: .null
        }
    }
}
