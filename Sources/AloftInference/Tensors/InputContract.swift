package import AloftDomain

/// What clients may send to a model, however it is run: the inputs that its signature names, in any
/// datatype that holds the same values, and a table of numbers also in one tensor. What runs the model
/// may want the same otherwise (one matrix of FP32 for thirty columns of FP64), so what was sent is cast.
///
/// A request that comes as the model itself takes it is read without this; see `LoadedRevision.read`.
package struct InputContract: Sendable {
    /// How one of `forms` goes into the model's own inputs.
    enum Source: Sendable, Hashable {
        /// It is the input at this place.
        case whole(place: Int)
        /// It is this column of the one input, a matrix.
        case column(Int)
        /// It is all inputs, a column each.
        case table
    }

    /// What models say that they take.
    package let published: [TensorSignature]
    /// Everything that may be sent, of which a request holds what makes up the model's inputs once.
    package let forms: ModelSignature
    let sources: [Source]
    /// The signature's datatypes of what each form holds: one, or one a column.
    let kinds: [[Datatype]]
    let own: ModelSignature

    /// The name of a table in one tensor, where columns have inputs of their own.
    static let tableName = "input"

    /// `nil` where nothing but what the model itself takes can be told.
    package init?(_ manifest: ServableManifest, own: ModelSignature) {
        self.own = own
        var made = Forms()
        let said = manifest.publicInputs.flatMap { try? ModelSignature.signatures($0) }
        if let columns = Self.columns(of: own, said, manifest.columns) {
            published = said ?? own.inputs
            for (place, column) in columns.enumerated() {
                made.add(column, .column(place), [column.datatype])
            }
            made.add(own.inputs[0], .whole(place: 0), columns.map(\.datatype))
        } else if let said, said.count == own.inputs.count, said.count == 1 {
            published = said
            let datatype = said[0].datatype
            made.add(said[0], .whole(place: 0), [datatype])
            made.add(
                TensorSignature(
                    name: own.inputs[0].name, datatype: datatype, shape: own.inputs[0].shape),
                .whole(place: 0), [datatype])
        } else {
            let named = own.inputs.map { input in
                (said ?? []).first { $0.name.isSame(as: input.name) }
            }
            let isWhole = said != nil && named.allSatisfy { $0 != nil }
            published = isWhole ? said ?? own.inputs : own.inputs
            for (place, (input, saying)) in zip(own.inputs, named).enumerated() {
                let kind = isWhole ? saying?.datatype ?? input.datatype : input.datatype
                made.add(
                    TensorSignature(name: input.name, datatype: kind, shape: input.shape),
                    .whole(place: place), [kind])
            }
        }
        if published.count == own.inputs.count, made.inputs.count >= published.count,
            !published.isEmpty, published.allSatisfy({ $0.isColumn && $0.datatype.isNumber }),
            own.inputs.allSatisfy(\.isColumn)
        {
            let kinds = own.inputs.indices.map { made.kinds[$0][0] }
            made.add(
                TensorSignature(
                    name: Self.tableName, datatype: .fp64, shape: [-1, published.count]),
                .table, kinds)
        }
        guard !made.inputs.isEmpty, !made.hasTwins else { return nil }
        forms = ModelSignature(forms: made.inputs, outputs: own.outputs)
        sources = made.sources
        kinds = made.kinds
    }

    private struct Forms {
        var inputs: [TensorSignature] = []
        var sources: [Source] = []
        var kinds: [[Datatype]] = []
        /// Whether two columns have one name.
        var hasTwins = false

        /// A name that is taken already stands for what came first.
        mutating func add(_ input: TensorSignature, _ source: Source, _ kinds: [Datatype]) {
            guard !inputs.contains(where: { $0.name.isSame(as: input.name) }) else {
                if case .column = source { hasTwins = true }
                return
            }
            inputs.append(
                TensorSignature(
                    name: input.name, datatype: input.datatype, shape: input.shape, casts: true))
            sources.append(source)
            self.kinds.append(kinds)
        }
    }

    /// The columns that the one matrix of a model is made of; `nil` where it is none.
    private static func columns(
        of own: ModelSignature, _ said: [TensorSignature]?, _ names: [String]?
    ) -> [TensorSignature]? {
        guard own.inputs.count == 1, let matrix = own.inputs.first, matrix.datatype.isNumber,
            let shape = matrix.shape, shape.count == 2, shape[1] >= 1
        else { return nil }
        if let said {
            let isTable =
                said.count == shape[1]
                && said.allSatisfy { $0.isColumn && $0.datatype.isNumber }
            return isTable && !isAlone(matrix, said.map(\.name)) ? said : nil
        }
        guard let names, names.count == shape[1], !isAlone(matrix, names) else { return nil }
        return names.map {
            TensorSignature(name: $0, datatype: matrix.datatype, shape: [-1, 1])
        }
    }

    /// Whether the one column is called as the matrix is.
    private static func isAlone(_ matrix: TensorSignature, _ names: [String]) -> Bool {
        names.count == 1 && names.allSatisfy { $0.isSame(as: matrix.name) }
    }
}

extension TensorSignature {
    /// Whether it is one column of a table.
    var isColumn: Bool { shape == [-1, 1] }
}

extension InferenceError {
    /// Whether the request might be read in another form that the model's contract has.
    package var isOfForm: Bool {
        switch self {
        case .wrongDatatype, .unknownInput, .wrongShape, .missingInput: true
        default: false
        }
    }
}
