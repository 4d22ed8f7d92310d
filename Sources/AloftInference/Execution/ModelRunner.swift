/// Answers requests of one loaded model.
package protocol ModelRunner: Sendable {
    var signature: ModelSignature { get }

    /// Runs the model and returns when it is done.
    func run(_ request: InferenceRequest, into reply: TensorSet) throws(InferenceError)
}

extension OnnxSession: ModelRunner {}
