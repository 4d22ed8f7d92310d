import AloftAPI
import AloftClient
import AloftDomain
import AloftWire
import Foundation

/// Hands questions from the web interface's form to the gateway beside the server.
enum GatewayQuestions {
    private static let timeout = Duration.seconds(30)
    private static let http = ServerClient.makeHTTPClient()

    static func ask(gateway: ListenAddress) -> TryRoutes.Ask {
        { endpoint, body, token in
            let client = ServerClient(server: gateway.url, token: token, http: http)
            do {
                let answer = try await client.post(
                    path: "/v2/models/{endpoint}/infer", parameters: ["endpoint": endpoint],
                    data: body, contentType: "application/json", timeout: timeout)
                return TryRoutes.Answer(status: 200, body: answer)
            } catch ClientError.refused(let status, let code, let message) {
                let reply = try JSON.encoder.encode(ErrorReply(code: code, message: message))
                return TryRoutes.Answer(status: status, body: reply)
            } catch let error as ClientError {
                throw TryError.noAnswer(reason: error.message)
            }
        }
    }
}
