import AloftDomain
import AloftInference

/// What the prediction log says once in a block of all answers of a revision at a step of its rollout.
final class LogSource: Sendable {
    /// From the description on, as `CompactPredictions` writes it.
    let bytes: [UInt8]
    /// Whether requests and replies can be written as tensors.
    let knowsTensors: Bool

    init(description: [UInt8], signature: ModelSignature) {
        func list(_ tensors: [TensorSignature]) -> [(datatype: String, name: String)] {
            tensors.map { ($0.datatype.name, $0.name) }
        }
        if let bytes = CompactPredictions.source(
            description: description, inputs: list(signature.inputs),
            outputs: list(signature.outputs))
        {
            self.bytes = bytes
            knowsTensors = true
        } else {
            bytes =
                CompactPredictions.source(description: description, inputs: [], outputs: []) ?? []
            knowsTensors = false
        }
    }
}
