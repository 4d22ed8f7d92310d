import AloftDomain
import AloftStore
import Foundation

/// A page token: opaque to clients; says where the page before ended, by the values that its last row
/// is in order by. Lists that are short and change seldom say how many results came before.
enum PageToken {
    static func make(_ position: SearchPosition) -> String {
        var writer = JSONWriter()
        writer.value(
            .object([
                "after": .array(
                    position.values.map { value in
                        switch value {
                        case .null: .null
                        case .int(let number): .int(number)
                        // The bits of the value: an infinity is no JSON.
                        case .real(let number):
                            .object(["bits": .string(String(number.bitPattern))])
                        case .text(let text): .string(text)
                        }
                    })
            ]))
        return Data(writer.bytes).base64EncodedString()
    }

    /// - Throws: `ProtocolError` if the server gave no such token.
    static func position(_ fields: Fields) throws -> SearchPosition? {
        guard let token = try fields.optionalString("page_token"), !token.isEmpty else {
            return nil
        }
        guard let data = Data(base64Encoded: token) else { throw undecodable }
        guard data.count <= 1 << 20,
            case .array(let values)? = try? JSONReader.read(
                text: String(decoding: data, as: UTF8.self))["after"]
        else { throw unknown }
        return SearchPosition(try values.map(Self.value))
    }

    private static func value(_ json: JSONValue) throws -> SearchPosition.Value {
        switch json {
        case .null: return .null
        case .int(let number): return .int(number)
        case .string(let text) where !text.utf8.contains(0): return .text(text)
        case .object(let members):
            guard let bits = members["bits"]?.stringValue.flatMap({ UInt64($0) }) else {
                throw unknown
            }
            return .real(Double(bitPattern: bits))
        case .bool, .double, .string, .array: throw unknown
        }
    }

    private static var undecodable: ProtocolError {
        .invalid("Invalid page token, could not base64-decode")
    }

    private static var unknown: ProtocolError {
        .invalid("Invalid page token, could not decode it")
    }

    static func make(offset: Int) -> String {
        Data("{\"offset\": \(offset)}".utf8).base64EncodedString()
    }

    /// - Throws: `ProtocolError` if the server gave no such token.
    static func offset(_ fields: Fields) throws -> Int {
        guard let token = try fields.optionalString("page_token"), !token.isEmpty else { return 0 }
        struct Content: Decodable { let offset: Int }
        guard let data = Data(base64Encoded: token),
            let content = try? JSONDecoder().decode(Content.self, from: data),
            (0...1_000_000_000).contains(content.offset)
        else { throw undecodable }
        return content.offset
    }
}

/// The token of a page of a metric's history: the last point before the page. Points that are logged
/// meanwhile neither repeat nor hide any.
enum HistoryToken {
    private struct Content: Codable {
        let timestamp: Int64
        let step: Int64
        /// The bits of the value: a NaN is no JSON.
        let value: UInt64
    }

    static func make(after point: MetricPoint) -> String {
        let fields =
            "{\"timestamp\": \(point.timestamp), \"step\": \(point.step), "
            + "\"value\": \(point.value.bitPattern)}"
        return Data(fields.utf8).base64EncodedString()
    }

    /// - Throws: `ProtocolError` if the server gave no such token.
    static func position(_ fields: Fields) throws -> MetricPoint? {
        guard let token = try fields.optionalString("page_token"), !token.isEmpty else {
            return nil
        }
        guard let data = Data(base64Encoded: token),
            let content = try? JSONDecoder().decode(Content.self, from: data)
        else { throw ProtocolError.invalid("Invalid page token, could not decode it") }
        return MetricPoint(
            value: Double(bitPattern: content.value), timestamp: content.timestamp,
            step: content.step)
    }
}
