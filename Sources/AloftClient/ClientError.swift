/// Why a call did not give a reply.
package enum ClientError: Error, Equatable, Sendable {
    /// No server answered.
    case unreachable(server: String, reason: String)
    /// The server answered with an error.
    case refused(status: Int, code: String, message: String)
    /// The answer is not what this program knows: another version, or no Aloft at all.
    case unreadable(url: String, reason: String)

    package var message: String {
        switch self {
        case .unreachable(let server, let reason):
            "no answer from \(server) (\(reason)). Is `aloft server` running there? "
                + "Name another with --server or ALOFT_SERVER."
        case .refused(_, _, let message): message
        case .unreadable(let url, let reason):
            "\(url) answered something unknown (\(reason)). Is it a server of this version?"
        }
    }

    /// Whether the same call may work later.
    package var isTransient: Bool {
        switch self {
        case .unreachable: true
        case .refused(let status, _, _): status == 429 || status >= 500
        case .unreadable: false
        }
    }
}
