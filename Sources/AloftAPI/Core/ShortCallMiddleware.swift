import AloftDomain
import HTTPTypes
package import Hummingbird
import NIOCore

/// Lets calls that take a moment run on the thread of their connection's event loop, and all others on
/// the threads that tasks share.
///
/// What a training logs is many small calls, each of which would otherwise wake one thread after the
/// other: that costs more than the call. A call that computes for long would on the other hand hold up
/// every connection of its event loop. The server must run connections by `EventLoopConnections`.
package struct ShortCallMiddleware: RouterMiddleware {
    package typealias Context = AloftRequestContext

    /// Bodies up to this many bytes are read in well under a millisecond.
    private static let bodyLimitBytes = 128 << 10
    private static let folders = ["/api/2.0/mlflow/runs/", "/ajax-api/2.0/mlflow/runs/"]
    private static let calls = [
        "create", "update", "log-metric", "log-parameter", "log-batch", "set-tag", "delete-tag",
    ]

    package init() {}

    package func handle(
        _ request: Request, context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let coming = (context.head ?? HeadFacts(request.headers)).body
        if Self.isShort(request, coming) { return try await next(request, context) }
        let response = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await next(request, context)
        }
        // Only what is made while it is sent has no length; the rest is sent as it is.
        guard response.body.contentLength == nil else { return response }
        var elsewhere = response
        let body = response.body
        elsewhere.body = ResponseBody { writer in
            let writer = writer
            try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await body.write(writer)
            }
        }
        return elsewhere
    }

    private static func isShort(_ request: Request, _ body: ComingBody) -> Bool {
        guard request.method == .post, case .bytes(...bodyLimitBytes) = body else { return false }
        let path = request.uri.path
        guard let folder = Self.folders.first(where: { path.begins(with: $0) }) else {
            return false
        }
        let call = path.utf8.dropFirst(folder.utf8.count)
        return Self.calls.contains { Substring(call).isSame(as: $0) }
    }
}
