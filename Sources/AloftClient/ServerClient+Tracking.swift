package import AloftWire
import AsyncHTTPClient
package import Foundation
import NIOCore
import NIOFoundationCompat

extension ServerClient {
    /// Calls the tracking protocol: `path` is what follows `/api/2.0/mlflow/`.
    ///
    /// - Throws: `ClientError`, with the protocol's own sentence where the server gave one.
    package func track(
        _ method: EndpointMethod, _ path: String, query: [String: String] = [:], body: Data? = nil
    ) async throws -> Data {
        try await send(
            method: method, path: "/api/2.0/mlflow/" + path, query: query,
            body: body.map { .bytes(ByteBuffer(data: $0)) }, contentType: "application/json")
    }
}
