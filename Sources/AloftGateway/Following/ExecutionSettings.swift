import AloftDomain
package import AloftInference
import AloftWire

/// How models run, from what was said of the endpoint, what its conversion proved, and how the gateway was
/// started.
extension GatewayConfiguration {
    /// How long an answer may take; `nil` where neither the deployment nor the gateway says.
    func targetNanoseconds(_ execution: ServedExecution?) -> Double? {
        if let stated = execution?.latencyTargetMilliseconds { return Double(stated) * 1e6 }
        return latencyTarget.map { $0.microseconds * 1000 }
    }

    /// What the workers of a Python model may take.
    package var workerLimits: PythonWorkerPool.Limits {
        var limits = PythonWorkerPool.Limits()
        limits.queued = queueLimit
        limits.waitingBytes = waitingBytes
        limits.memoryBytes = workerMemoryBytes
        limits.mostWorkers = UsableCores.count
        // Models that share a budget do not take more of it than they were reckoned to.
        limits.crewBytes = modelMemoryBytes == nil ? crewMemoryBytes : 0
        return limits
    }

    /// How the workers of a Python model run.
    func workers(
        of manifest: ServableManifest, _ execution: ServedExecution?
    ) -> WorkerBatcher.Settings {
        var settings = WorkerBatcher.Settings()
        settings.workers = execution?.workers.map {
            min(
                max($0, ExecutionRules.workerCounts.lowerBound),
                ExecutionRules.workerCounts.upperBound)
        }
        settings.targetNanoseconds = targetNanoseconds(execution)
        let said = execution?.batch.flatMap(ExecutionRules.Batch.init)
        switch said ?? manifest.batch?.mode ?? .off {
        case .rows: settings.batchRows = batchRows
        case .off: settings.batchRows = 1
        }
        return settings
    }
}
