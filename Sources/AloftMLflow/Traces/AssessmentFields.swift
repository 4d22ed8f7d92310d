import AloftDomain
import AloftStore

extension AssessmentRecord.Kind {
    /// As clients name it.
    fileprivate var title: String {
        switch self {
        case .feedback: "Feedback"
        case .expectation: "Expectation"
        case .issue: "Issue"
        }
    }
}

/// Assessments as requests write them.
enum AssessmentFields {
    /// What is kept as it came; the rest has columns of its own.
    private static let kept = [
        "span_id", "source", "feedback", "expectation", "issue", "rationale", "error", "metadata",
    ]
    private static let maxBytes = 1 << 20

    static func new(_ fields: Fields, now: Int64, chance: Chance) throws -> AssessmentRecord {
        let name = try fields.text("assessment_name", limit: 250)
        let id: Identifier<AssessmentRecord> = chance.identifier(prefix: "a-")
        let given = try fields.optionalString("assessment_id") ?? ""
        guard given.utf8.count <= 250 else {
            throw ProtocolError.tooLong(fields.path(of: "assessment_id"), limit: 250)
        }
        var record = AssessmentRecord(
            id: given.isEmpty ? id.rawValue : given, name: name, kind: .feedback, value: nil,
            isValid: try fields.has("valid") ? fields.bool("valid") : true,
            overrides: try FieldReader.text(fields, "overrides"),
            createdAt: try fields.time("create_time") ?? now,
            updatedAt: try fields.time("last_update_time") ?? now,
            body: fields.all.filter { kept.contains($0.key) && $0.value != .null })
        try check(&record, fields)
        return record
    }

    /// Changes just what `update_mask` names.
    static func update(
        _ record: inout AssessmentRecord, with fields: Fields, mask: [String], now: Int64
    ) throws {
        for field in mask {
            switch field {
            case "assessment_name": record.name = try fields.text("assessment_name", limit: 250)
            case "valid": record.isValid = try fields.bool("valid")
            case "feedback" where record.body["feedback"] == nil,
                "expectation" where record.body["expectation"] == nil:
                let article = record.kind == .feedback ? "a" : "an"
                throw ProtocolError.invalid(
                    "Cannot update \(field) value on \(article) \(record.kind.title) assessment.")
            case "metadata":
                record.body[field] = merged(record.body[field], fields.value(field))
            case "feedback", "expectation", "rationale", "source", "span_id", "error":
                record.body[field] = fields.value(field)
            default:
                throw ProtocolError.invalidValue("\"\(field.prefix(100))\"", "update_mask")
            }
        }
        record.updatedAt = now
        try check(&record, fields)
    }

    /// What is not named stays.
    private static func merged(_ old: JSONValue?, _ new: JSONValue?) -> JSONValue? {
        guard case .object(let given)? = new, case .object(let kept)? = old else {
            return new ?? old
        }
        return .object(kept.merging(given) { _, given in given })
    }

    /// `"rationale,feedback"` or `{"paths": […]}`, in either case of letters.
    static func mask(_ fields: Fields) throws -> [String] {
        let names: [String]
        switch fields.value("update_mask") {
        case nil: names = []
        case .string(let text): names = text.pieces(at: ",").map(String.init)
        case .some: names = try fields.object("update_mask")?.strings("paths") ?? []
        }
        guard !names.isEmpty else { throw ProtocolError.missing("update_mask") }
        return names.map { name in
            name.reduce(into: "") { text, character in
                text += character.isUppercase ? "_" + character.lowercased() : String(character)
            }
        }
    }

    /// Looks whether it is one kind of assessment, of well-formed parts, and finds its value.
    private static func check(_ record: inout AssessmentRecord, _ fields: Fields) throws {
        let kinds: [(String, AssessmentRecord.Kind)] = [
            ("feedback", .feedback), ("expectation", .expectation), ("issue", .issue),
        ]
        let present = kinds.filter { record.body[$0.0] != nil }
        guard present.count == 1, let (name, kind) = present.first else {
            throw ProtocolError.invalid(
                "An assessment has exactly one of 'feedback', 'expectation' and 'issue'.")
        }
        for field in ["feedback", "expectation", "issue", "source", "metadata", "error"] {
            guard case .some(let value) = record.body[field] else { continue }
            guard case .object = value else {
                throw ProtocolError.invalidValue("not an object", fields.path(of: field))
            }
        }
        if let format = record.body["expectation"]?["serialized_value"]?["serialization_format"],
            format != .string("JSON_FORMAT")
        {
            throw ProtocolError.invalid(
                "Unknown serialization format: \(format.stringValue?.prefix(100) ?? "not a text"). "
                    + "Only JSON_FORMAT is supported.")
        }
        for field in ["span_id", "rationale"] {
            guard case .some(let value) = record.body[field] else { continue }
            guard case .string = value else {
                throw ProtocolError.invalidValue("not a string", fields.path(of: field))
            }
        }
        record.kind = kind
        record.value = value(of: record.body[name])
        let size = bytes(.object(record.body)).count
        guard size <= maxBytes else {
            throw ProtocolError.invalid(
                "The assessment has \(size) bytes; the limit is \(maxBytes).")
        }
    }

    /// The value as JSON; an expectation may have it as JSON already.
    private static func value(of content: JSONValue?) -> String? {
        if let value = content?["value"] { return String(decoding: bytes(value), as: UTF8.self) }
        guard let text = content?["serialized_value"]?["value"]?.stringValue else { return nil }
        let isJSON = (try? JSONReader.read(text: text)) != nil
        return isJSON ? text : String(decoding: bytes(.string(text)), as: UTF8.self)
    }

    private static func bytes(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }
}

extension JSONWriter {
    mutating func assessment(_ assessment: AssessmentRecord, of trace: TraceID) {
        var members = assessment.body
        members["assessment_id"] = .string(assessment.id)
        members["assessment_name"] = .string(assessment.name)
        members["trace_id"] = .string(trace.rawValue)
        members["create_time"] = .string(TraceTimes.text(assessment.createdAt))
        members["last_update_time"] = .string(TraceTimes.text(assessment.updatedAt))
        members["valid"] = .bool(assessment.isValid)
        if let text = assessment.value, let expected = members["expectation"] {
            members["expectation"] = Self.expectation(expected, value: text)
        }
        if let overridden = assessment.overrides { members["overrides"] = .string(overridden) }
        value(.object(members))
    }

    /// A list or an object as text, the rest as it is, however the client wrote it.
    private static func expectation(_ content: JSONValue, value text: String) -> JSONValue {
        guard let value = try? JSONReader.read(text: text) else { return content }
        switch value {
        case .array, .object, .null:
            return .object([
                "serialized_value": .object([
                    "serialization_format": .string("JSON_FORMAT"),
                    "value": .string(PythonJSON.text(value)),
                ])
            ])
        case .bool, .int, .double, .string: return .object(["value": value])
        }
    }
}
