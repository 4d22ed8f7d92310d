import AloftPredictionLog

/// Steps through a protobuf message, whose faults are the caller's.
typealias ProtobufCursor = ProtobufReader<InferenceError>

extension InferenceError: ProtobufFault {}
