import AloftDomain
package import AloftEdge
import HTTPTypes
import Hummingbird

/// The first question to a request: refuses what a page of another place makes a browser send, and
/// bodies of a type that the route does not take. See `RequestOrigin` and `AcceptedTypes`.
package struct EdgeCheck: Sendable {
    private let hosts: HostCheck

    package init(hosts: HostCheck) { self.hosts = hosts }

    func refusal(
        of request: Request, _ head: HeadFacts, carried: CarriedProtocol
    ) -> RequestRefusal? {
        let isUsual = isUsual(request.head.authority, head)
        if !isUsual, let refusal = originRefusal(of: request, head) { return refusal }
        if head.body == .nothing { return nil }
        return AcceptedTypes.refusal(
            method: request.method.rawValue, path: request.uri.path, type: head.contentType,
            carried: carried)
    }

    /// A program that asks the host that was asked before: there is nothing to find out.
    private func isUsual(_ host: String?, _ head: HeadFacts) -> Bool {
        guard head.origin == nil, head.site == nil, head.targetHost == nil, !head.hasFurtherHost,
            let host
        else { return false }
        return hosts.isLastKnown(host)
    }

    private func originRefusal(of request: Request, _ head: HeadFacts) -> RequestRefusal? {
        var host = RequestOrigin.Host.missing
        // The library keeps the first `Host` apart from the other headers.
        if let first = request.head.authority {
            host = head.hasFurtherHost ? .several : .one(first)
        }
        let origin = RequestOrigin(
            method: request.method.rawValue,
            // The library keeps the path of the target only; `TargetHost` keeps the host that it named.
            target: head.targetHost.map { "http://\($0)/" } ?? "/",
            connection: request.head.scheme == "https"
                ? .secure : hosts.plainConnection.behind(proto: head.proto),
            host: host, origin: head.origin, site: head.site)
        let refusal = origin.refusal(isKnown: hosts.isKnown)
        if refusal == nil, case .one(let text) = host { hosts.remember(text) }
        return refusal
    }

    static func answer(
        _ refusal: RequestRefusal, to request: Request, carried: CarriedProtocol
    ) -> Response {
        var response = ErrorResponse.make(
            for: refusal, path: request.uri.path, carried: carried)
        response.status = .init(code: refusal.httpStatus)
        return response
    }
}
