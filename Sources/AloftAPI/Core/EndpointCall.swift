package import AloftDomain
package import AloftWire
import Foundation
import Hummingbird

/// One call of endpoint `E`, decoded.
package struct EndpointCall<E: Endpoint>: Sendable {
    package let body: E.Body
    package let principal: Principal
    package let bearer: Bearer
    /// The caller's own token, to ask a gateway in its name.
    package let token: String?
    // text: names of our own endpoints
    private let parameters: [String: String]
    // text: only our own names are read
    private let queries: [String: String]

    init(body: E.Body, request: Request, context: AloftRequestContext) {
        self.body = body
        principal = context.principal
        bearer = context.bearer
        token =
            PrincipalFinder.secret(in: request.headers)
            ?? SessionCookie.secret(in: request)
        parameters = APIRoutes.parameters(of: context)
        queries = Dictionary(
            request.uri.queryParameters.map { (String($0.key), String($0.value)) },
            uniquingKeysWith: { _, last in last })
    }

    /// The project whose things a job may list; `nil` for everybody else.
    package var narrowedProject: ProjectID? {
        if case .job(_, let project) = bearer { project } else { nil }
    }

    /// The part of the path that stands for `{name}`.
    package func parameter(_ name: String) -> String { parameters[name] ?? "" }

    package func query(_ name: String) -> String? { queries[name] }

    /// A whole number from the query.
    ///
    /// - Throws: `BodyError.query` if it is none or outside of `range`.
    package func integer(
        _ name: String, in range: ClosedRange<Int64>, default value: Int64
    ) throws -> Int64 {
        guard let text = queries[name] else { return value }
        guard let number = Int64(text), range.contains(number) else {
            throw BodyError.query(
                name: name, value: text,
                expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
