/// One request to a model, used again for the next. Owned by one thread at a time, like `TensorSet`.
// @unchecked: handed from owner to owner; nothing is ever shared.
package final class InferenceRequest: @unchecked Sendable {
    package let tensors = TensorSet()
    /// The places of the outputs to compute, in the order to answer them.
    package var wantedOutputs: [Int32] = []
    /// The request's own `id`: a JSON string with its quotes, the bare text over gRPC; empty
    /// where there is none.
    package var requestID: [UInt8] = []
    /// The request's own parameters, as a JSON object; empty where there are none. Python models get
    /// them.
    package var parameters: [UInt8] = []
    /// Whether it says anything beside its tensors, `id`, `parameters` and the names of outputs.
    package var saysMore = false
    /// The parameter `timeout`: how long the caller waits, in microseconds; 0 where it is not given.
    package var timeoutMicroseconds = 0
    /// Which of `wantedOutputs` are to be answered in binary (bit by position; all beyond 63 alike).
    package var binaryOutputs: UInt64 = 0

    /// The same in milliseconds, at most a day; `nil` where it is not given.
    package var timeoutMilliseconds: Int? {
        timeoutMicroseconds == 0 ? nil : min(max(timeoutMicroseconds / 1000, 1), 86_400_000)
    }

    /// What is asked instead of tensors, by MLflow scoring of a Python model.
    package var document: ScoringDocument?
    /// The outputs that the request names, of a model that does not say which it has.
    package var wantedNames: [String] = []

    /// Memory for the shape that a reader is at.
    var shapeScratch: [Int64] = []

    package init() {}

    package func reset() {
        tensors.reset()
        if !wantedOutputs.isEmpty { wantedOutputs.removeAll(keepingCapacity: true) }
        if !requestID.isEmpty { requestID.removeAll(keepingCapacity: true) }
        binaryOutputs = 0
        saysMore = false
        if document != nil { document = nil }
        if !wantedNames.isEmpty { wantedNames.removeAll() }
        if !parameters.isEmpty { parameters.removeAll(keepingCapacity: true) }
        timeoutMicroseconds = 0
    }

    package func isBinary(_ position: Int) -> Bool {
        binaryOutputs & (1 << UInt64(truncatingIfNeeded: min(position, 63))) != 0
    }

    func setBinary(_ position: Int) {
        binaryOutputs |= 1 << UInt64(truncatingIfNeeded: min(position, 63))
    }

    private static let mostNames = 64

    /// Asks for an output of a model that does not say which it has.
    func want(_ name: String) throws(InferenceError) {
        guard wantedNames.count < Self.mostNames, name.utf8.count <= 1000 else {
            throw .unknownOutput(name: String(name.prefix(100)), known: [])
        }
        guard !wantedNames.contains(where: { $0.utf8.elementsEqual(name.utf8) }) else {
            throw .repeatedMember(name: String(name.prefix(100)))
        }
        wantedNames.append(name)
    }
}
