import AloftAPI
import AloftClient
import AloftDomain
import AloftWire
import Foundation

/// Hands questions from the web interface's form to the gateway beside the server.
enum GatewayQuestions {
    private static let timeout = Duration.seconds(30)
    private static let http = ServerClient.makeHTTPClient()

    /// How a gateway refuses: the form of the Open Inference Protocol.
    private struct GatewayError: Decodable {
        var error: String
        var code: String
    }

    static func ask(gateway: ListenAddress) -> TryRoutes.Ask {
        { endpoint, body, token in
            try await answer(gateway, token) { client in
                try await client.post(
                    path: "/v2/models/{endpoint}/infer", parameters: ["endpoint": endpoint],
                    data: body, contentType: "application/json", timeout: timeout)
            }
        }
    }

    /// Asks a registered version, which the gateway loads for it.
    static func askVersion(gateway: ListenAddress) -> PredictionReplay.Ask {
        { question, token in
            try await answer(gateway, token) { client in
                try await client.post(
                    path: "/registry/{model}/versions/{version}/"
                        + (question.isScoring ? "invocations" : "infer"),
                    parameters: [
                        "model": question.version.model,
                        "version": String(question.version.version),
                    ], data: question.body, contentType: question.contentType,
                    headers: question.jsonLength.map {
                        ["inference-header-content-length": String($0)]
                    } ?? [:], timeout: .seconds(120))
            }
        }
    }

    /// A refusal is an answer too.
    private static func answer(
        _ gateway: ListenAddress, _ token: String?,
        _ post: (ServerClient) async throws -> Data
    ) async throws -> TryRoutes.Answer {
        do {
            let client = ServerClient(server: gateway.url, token: token, http: http)
            return TryRoutes.Answer(status: 200, body: try await post(client))
        } catch ClientError.refused(let status, let code, let message) {
            let own = try? JSON.decoder.decode(GatewayError.self, from: Data(message.utf8))
            let reply = try JSON.encoder.encode(
                ErrorReply(code: own?.code ?? code, message: own?.error ?? message))
            return TryRoutes.Answer(status: status, body: reply)
        } catch let error as ClientError {
            throw TryError.noAnswer(reason: error.message)
        }
    }
}
