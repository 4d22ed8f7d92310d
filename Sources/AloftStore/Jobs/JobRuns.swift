package import AloftDomain
package import Foundation
package import GRDB

/// The tracking run that a job is.
package enum JobRuns {
    /// Creates the run of a job about to be queued, in the experiment of its project and name.
    package static func create(
        _ db: Database, _ run: RunID, of job: JobID, for spec: inout JobSpec, at now: Date,
        by who: Principal
    ) throws {
    }

    /// The run's status follows the job's; a run that the script ended itself keeps its own.
    static func follow(
        _ db: Database, _ effect: JobLifecycle.Effect, of job: JobRecord, at now: Date
    ) throws {
    }
}
