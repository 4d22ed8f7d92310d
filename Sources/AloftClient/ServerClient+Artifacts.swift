import AloftDomain
import AloftWire
import AsyncHTTPClient
import Foundation
import NIOCore

extension ServerClient {
    /// Stores the file at `path` as an artifact of the tracking protocol.
    ///
    /// - Parameters:
    ///   - uri: `mlflow-artifacts:/FOLDER`, as the server gives it.
    ///   - name: of the file in that folder.
    /// - Throws: `ClientError`, or what the file system says.
    package func putArtifact(
        _ name: String, in uri: String, fromFile path: String, sizeBytes: Int64,
        timeout: Duration = .seconds(3600)
    ) async throws {
        let components = (uri.rest(after: "mlflow-artifacts:") ?? "").pieces(at: "/") + [name[...]]
        let parameters = components.enumerated().map { ("c\($0.offset)", String($0.element)) }
        let template = parameters.map { "{\($0.0)}" }.joined(separator: "/")
        let chunks = try FileChunks(path: path)
        _ = try await send(
            method: .put, path: "/api/2.0/mlflow-artifacts/artifacts/" + template,
            parameters: Dictionary(parameters, uniquingKeysWith: { first, _ in first }),
            body: .stream(chunks, length: .known(sizeBytes)), timeout: timeout)
    }
}
