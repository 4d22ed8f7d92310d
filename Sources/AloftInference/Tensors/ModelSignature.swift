package import AloftDomain

/// One named tensor that a model takes or gives. A dimension of -1 varies.
package struct TensorSignature: Sendable, Hashable {
    package let name: String
    package let datatype: Datatype
    /// `nil` where the model leaves even the number of dimensions open.
    package let shape: [Int]?
    /// Whether other datatypes that hold the same values are taken, and are cast.
    let casts: Bool
    /// Whether any datatype is taken, to be made this one later.
    let isOpen: Bool

    package init(name: String, datatype: Datatype, shape: [Int]?, casts: Bool = false) {
        self.init(name: name, datatype: datatype, shape: shape, casts: casts, isOpen: false)
    }

    init(name: String, datatype: Datatype, shape: [Int]?, casts: Bool = false, isOpen: Bool) {
        self.casts = casts
        self.isOpen = isOpen
        self.name = name
        self.datatype = datatype
        self.shape = shape
    }

    /// For a person: `"x" FP32 [-1, 30]`.
    package var description: String {
        "\"\(name)\" \(datatype.name)" + (shape.map { " \(Self.text($0))" } ?? "")
    }

    package static func text(_ shape: some Collection<some BinaryInteger>) -> String {
        "[" + shape.map { "\($0)" }.joined(separator: ", ") + "]"
    }
}

/// What a model takes and gives.
///
/// One reference to what does not change: each request hands it on a few times, and a copy of four
/// collections would be counted at each.
package struct ModelSignature: Sendable, Hashable {
    private final class Tables: Sendable {
        let inputs: [TensorSignature]
        let outputs: [TensorSignature]
        let inputPlaces: [String: Int]
        let outputPlaces: [String: Int]
        let wantsAll: Bool

        init(_ inputs: [TensorSignature], _ outputs: [TensorSignature], wantsAll: Bool) {
            self.inputs = inputs
            self.outputs = outputs
            self.wantsAll = wantsAll
            inputPlaces = Self.places(inputs)
            outputPlaces = Self.places(outputs)
        }

        private static func places(_ tensors: [TensorSignature]) -> [String: Int] {
            Dictionary(
                tensors.enumerated().map { ($0.element.name, $0.offset) },
                uniquingKeysWith: { $1 })
        }
    }

    private let tables: Tables

    package var inputs: [TensorSignature] { tables.inputs }

    package var outputs: [TensorSignature] { tables.outputs }

    /// Whether a request has all inputs; else `InputContract` says which belong together.
    var wantsAll: Bool { tables.wantsAll }

    package init(inputs: [TensorSignature], outputs: [TensorSignature]) {
        self.init(inputs, outputs, wantsAll: true)
    }

    /// Inputs of which some stand for others.
    init(forms inputs: [TensorSignature], outputs: [TensorSignature]) {
        self.init(inputs, outputs, wantsAll: false)
    }

    private init(_ inputs: [TensorSignature], _ outputs: [TensorSignature], wantsAll: Bool) {
        tables = Tables(inputs, outputs, wantsAll: wantsAll)
    }

    package static func == (one: ModelSignature, other: ModelSignature) -> Bool {
        one.tables === other.tables
            || one.inputs == other.inputs && one.outputs == other.outputs
                && one.wantsAll == other.wantsAll
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(inputs)
        hasher.combine(outputs)
        hasher.combine(wantsAll)
    }

    /// - Throws: `InferenceError.unsupportedModel` where a tensor has a type that the protocol lacks.
    package init(manifest: ServableManifest) throws(InferenceError) {
        self.init(
            inputs: try Self.signatures(manifest.inputs),
            outputs: try Self.signatures(manifest.outputs))
    }

    package static func signatures(
        _ tensors: [ServableManifest.Tensor]
    ) throws(InferenceError) -> [TensorSignature] {
        var result: [TensorSignature] = []
        for tensor in tensors {
            guard let datatype = Datatype(name: tensor.datatype) else {
                throw .unsupportedModel(
                    reason: "tensor \"\(tensor.name)\" has the unknown datatype \(tensor.datatype)")
            }
            result.append(
                TensorSignature(name: tensor.name, datatype: datatype, shape: tensor.shape))
        }
        return result
    }

    /// The place of the input of this name. `hint` is tried first: requests name inputs in order.
    func inputPlace(_ name: UnsafeRawBufferPointer, hint: Int) -> Int? {
        let inputs = tables.inputs
        if hint < inputs.count, Self.equal(inputs[hint].name, name) { return hint }
        return tables.inputPlaces[String(decoding: name, as: UTF8.self)]
    }

    /// The input at a place that another list named; `nil` beyond the last.
    package func input(at place: Int) -> TensorSignature? {
        // traps: held against the list on this line
        place >= 0 && place < inputs.count ? inputs[place] : nil
    }

    /// The output at such a place.
    package func output(at place: Int) -> TensorSignature? {
        // traps: held against the list on this line
        place >= 0 && place < outputs.count ? outputs[place] : nil
    }

    package func inputPlace(_ name: String) -> Int? { tables.inputPlaces[name] }

    package func outputPlace(_ name: String) -> Int? { tables.outputPlaces[name] }

    static func equal(_ text: String, _ bytes: UnsafeRawBufferPointer) -> Bool {
        guard text.utf8.count == bytes.count else { return false }
        let found = text.utf8.withContiguousStorageIfAvailable {
            BytesEqual.equal(UnsafeRawBufferPointer($0), bytes)
        }
        return found ?? text.utf8.elementsEqual(bytes)
    }
}
