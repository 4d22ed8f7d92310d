import AloftDomain

/// A stored span as answers write it.
enum SpanDocument {
    /// As protobuf names the members, and with numbers as such: `start_time_unix_nano`, `int_value`.
    static func named(_ span: String) -> String {
        var text = span
        let bytes = text.withUTF8 { utf8 -> [UInt8]? in
            var rewriter = SpanRewriter(UnsafeRawBufferPointer(utf8))
            return (try? rewriter.value(of: "")).map { rewriter.output }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? span
    }

    /// As clients keep it in a file: attributes by name, each as JSON.
    static func old(_ span: String) -> String {
        guard let json = try? JSONReader.read(text: span) else { return span }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("trace_id", json["traceId"]?.stringValue ?? "")
            writer.member("span_id", json["spanId"]?.stringValue ?? "")
            writer.member("parent_span_id", json: json["parentSpanId"] ?? .null)
            writer.member("name", json["name"]?.stringValue ?? "")
            writer.member("start_time_unix_nano", json: number(json["startTimeUnixNano"]))
            writer.member("end_time_unix_nano", json: number(json["endTimeUnixNano"]))
            writer.wholeList("events", json["events"]?.items ?? []) { writer, event in
                writer.object { writer in
                    writer.member("name", event["name"]?.stringValue ?? "")
                    writer.member("time_unix_nano", json: number(event["timeUnixNano"]))
                    writer.member("attributes", raw: attributes(of: event, asText: false))
                }
            }
            writer.object("status") { writer in
                writer.member("code", json["status"]?["code"]?.stringValue ?? "STATUS_CODE_UNSET")
                writer.member("message", json["status"]?["message"]?.stringValue ?? "")
            }
            writer.member("attributes", raw: attributes(of: json, asText: true))
            writer.wholeList("links", json["links"]?.items ?? []) { writer, link in
                writer.object { writer in
                    writer.member("trace_id", link["traceId"]?.stringValue ?? "")
                    writer.member("span_id", link["spanId"]?.stringValue ?? "")
                    writer.member("attributes", raw: attributes(of: link, asText: false))
                }
            }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// 64 bits are a text in protobuf's JSON.
    private static func number(_ json: JSONValue?) -> JSONValue {
        switch json {
        // traps: a text is parsed, to nil where it is no number
        case .string(let text)?: Int64(text).map { .int($0) } ?? .null
        case let other?: other
        case nil: .null
        }
    }

    /// An object of the attributes; with `asText` each is JSON in a text.
    private static func attributes(of json: JSONValue, asText: Bool) -> String {
        let members = (json["attributes"]?.items ?? []).map { attribute in
            let key = PythonJSON.text(.string(attribute["key"]?.stringValue ?? ""))
            let value = plain(attribute["value"])
            return "\(key): \(asText ? PythonJSON.text(.string(value)) : value)"
        }
        return "{" + members.joined(separator: ", ") + "}"
    }

    /// A value as JSON, its members in their order.
    private static func plain(_ value: JSONValue?) -> String {
        if let text = value?["stringValue"] { return PythonJSON.text(text) }
        if let whole = value?["intValue"] { return PythonJSON.text(number(whole)) }
        if let other = value?["doubleValue"] ?? value?["boolValue"] ?? value?["bytesValue"] {
            return PythonJSON.text(other)
        }
        if let list = value?["arrayValue"] {
            let items = (list["values"]?.items ?? []).map { plain($0) }
            return "[" + items.joined(separator: ", ") + "]"
        }
        if let list = value?["kvlistValue"] {
            let members = (list["values"]?.items ?? []).map { member in
                PythonJSON.text(.string(member["key"]?.stringValue ?? "")) + ": "
                    + plain(member["value"])
            }
            return "{" + members.joined(separator: ", ") + "}"
        }
        return "null"
    }
}

/// Renames the members of a span while it is read. All names are the format's own: those of people
/// are values.
private struct SpanRewriter {
    private var reader: JSONReader
    private(set) var output: [UInt8] = []

    init(_ bytes: UnsafeRawBufferPointer) {
        reader = JSONReader(bytes)
        output.reserveCapacity(bytes.count + bytes.count / 8)
    }

    // text: the format's own names
    private static let wholeNumbers: Set<String> = [
        "intValue", "startTimeUnixNano", "endTimeUnixNano", "timeUnixNano",
    ]

    /// - Parameter name: of the member that holds it.
    mutating func value(of name: String, depth: Int = 0) throws {
        guard depth <= 2 * SpanWeight.maxDepth else { throw reader.fault("too deep") }
        switch reader.peek() {
        case UInt8(ascii: "{"): try object(depth)
        case UInt8(ascii: "["): try list(of: name, depth)
        default:
            let value = try reader.value(depth: 0)
            if Self.wholeNumbers.contains(name), case .string(let digits) = value,
                Int64(digits) != nil
            {
                output += digits.utf8
            } else {
                write(value)
            }
        }
    }

    private mutating func object(_ depth: Int) throws {
        try reader.expect(UInt8(ascii: "{"))
        output.append(UInt8(ascii: "{"))
        guard !reader.take(UInt8(ascii: "}")) else { return output.append(UInt8(ascii: "}")) }
        while true {
            let member = try reader.string()
            write(.string(Self.snakeCase(member)))
            try reader.expect(UInt8(ascii: ":"))
            output.append(UInt8(ascii: ":"))
            try value(of: member, depth: depth + 1)
            if reader.take(UInt8(ascii: "}")) { return output.append(UInt8(ascii: "}")) }
            try reader.expect(UInt8(ascii: ","))
            output.append(UInt8(ascii: ","))
        }
    }

    private mutating func list(of name: String, _ depth: Int) throws {
        try reader.expect(UInt8(ascii: "["))
        output.append(UInt8(ascii: "["))
        guard !reader.take(UInt8(ascii: "]")) else { return output.append(UInt8(ascii: "]")) }
        while true {
            try value(of: name, depth: depth + 1)
            if reader.take(UInt8(ascii: "]")) { return output.append(UInt8(ascii: "]")) }
            try reader.expect(UInt8(ascii: ","))
            output.append(UInt8(ascii: ","))
        }
    }

    private mutating func write(_ value: JSONValue) {
        var writer = JSONWriter()
        writer.value(value)
        output += writer.bytes
    }

    private static func snakeCase(_ name: String) -> String {
        var bytes: [UInt8] = []
        for byte in name.utf8 {
            if (65...90).contains(byte) {
                bytes += [UInt8(ascii: "_"), byte | 0x20]
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension JSONValue {
    fileprivate var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }
}
