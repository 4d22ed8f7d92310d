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
