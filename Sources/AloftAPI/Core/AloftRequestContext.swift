package import AloftDomain
import AloftEdge
package import Hummingbird
import NIOCore

/// What a handler knows of its request beside the request itself.
package struct AloftRequestContext: RequestContext, PrincipalBearing, CallerWatching {
    package var coreContext: CoreRequestContextStorage
    /// Who asks; set by `PrincipalMiddleware` before any route runs.
    package var principal: Principal
    /// The same as the rules of access take it.
    package var bearer: Bearer
    /// Kept by `EdgeMiddleware`, the first who wants to know.
    var head: HeadFacts?
    private let channel: any Channel

    package init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        principal = .local
        bearer = .person
        channel = source.channel
    }

    /// Where the caller is; `nil` without a network.
    var place: RemotePlace? { RemotePlace(channel.remoteAddress) }

    package func whenCallerLeaves(_ action: @escaping @Sendable () -> Void) {
        HTTPConnectionLimits.whenClientLeaves(channel, action)
    }

    /// Bodies of `/api/v1` are small documents; blobs and artifacts are streamed and have no limit.
    package var maxUploadSize: Int { 16 << 20 }
}
