package import AloftDomain

/// One endpoint of `/api/v1`: method, path, body and reply, declared once. The handler of the same
/// name is in `AloftAPI/Routes`, the client calls it by type.
package protocol Endpoint: Sendable {
    associatedtype Body: Codable & Sendable = NoBody
    associatedtype Reply: Codable & Sendable
    static var method: EndpointMethod { get }
    /// With placeholders in braces: `/api/v1/jobs/{job}`.
    static var path: String { get }
    /// What it does, as far as permission goes; `AccessRules` says who may.
    static var action: Action { get }
    /// One line for the OpenAPI document.
    static var summary: String { get }
    /// The most bytes of its body: 1 MiB unless it says otherwise.
    static var bodyLimitBytes: Int { get }
    /// How much memory reading the body may take for each of its bytes, beside the body itself and
    /// 1 MiB: 5 bytes unless it says otherwise.
    static var readingBytesPerByte: Int { get }
}

extension Endpoint {
    package static var bodyLimitBytes: Int { 1 << 20 }
    package static var readingBytesPerByte: Int { 5 }
}

package enum EndpointMethod: String, Sendable { case get, post, put, patch, delete }

/// The body of a request that has none.
package struct NoBody: Codable, Sendable, Equatable {
    package init() {}
}

/// The reply where there is nothing to say: `{}`.
package struct EmptyReply: Codable, Sendable, Equatable {
    package init() {}
}

/// What every failed request answers.
package struct ErrorReply: Codable, Sendable, Equatable {
    package struct Failure: Codable, Sendable, Equatable {
        /// Stable, snake_case.
        package var code: String
        package var message: String

        package init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    package var error: Failure

    package init(code: String, message: String) { error = Failure(code: code, message: message) }
}
