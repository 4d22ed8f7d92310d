package import AloftDomain
import AloftEdge
package import Hummingbird
import NIOCore

/// What a handler knows of its request beside the request itself.
package struct AloftRequestContext: RequestContext, PrincipalBearing, CallerWatching {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; set by `FrontMiddleware` before any route runs.
    var asking: Asking
    private let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        asking = .anybody
        channel = source.channel
    }

    package var principal: Principal { asking.principal }

    package var bearer: Bearer { asking.bearer }

    /// Where the caller is; `nil` without a network.
    var place: RemoteAddress? { RemoteAddress(channel.remoteAddress) }

    package func whenCallerLeaves(_ action: @escaping @Sendable () -> Void) {
        HTTPConnectionLimits.whenClientLeaves(channel, action)
    }

    /// Bodies of `/api/v1` are small documents; blobs and artifacts are streamed and have no limit.
    package var maxUploadSize: Int { 16 << 20 }
}

extension AloftRequestContext {
    /// Who asks, and the same as the rules of access take it.
    struct Asking: Sendable {
        let principal: Principal
        let bearer: Bearer

        init(_ principal: Principal, project: ProjectID) {
            self.principal = principal
            bearer = Bearer(principal, project: project)
        }

        /// Whoever asks a server that asks for no token.
        static let anybody = Asking(.local, project: .default)
    }
}
