import AloftDomain
import Synchronization

/// Which experiment each job's script asked for last, as `mlflow.set_experiment` does.
///
/// A job's script is told of the job's run in MLFLOW_RUN_ID. A script that sets an experiment of its
/// own first would be refused by its own client, because that run is in another one; so the run moves
/// there, as long as nothing is logged to it. Kept in memory: what is lost with it is that a script
/// which a restart hits between these two calls fails as before.
final class ChosenExperiments: Sendable {
    private static let most = 10_000

    private let byJob = Mutex<[JobID: ExperimentID]>([:])

    func note(_ principal: Principal, _ experiment: ExperimentID) {
        guard case .job(let job) = principal else { return }
        byJob.withLock { table in
            if table.count >= Self.most { table.removeAll() }
            table[job] = experiment
        }
    }

    /// A script that asked for an experiment to look for its runs has not set it.
    func wasSearched(_ principal: Principal, _ experiments: [ExperimentID]) {
        guard case .job(let job) = principal else { return }
        byJob.withLock { table in
            guard let chosen = table[job], experiments.contains(chosen) else { return }
            table[job] = nil
        }
    }

    func of(_ job: JobID) -> ExperimentID? { byJob.withLock { $0[job] } }

    func forget(_ job: JobID) { byJob.withLock { _ = $0.removeValue(forKey: job) } }
}
