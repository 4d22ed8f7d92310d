/// What the prediction log says once in a block of all answers of a revision at a step of its rollout.
package final class LogSource: Sendable {
    /// From the description on, as `CompactPredictions` writes it.
    package let bytes: [UInt8]
    /// Whether requests and replies can be written as tensors.
    package let knowsTensors: Bool

    package init(
        description: [UInt8], inputs: [(datatype: String, name: String)],
        outputs: [(datatype: String, name: String)]
    ) {
        if let bytes = CompactPredictions.source(
            description: description, inputs: inputs, outputs: outputs)
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
