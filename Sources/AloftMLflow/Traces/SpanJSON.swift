import AloftDomain
import Foundation
import NIOCore
import SwiftProtobuf

/// OpenTelemetry's JSON: as protobuf's, but ids are hexadecimal digits instead of base64. Written
/// anew as it is read, so that no tree of the whole is ever in memory.
struct SpanJSON {
    private var reader: JSONReader
    private var output: [UInt8] = []
    private var left: Int

    static func message(_ body: ByteBuffer) throws -> Aloft_Otlp_ExportTraceServiceRequest {
        guard body.readableBytes > 0 else { return Aloft_Otlp_ExportTraceServiceRequest() }
        let text = try body.withUnsafeReadableBytes { bytes in
            var rewriter = SpanJSON(bytes)
            return try rewriter.rewritten()
        }
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        return try Aloft_Otlp_ExportTraceServiceRequest(jsonUTF8Bytes: text, options: options)
    }

    private init(_ bytes: UnsafeRawBufferPointer) {
        reader = JSONReader(bytes)
        left = SpanWeight.allowed(for: bytes.count)
        output.reserveCapacity(bytes.count)
    }

    private mutating func rewritten() throws -> [UInt8] {
        do {
            guard reader.peek() == UInt8(ascii: "{") else {
                throw ProtocolError.invalid("The request body must be a JSON object.")
            }
            try value(of: "", depth: 0)
            try reader.end()
            return output
        } catch let fault as JSONReader.Fault { throw MLflowBody.error(fault) }
    }

    /// - Parameter name: of the member that holds it, or that holds the list that holds it.
    private mutating func value(of name: String, depth: Int) throws {
        guard depth <= SpanWeight.maxDepth else {
            throw reader.fault("deeper than \(SpanWeight.maxDepth) levels")
        }
        switch reader.peek() {
        case UInt8(ascii: "{"): try object(in: name, depth: depth)
        case UInt8(ascii: "["): try list(in: name, depth: depth)
        default: try scalar(of: name)
        }
    }

    private mutating func object(in name: String, depth: Int) throws {
        left -= Self.weight(of: name)
        guard left >= 0 else { throw SpanWeight.tooHeavy }
        try reader.expect(UInt8(ascii: "{"))
        output.append(UInt8(ascii: "{"))
        guard !reader.take(UInt8(ascii: "}")) else { return output.append(UInt8(ascii: "}")) }
        while true {
            guard reader.peek() == UInt8(ascii: "\"") else {
                throw reader.fault("a member needs a name")
            }
            let member = try reader.string()
            write(.string(member))
            try reader.expect(UInt8(ascii: ":"))
            output.append(UInt8(ascii: ":"))
            try value(of: member, depth: depth + 1)
            if reader.take(UInt8(ascii: "}")) { return output.append(UInt8(ascii: "}")) }
            try reader.expect(UInt8(ascii: ","))
            output.append(UInt8(ascii: ","))
        }
    }

    private mutating func list(in name: String, depth: Int) throws {
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

    private mutating func scalar(of name: String) throws {
        let value = try reader.value(depth: 0)
        let isID = ["traceId", "spanId", "parentSpanId"].contains(name)
        if isID, case .string(let digits) = value {
            write(.string(Self.base64(digits)))
        } else {
            write(value)
        }
    }

    private mutating func write(_ value: JSONValue) {
        var writer = JSONWriter()
        writer.value(value)
        output += writer.bytes
    }

    /// In memory: attributes are an object in an object.
    private static func weight(of name: String) -> Int {
        switch name {
        case "spans": 600
        case "events", "links", "resourceSpans", "scopeSpans": 300
        default: 120
        }
    }

    /// Empty, which is refused later, if these are no hexadecimal digits.
    private static func base64(_ digits: String) -> String {
        let characters = Array(digits.utf8)
        guard characters.count.isMultiple(of: 2), characters.count <= 64 else { return "" }
        var bytes = Data()
        for index in stride(from: 0, to: characters.count, by: 2) {
            // traps: an even number of characters, in steps of two
            let pair = String(decoding: characters[index...index + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return "" }
            bytes.append(byte)
        }
        return bytes.base64EncodedString()
    }
}
