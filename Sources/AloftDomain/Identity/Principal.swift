/// Who asks. Every request has one; every event names one.
package enum Principal: Hashable, Sendable {
    /// Somebody on this machine, while the server listens on loopback and asks for no token.
    case local
    /// The bearer of a token made by `aloft token create NAME`.
    case user(name: String)
    /// A job's own token, which ends with the job.
    case job(JobID)
    /// A gateway that follows this server.
    case gateway(name: String)
    /// The platform's own controllers.
    case controller(name: String)
}

extension Principal {
    /// One word as stored in events: `local`, `user:ann`, `job:…`, `gateway:main`, `controller:sweeps`.
    package var description: String {
        switch self {
        case .local: "local"
        case .user(let name): "user:\(name)"
        case .job(let job): "job:\(job)"
        case .gateway(let name): "gateway:\(name)"
        case .controller(let name): "controller:\(name)"
        }
    }
}
