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
        do {
            return try await send(
                method: method, path: "/api/2.0/mlflow/" + path, query: query,
                body: body.map { .bytes(ByteBuffer(data: $0)) }, contentType: "application/json")
        } catch ClientError.refused(let status, let code, let message) {
            struct Failure: Decodable { var message: String }
            let failure = try? JSONDecoder().decode(Failure.self, from: Data(message.utf8))
            throw ClientError.refused(
                status: status, code: code, message: failure?.message ?? message)
        }
    }
}
