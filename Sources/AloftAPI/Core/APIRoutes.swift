import AloftDomain
package import AloftWire
import Foundation
import HTTPTypes
package import Hummingbird
import NIOCore

/// Collects the endpoints of `/api/v1`: each goes into the router and into the OpenAPI document.
package struct APIRoutes {
    package let router: Router<AloftRequestContext>
    /// The endpoints added so far, in order.
    package private(set) var descriptions: [EndpointDescription] = []

    package init(router: Router<AloftRequestContext>) { self.router = router }

    /// Serves endpoint `E`: decodes the body, calls `handler`, encodes its reply.
    package mutating func on<E: Endpoint>(
        _ endpoint: E.Type,
        _ handler: @escaping @Sendable (EndpointCall<E>) async throws -> E.Reply
    ) {
        descriptions.append(EndpointDescription(endpoint))
        router.on(RouterPath(E.path), method: E.method.requestMethod) { request, context in
            let body = try await Self.decodeBody(E.self, from: request, context: context)
            let call = EndpointCall<E>(body: body, request: request, context: context)
            return ErrorResponse.json(try await handler(call), status: .ok)
        }
    }

    private static func decodeBody<E: Endpoint>(
        _ endpoint: E.Type, from request: Request, context: AloftRequestContext
    ) async throws -> E.Body {
        if let none = NoBody() as? E.Body { return none }
        let limit = context.maxUploadSize
        let buffer: ByteBuffer
        do {
            buffer = try await request.body.collect(upTo: limit)
        } catch is NIOTooManyBytesError {
            throw BodyError.tooLarge(limitBytes: limit)
        }
        try NulCheck.refuse(buffer.readableBytesView)
        do {
            return try JSON.decoder.decode(E.Body.self, from: Data(buffer.readableBytesView))
        } catch let error as DecodingError {
            throw BodyError.malformed(reason: error.plainReason)
        }
    }
}

/// One endpoint as the OpenAPI document lists it.
package struct EndpointDescription: Sendable {
    package let name: String
    package let method: EndpointMethod
    package let path: String
    package let summary: String
    package let hasBody: Bool
    let body: any (Decodable & Sendable).Type
    let reply: any (Decodable & Sendable).Type

    init<E: Endpoint>(_ endpoint: E.Type) {
        name = "\(E.self)"
        method = E.method
        path = E.path
        summary = E.summary
        hasBody = !(E.Body.self is NoBody.Type)
        body = E.Body.self
        reply = E.Reply.self
    }
}

extension EndpointMethod {
    var requestMethod: HTTPRequest.Method {
        switch self {
        case .get: .get
        case .post: .post
        case .put: .put
        case .patch: .patch
        case .delete: .delete
        }
    }
}
