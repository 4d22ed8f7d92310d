/// How gateways run the model of a deployment, as far as somebody said; the rest they find by themselves.
package struct ExecutionRules: Sendable, Hashable, Codable {
    /// Whether requests of several callers may share one call of a Python model.
    package enum Batch: String, Codable, Sendable, CaseIterable { case rows, off }

    /// Processes that answer for a Python model on each gateway; `nil`: as many as it needs, within cores
    /// and memory.
    package var workers: Int?
    /// `nil`: as the model's conversion has proved.
    package var batch: Batch?
    /// How long an answer may take as a rule; `nil`: a request waits until its deadline.
    package var latencyTargetMilliseconds: Int?

    package static let workerCounts = 1...256
    package static let latencyTargets = 1...3_600_000

    package init(
        workers: Int? = nil, batch: Batch? = nil, latencyTargetMilliseconds: Int? = nil
    ) {
        self.workers = workers
        self.batch = batch
        self.latencyTargetMilliseconds = latencyTargetMilliseconds
    }

    package var isEmpty: Bool {
        workers == nil && batch == nil && latencyTargetMilliseconds == nil
    }
}
