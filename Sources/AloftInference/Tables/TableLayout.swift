/// Where the columns of a table go in a model's inputs: into one matrix of all, or each into an input of
/// its own.
struct TableLayout {
    /// One of the tensors to fill.
    struct Tensor {
        let place: Int
        let datatype: Datatype
        /// Elements of one row.
        let rowElements: Int
    }

    /// One element of each row, and the column that it comes from.
    struct Slot {
        let name: Int
        let tensor: Int
        let element: Int
    }

    let tensors: [Tensor]
    /// Empty where the table's own columns are taken as they come.
    private let slots: [Slot]
    /// The columns that the model takes; empty where those are the table's own.
    let names: [String]
    let slotCount: Int
    /// Whether each column of the table is the slot of the same number.
    let isOwn: Bool
    private let signature: ModelSignature
    /// What the model's signature says of the columns by `names`, where that is not what they are run with.
    private let kinds: [Datatype?]

    /// For a model whose columns are known.
    ///
    /// - Parameter kinds: as many as `names`, or none.
    /// - Throws: `InferenceError.missingInput` where an input is none of them.
    init(
        _ signature: ModelSignature, names: [String], kinds: [Datatype?] = []
    ) throws(InferenceError) {
        self.signature = signature
        self.kinds = kinds.count == names.count ? kinds : []
        self.names = names
        isOwn = false
        if let input = Self.matrix(signature, columns: names.count) {
            tensors = [Tensor(place: 0, datatype: input.datatype, rowElements: names.count)]
            slots = names.indices.map { Slot(name: $0, tensor: 0, element: $0) }
        } else {
            let known = Dictionary(
                names.enumerated().map { ($0.element, $0.offset) },
                uniquingKeysWith: { first, _ in first })
            var slots: [Slot] = []
            for (place, input) in signature.inputs.enumerated() {
                // Inputs named as columns, else in the order of the columns.
                guard
                    let name = known[input.name]
                        ?? (names.count == signature.inputs.count ? place : nil)
                else { throw .missingInput(input) }
                slots.append(Slot(name: name, tensor: place, element: 0))
            }
            self.slots = slots
            tensors = signature.inputs.enumerated().map {
                Tensor(place: $0.offset, datatype: $0.element.datatype, rowElements: 1)
            }
        }
        slotCount = slots.count
    }

    /// For a model of one input that takes a table's own columns, all of them.
    init(_ signature: ModelSignature, ownColumns count: Int) throws(InferenceError) {
        guard let input = signature.inputs.first, Self.matrix(signature, columns: count) != nil
        else {
            // One column, which goes by the place of the input.
            guard count == 1, let input = signature.inputs.first else {
                if let input = signature.inputs.first { throw .missingInput(input) }
                throw .badTable(reason: "The model takes no input.")
            }
            self.init(signature, own: Tensor(place: 0, datatype: input.datatype, rowElements: 1))
            return
        }
        self.init(signature, own: Tensor(place: 0, datatype: input.datatype, rowElements: count))
    }

    private init(_ signature: ModelSignature, own tensor: Tensor) {
        self.signature = signature
        kinds = []
        tensors = [tensor]
        slots = []
        names = []
        slotCount = tensor.rowElements
        isOwn = true
    }

    /// The one input, where it takes all columns as a matrix.
    private static func matrix(_ signature: ModelSignature, columns: Int) -> TensorSignature? {
        guard signature.inputs.count == 1, let input = signature.inputs.first,
            input.shape?.count == 2 || columns > 1
        else { return nil }
        return input
    }

    var indices: Range<Int> { 0..<max(slotCount, 0) }

    @inline(__always)
    func slot(_ index: Int) -> Slot {
        isOwn ? Slot(name: index, tensor: 0, element: index) : slots[index]
    }

    @inline(__always)
    func kind(_ slot: Slot) -> Datatype? { kinds.isEmpty ? nil : kinds[slot.name] }

    /// The slots that each name goes to.
    var slotsOfNames: [[Int]] {
        var result = [[Int]](repeating: [], count: names.count)
        for (index, slot) in slots.enumerated() { result[slot.name].append(index) }
        return result
    }

    /// What all tensors take for one row, a text as one that is missing.
    func rowBytes(missingText: Int) -> Int {
        tensors.reduce(0) {
            let each = $1.datatype == .bytes ? 4 + missingText : $1.datatype.elementBytes
            return $0 + $1.rowElements * each
        }
    }

    var hasStrings: Bool { tensors.contains { $0.datatype == .bytes } }

    /// Adds the tensors for so many rows.
    ///
    /// - Parameter stringBytes: for each tensor of strings, what they take with their lengths.
    /// - Throws: `InferenceError.wrongShape`.
    func append(
        rows: Int, stringBytes: [Int], to target: TensorSet
    ) throws(InferenceError) -> [Int] {
        let first = target.entries.count
        let sizes = zip(tensors, stringBytes).map { tensor, strings in
            tensor.datatype == .bytes
                ? strings : rows * tensor.rowElements * tensor.datatype.elementBytes
        }
        try target.checkRoom(sizes.reduce(0, +), name: signature.inputs.first?.name ?? "")
        target.reserve(sizes.reduce(0) { $0 + $1 + TensorSet.alignment })
        for (tensor, size) in zip(tensors, sizes) {
            let shape = try shape(of: tensor, rows: rows)
            _ = target.append(
                place: tensor.place, datatype: tensor.datatype, dimensions: shape,
                elementCount: rows * tensor.rowElements, byteCount: size)
        }
        return tensors.indices.map { first + $0 }
    }

    /// - Throws: `InferenceError.wrongShape` where the model takes another number of rows or columns.
    func check(rows: Int) throws(InferenceError) {
        for tensor in tensors { _ = try shape(of: tensor, rows: rows) }
    }

    private func shape(of tensor: Tensor, rows: Int) throws(InferenceError) -> [Int64] {
        guard let input = signature.input(at: tensor.place) else {
            throw .badTable(reason: "The model takes no input.")
        }
        let isMatrix = Self.matrix(signature, columns: slotCount) != nil
        let shape =
            !isMatrix && input.shape?.count == 1
            ? [Int64(clamping: rows)]
            : [Int64(clamping: rows), Int64(clamping: tensor.rowElements)]
        guard TensorShape.matches(shape, input.shape) else {
            throw .wrongShape(input: input, given: shape)
        }
        return shape
    }
}
