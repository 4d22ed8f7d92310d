// text-file: names of our own types
import AloftDomain
import Foundation

/// The JSON Schemas of wire types, found by letting each type decode itself from a decoder which
/// only writes down what it is asked for. So the document cannot say anything else than the code.
///
/// Types with members become named components; everything else stands in place.
struct SchemaCatalog {
    private let recording = SchemaRecording()

    /// The schema of `type`, as a reference if it has members.
    mutating func schema(of type: any Decodable.Type) -> JSONValue {
        recording.describe(type).schema
    }

    /// Every named schema met so far.
    var components: [String: JSONValue] { recording.components }

    /// Types whose members could not all be seen, because some value in them cannot be made up: an
    /// enum that is not `CaseIterable`, for instance.
    var incomplete: Set<String> { recording.incomplete }
}

/// What is known so far. One recording is used by one catalog, in one task.
final class SchemaRecording {
    struct Described {
        var schema: JSONValue
        /// A made-up value of the type; `nil` where none can be made.
        var value: Any?
    }

    private(set) var components: [String: JSONValue] = [:]
    private(set) var incomplete: Set<String> = []
    private var values: [ObjectIdentifier: Any] = [:]
    private var unfinished: Set<ObjectIdentifier> = []

    /// Texts that a type with a format of its own may accept, tried in this order.
    private static let examples = [
        "", String(repeating: "0", count: 64), "2000-01-01T00:00:00.000Z", "a", "0",
    ]

    func describe(_ type: any Decodable.Type) -> Described {
        if let known = type as? any DescribedType.Type { return known.describe(in: self) }
        if type == JSONValue.self { return Described(schema: .object([:]), value: JSONValue.null) }
        if type == Date.self {
            return Described(schema: .formatted(.dateTime), value: Date.distantPast)
        }
        if type == Data.self { return Described(schema: .formatted(.base64), value: Data()) }
        if let cases = type as? any CaseIterable.Type,
            let found = Self.enumeration(cases)
        {
            return found
        }
        let key = ObjectIdentifier(type)
        let name = Self.name(of: type)
        if components[name] != nil || unfinished.contains(key) {
            return Described(schema: .reference(name), value: values[key])
        }
        unfinished.insert(key)
        defer { unfinished.remove(key) }
        return record(type, key: key, name: name)
    }

    private func record(_ type: any Decodable.Type, key: ObjectIdentifier, name: String)
        -> Described
    {
        var notes = SchemaNotes()
        for example in Self.examples {
            let decoder = SchemaDecoder(recording: self, example: example)
            let value = try? type.init(from: decoder)
            notes = decoder.notes
            guard let value else { continue }
            values[key] = value
            return finish(notes, name: name, value: value)
        }
        if notes.isObject { incomplete.insert(name) }
        return finish(notes, name: name, value: nil)
    }

    private func finish(_ notes: SchemaNotes, name: String, value: Any?) -> Described {
        guard notes.isObject else {
            return Described(schema: notes.single ?? .object([:]), value: value)
        }
        components[name] = notes.object(isComplete: value != nil)
        return Described(schema: .reference(name), value: value)
    }

    private static func enumeration(_ type: any CaseIterable.Type) -> Described? {
        func cases<T: CaseIterable>(_ type: T.Type) -> [Any] { Array(T.allCases) }
        let all = cases(type)
        let names = all.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        guard let first = all.first, names.count == all.count else { return nil }
        return Described(
            schema: .object([
                "type": .string("string"), "enum": .array(names.map(JSONValue.string)),
            ]),
            value: first)
    }

    /// `AloftWire.ListEvents.Item` is `ListEventsItem`.
    private static func name(of type: any Decodable.Type) -> String {
        String(reflecting: type).split(separator: ".").dropFirst().joined()
            .filter { $0.isLetter || $0.isNumber }
    }
}

/// What one type asked for while it decoded itself.
struct SchemaNotes {
    var isObject = false
    var single: JSONValue?
    private var properties: [String: JSONValue] = [:]
    private var required: [String] = []

    mutating func note(_ key: String, _ schema: JSONValue, isRequired: Bool) {
        guard properties[key] == nil else { return }
        properties[key] = schema
        if isRequired { required.append(key) }
    }

    /// A schema that is not complete says so, and a test fails.
    func object(isComplete: Bool) -> JSONValue {
        var schema: [String: JSONValue] = [
            "type": .string("object"), "properties": .object(properties),
        ]
        if !required.isEmpty {
            schema["required"] = .array(required.sorted().map(JSONValue.string))
        }
        if !isComplete { schema["x-incomplete"] = .bool(true) }
        return .object(schema)
    }
}

/// A type whose schema follows from its parts.
private protocol DescribedType {
    static func describe(in recording: SchemaRecording) -> SchemaRecording.Described
}

extension Array: DescribedType where Element: Decodable {
    static func describe(in recording: SchemaRecording) -> SchemaRecording.Described {
        let items = recording.describe(Element.self).schema
        return .init(
            schema: .object(["type": .string("array"), "items": items]), value: [Element]())
    }
}

extension Dictionary: DescribedType where Key: Decodable, Value: Decodable {
    static func describe(in recording: SchemaRecording) -> SchemaRecording.Described {
        let values = recording.describe(Value.self).schema
        return .init(
            schema: .object(["type": .string("object"), "additionalProperties": values]),
            value: [Key: Value]())
    }
}

extension Optional: DescribedType where Wrapped: Decodable {
    static func describe(in recording: SchemaRecording) -> SchemaRecording.Described {
        .init(schema: recording.describe(Wrapped.self).schema, value: Wrapped?.none as Any)
    }
}

extension JSONValue {
    enum TextFormat: String { case dateTime = "date-time", base64 = "byte" }

    static func type(_ name: String) -> JSONValue { .object(["type": .string(name)]) }

    static func formatted(_ format: TextFormat) -> JSONValue {
        .object(["type": .string("string"), "format": .string(format.rawValue)])
    }

    static func reference(_ name: String) -> JSONValue {
        .object(["$ref": .string("#/components/schemas/\(name)")])
    }
}
