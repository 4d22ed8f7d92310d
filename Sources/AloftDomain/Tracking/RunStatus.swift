/// How a run stands, as the tracking protocol names it. A run may be written to in any state.
package enum RunStatus: String, Sendable, Codable, CaseIterable {
    case running = "RUNNING"
    case scheduled = "SCHEDULED"
    case finished = "FINISHED"
    case failed = "FAILED"
    case killed = "KILLED"

    /// Whether the run has ended, well or not.
    package var isEnded: Bool {
        switch self {
        case .running, .scheduled: false
        case .finished, .failed, .killed: true
        }
    }
}

/// Deleted things stay readable until space is reclaimed, and may be restored until then.
package enum LifecycleStage: String, Sendable, Codable { case active, deleted }

/// A logged model's upload.
package enum LoggedModelStatus: String, Sendable, Codable, CaseIterable {
    case pending = "LOGGED_MODEL_PENDING"
    case ready = "LOGGED_MODEL_READY"
    case failed = "LOGGED_MODEL_UPLOAD_FAILED"
}
