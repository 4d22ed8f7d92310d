package import AloftDomain
import AloftProcess
import Foundation

/// Where one attempt keeps its files: `JOBS/<job>/<attempt>/`.
package struct AttemptFolder: Sendable {
    package let path: String

    package init(jobs: String, attempt: AttemptID) {
        path = "\(jobs)/\(attempt.job)/\(attempt.number)"
    }

    package init(path: String) { self.path = path }

    /// What to do; written by the executor, removed when the attempt has ended.
    var order: String { path + "/order.json" }
    /// Held by the shim while it lives.
    var lock: String { path + "/lock" }
    /// Who the shim is. Written before the command can begin: from then on the attempt is never
    /// begun again.
    var shim: String { path + "/shim.json" }
    /// Exists once the command runs.
    var started: String { path + "/started.json" }
    /// Asks the shim to end the attempt.
    var stop: String { path + "/stop.json" }
    /// The end; see `AttemptReport`.
    var exit: String { path + "/exit.json" }
    /// Standard output and error.
    package var log: String { path + "/log" }
    /// One `UsageSample` a line.
    var usage: String { path + "/usage.ndjson" }
    /// How the command is isolated; written before it begins.
    var isolation: String { path + "/isolation" }
    /// What the building of its Python environment reads and writes.
    var build: String { path + "/build" }
    /// A home and a folder for temporary files, where the user's cannot be shown.
    var home: String { path + "/home" }
    /// The unpacked code, the command's working folder.
    var work: String { path + "/work" }
    /// Shared by all attempts of the job, so that a later one can go on.
    var checkpoints: String { (path as NSString).deletingLastPathComponent + "/checkpoints" }
}

/// What the shim reads: the launch, and where things are on this machine.
struct ShimOrder: Codable, Sendable, Equatable {
    var launch: JobLaunch
    /// The whole environment of the command but for the Python environment's.
    var variables: [String: String]
    var environments: String
    /// The `uv` program; `nil` if there is none.
    var uv: String?
    /// Absent in the orders of earlier builds.
    var isolation: IsolationPolicy?
    var limits: JobLimits?
    /// Requirements may name any source of packages.
    var allowsAnySource: Bool?
}

/// What each job may leave on disk.
package struct JobLimits: Codable, Sendable, Equatable {
    /// Of the log, its first and its last part are kept.
    package var logBytes: Int
    /// Of the working folder and the checkpoints together, and of any one file.
    package var diskBytes: Int64

    package init(logBytes: Int = 64 << 20, diskBytes: Int64 = 100 << 30) {
        self.logBytes = logBytes
        self.diskBytes = diskBytes
    }
}

struct StopOrder: Codable, Sendable {
    var graceSeconds: Double
}
