/// How a job ended.
package enum JobOutcome: Sendable, Hashable {
    case succeeded
    case failed(JobFailure)
    case stopped
}

/// Why a job failed.
package enum JobFailure: Sendable, Hashable, Codable {
    /// The command ended with this status, not 0.
    case exited(code: Int32)
    /// A signal ended the command, and nobody had asked for it.
    case signalled(number: Int32)
    case outOfMemory(limitBytes: Int64?)
    case tooManyProcesses(limit: Int)
    /// Of its working folder and its checkpoints together.
    case tooMuchDisk(limitBytes: Int64)
    case timedOut(limit: Duration)
    /// The command never ran: the code or the Python environment could not be made ready, or the
    /// pool is too small.
    case notStarted(reason: String)
    /// Each attempt was lost: the machine went down, or the job's keeper was killed.
    case lost(reason: String)
}

extension JobFailure {
    /// In a person's words.
    package var message: String {
        switch self {
        case .exited(let code): "the command ended with exit status \(code)"
        case .signalled(let number): "the command was ended by signal \(number)"
        case .outOfMemory(.some(let limit)):
            "the command used more memory than its limit of \(limit >> 20) MiB"
        case .outOfMemory(nil): "the machine ran out of memory"
        case .tooManyProcesses(let limit): "the command started more than \(limit) processes"
        case .tooMuchDisk(let limit):
            "the job's working folder and checkpoints took more than the limit of "
                + "\(limit >> 20) MiB (`aloft server --job-disk-limit`)"
        case .timedOut(let limit): "the command ran longer than its limit of \(limit.seconds) s"
        case .notStarted(let reason): reason
        case .lost(let reason): reason
        }
    }

    /// Stable, snake_case.
    package var code: String {
        switch self {
        case .exited: "exited"
        case .signalled: "signalled"
        case .outOfMemory: "out_of_memory"
        case .tooManyProcesses: "too_many_processes"
        case .tooMuchDisk: "too_much_disk"
        case .timedOut: "timed_out"
        case .notStarted: "not_started"
        case .lost: "lost"
        }
    }
}

/// How one attempt's command ended, as its executor saw it.
package enum AttemptEnd: Sendable, Hashable, Codable {
    case exited(code: Int32)
    /// It was asked to stop, and did.
    case stopped
    case failed(JobFailure)
    /// Ended from outside while nobody had asked for it, such as by the machine's shutdown: the
    /// attempt is lost.
    case interrupted(reason: String)
}
