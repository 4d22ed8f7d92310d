/// Answers requests of one loaded model.
package protocol ModelRunner: Sendable {
    var signature: ModelSignature { get }

    /// Runs the model and returns when it is done.
    func run(_ request: InferenceRequest, into reply: TensorSet) throws(InferenceError)
}

extension OnnxSession: ModelRunner {}

/// A model in other processes: it answers later.
package protocol RemoteModel: Sendable {
    func submit(_ call: QueuedRequest)
    /// Runs as this says from now on.
    func adjust(_ settings: WorkerBatcher.Settings)
    /// What its queue did so far.
    var reading: QueueStatistics { get }
    /// Refuses what waits and whatever comes; what is in the model is answered.
    func close()
    /// Ends the processes.
    func stop() async
}
