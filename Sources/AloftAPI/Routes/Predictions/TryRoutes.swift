package import AloftDomain
package import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /api/v1/predictions/{prediction}`, where the place holds the name of an endpoint: hands one
/// question to the gateway beside this server, for the form of the web interface. Programs ask the
/// gateway itself.
package struct TryRoutes: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var body: Data

        package init(status: Int, body: Data) {
            self.status = status
            self.body = body
        }
    }

    /// Asks an endpoint with a body of the Open Inference Protocol, as the bearer of a token.
    package typealias Ask =
        @Sendable (_ endpoint: String, _ body: Data, _ token: String?) async throws -> Answer

    private static let bodyLimit = 1 << 20

    private let ask: Ask?

    /// - Parameter ask: `nil` where this server runs no gateway.
    package init(ask: Ask?) { self.ask = ask }

    package func add(to routes: inout APIRoutes) {
        routes.raw(.post, "/api/v1/predictions/{prediction}", .manage) { request, context in
            guard let ask else { throw TryError.noGateway }
            let buffer: ByteBuffer
            do {
                buffer = try await request.body.collect(upTo: Self.bodyLimit)
            } catch is NIOTooManyBytesError {
                throw BodyError.tooLarge(limitBytes: Self.bodyLimit)
            }
            let endpoint = context.parameters.get("prediction") ?? ""
            let token =
                PrincipalFinder.secret(in: request.headers)
                ?? SessionCookie.secret(in: request)
            let answer = try await ask(
                endpoint.removingPercentEncoding ?? endpoint, Data(buffer.readableBytesView), token)
            return Response(
                status: .init(code: answer.status), headers: [.contentType: "application/json"],
                body: .init(byteBuffer: ByteBuffer(bytes: answer.body)))
        }
    }
}

/// Why a question cannot be handed on.
package enum TryError: Refusal, Equatable {
    case noGateway
    case noAnswer(reason: String)

    package var code: String {
        switch self {
        case .noGateway: "gateway_missing"
        case .noAnswer: "gateway_silent"
        }
    }

    package var kind: RefusalKind { .unavailable }

    package var message: String {
        switch self {
        case .noGateway:
            "this server runs no gateway; ask the one that serves this deployment"
        case .noAnswer(let reason): "the gateway does not answer: \(reason)"
        }
    }
}
