import AloftInference
import AloftPredictionLog

extension LogSource {
    convenience init(description: [UInt8], signature: ModelSignature) {
        func list(_ tensors: [TensorSignature]) -> [(datatype: String, name: String)] {
            tensors.map { ($0.datatype.name, $0.name) }
        }
        self.init(
            description: description, inputs: list(signature.inputs),
            outputs: list(signature.outputs))
    }
}

extension LogEntryWriter {
    /// Tensors as a record of any shape has them, which take so many bytes, behind that number.
    @inline(__always)
    mutating func putRun(_ tensors: TensorSet, bytes: Int) {
        put(UInt32(truncatingIfNeeded: bytes))
        tensors.writeLog(to: room(bytes))
    }

    /// The elements of tensors alone, which take so many bytes.
    @inline(__always)
    mutating func putElements(_ tensors: TensorSet, bytes: Int) {
        guard bytes > 0, let start = room(bytes).baseAddress else { return }
        tensors.writeElements(to: start)
    }
}
