import AloftDomain
import HTTPTypes
import Hummingbird

/// Calls that take a moment: they run on the thread of their connection's event loop, and all others on
/// the threads that tasks share.
///
/// What a training logs is many small calls, each of which would otherwise wake one thread after the
/// other: that costs more than the call. A call that computes for long would on the other hand hold up
/// every connection of its event loop. The server must run connections by `EventLoopConnections`.
enum ShortCalls {
    /// Bodies up to this many bytes are read in well under a millisecond.
    private static let bodyLimitBytes = 128 << 10

    static func contains(
        _ request: Request, _ body: ComingBody, carried: CarriedProtocol
    ) -> Bool {
        guard request.method == .post, case .bytes(...bodyLimitBytes) = body else { return false }
        return carried.isShortCall(request.uri.path)
    }
}
