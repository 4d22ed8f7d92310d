/// The protocols in which predictions are asked for. The raw values stand in the prediction log.
package enum PredictionForm: UInt8, Sendable, CaseIterable {
    /// The Open Inference Protocol's JSON.
    case json = 1
    /// The same followed by binary tensors, in the request or in the reply. The JSON ends where its
    /// outermost object does.
    case binary = 2
    /// MLflow scoring: JSON, or CSV where the request does not begin with a brace.
    case scoring = 3
    /// The Open Inference Protocol's gRPC messages `ModelInferRequest` and `ModelInferResponse`.
    case grpc = 4

    /// The content type of those messages where they are sent to a gateway over REST, to ask a registered
    /// version.
    package static let messageType = "application/x-protobuf"
}
