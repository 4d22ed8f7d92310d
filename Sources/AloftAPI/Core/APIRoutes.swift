package import AloftDomain
package import AloftStore
package import AloftWire
import Foundation
package import HTTPTypes
package import Hummingbird

/// Collects the endpoints of `/api/v1`: each goes into the router and into the OpenAPI document, behind
/// the rules of access.
package struct APIRoutes {
    package typealias Find =
        // text: parts of a path, under the names of our own routes
        @Sendable (AccessQueries, [String: String]) throws -> Thing

    // Not to be had: every route goes through `on` or `raw`, which name its action.
    private let router: Router<AloftRequestContext>
    private let bodies = BodyReader()
    /// The endpoints added so far, in order.
    package private(set) var descriptions: [EndpointDescription] = []
    /// What each route does, by method and path; a test holds it against the router.
    // text: methods and paths of our own routes
    package private(set) var actions: [String: Action] = [:]
    private let access: AccessGuard

    package init(router: Router<AloftRequestContext>, store: Store) {
        self.router = router
        access = AccessGuard(store: store)
    }

    /// Serves endpoint `E`: asks whether the caller may, decodes the body, calls `handler`, encodes
    /// its reply.
    ///
    /// - Parameter find: the thing that the parts of the path name; the platform if not given.
    package mutating func on<E: Endpoint>(
        _ endpoint: E.Type, of find: @escaping Find = { _, _ in .platform },
        _ handler: @escaping @Sendable (EndpointCall<E>) async throws -> E.Reply
    ) {
        descriptions.append(EndpointDescription(endpoint))
        let bodies = bodies
        raw(E.method.requestMethod, E.path, E.action, of: find) { request, context in
            let body = try await bodies.body(of: E.self, from: request)
            let call = EndpointCall<E>(body: body, request: request, context: context)
            return ErrorResponse.json(try await handler(call), status: .ok)
        }
    }

    /// A body that was not read yet.
    package struct WaitingBody: Sendable {
        fileprivate let bodies: BodyReader
        fileprivate let request: Request
        fileprivate let limitBytes: Int

        /// - Throws: `BodyError` if it is too large, and what `decode` throws.
        func read<Value: Sendable>(
            _ decode: @escaping @Sendable (ByteBuffer) throws -> Value
        ) async throws -> Value {
            try await bodies.read(from: request, limit: limitBytes, decode)
        }
    }

    /// As above for an endpoint whose body is read by its handler, in pieces.
    mutating func on<E: Endpoint>(
        _ endpoint: E.Type,
        withBody handler: @escaping @Sendable (WaitingBody) async throws -> E.Reply
    ) {
        descriptions.append(EndpointDescription(endpoint))
        let bodies = bodies
        raw(E.method.requestMethod, E.path, E.action) { request, _ in
            let body = WaitingBody(bodies: bodies, request: request, limitBytes: E.bodyLimitBytes)
            return ErrorResponse.json(try await handler(body), status: .ok)
        }
    }

    /// As above for routes that read the body or write the answer themselves.
    package mutating func raw(
        _ method: HTTPRequest.Method, _ path: String, _ action: Action,
        of find: @escaping Find = { _, _ in .platform },
        _ handler: @escaping @Sendable (Request, AloftRequestContext) async throws -> Response
    ) {
        actions["\(method.rawValue) \(path)"] = action
        let access = access
        router.on(RouterPath(path), method: method) { request, context in
            let parameters = Self.parameters(of: context)
            try await access.check(context.bearer, action) { [Claim(try find($0, parameters))] }
            return try await handler(request, context)
        }
    }

    // text: parts of a path, under the names of our own routes
    static func parameters(of context: AloftRequestContext) -> [String: String] {
        Dictionary(
            context.parameters.map {
                (String($0.key), $0.value.removingPercentEncoding ?? String($0.value))
            }, uniquingKeysWith: { _, last in last })
    }
}

extension BodyReader {
    fileprivate func body<E: Endpoint>(
        of endpoint: E.Type, from request: Request
    ) async throws -> E.Body {
        if let none = NoBody() as? E.Body { return none }
        return try await read(
            E.Body.self, from: request, limit: E.bodyLimitBytes, perByte: E.readingBytesPerByte)
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
