import AloftDomain
import Foundation

/// A page token: opaque to clients; says how many results came before.
enum PageToken {
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
        else { throw ProtocolError.invalid("Invalid page token, could not decode it") }
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
