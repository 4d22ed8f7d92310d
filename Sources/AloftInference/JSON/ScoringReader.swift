/// Reads the body of an MLflow scoring request into a model's inputs: `dataframe_split`,
/// `dataframe_records`, `instances`, `inputs`, or CSV.
package struct ScoringReader {
    private let signature: ModelSignature
    private let request: InferenceRequest
    private let tables: TableReader

    /// - Parameter columns: the columns of the table that the model was trained on, in order.
    package static func read(
        _ body: UnsafeRawBufferPointer, isCSV: Bool, signature: ModelSignature, columns: [String]?,
        kinds: [Datatype?] = [], into request: InferenceRequest
    ) throws(InferenceError) {
        _ = try form(
            body, isCSV: isCSV, signature: signature, columns: columns, kinds: kinds, into: request)
    }

    /// The same.
    ///
    /// - Parameter kinds: what the model's signature says of those columns, or of its inputs where those
    ///   are the columns; `nil` for one that is what the model is run with. Empty where all are.
    /// - Returns: whether the body is a table, which `instances` and `inputs` are not.
    package static func form(
        _ body: UnsafeRawBufferPointer, isCSV: Bool, signature: ModelSignature, columns: [String]?,
        kinds: [Datatype?] = [], into request: InferenceRequest
    ) throws(InferenceError) -> Bool {
        request.reset()
        var isTable = isCSV
        let reader = Self(
            signature: signature, request: request,
            tables: TableReader(
                signature: signature, order: columns, kinds: kinds, request: request, body: body))
        if isCSV {
            try reader.tables.csv()
        } else {
            var cursor = JSONCursor(body, from: CSVCursor.start(of: body))
            isTable = try reader.body(&cursor)
        }
        try signature.checkComplete(request.tensors)
        request.tensors.sortByPlace()
        return isTable
    }

    private static let forms = ["dataframe_split", "dataframe_records", "instances", "inputs"]

    /// - Returns: whether it is a table.
    private func body(_ cursor: inout JSONCursor) throws(InferenceError) -> Bool {
        var form: String?
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw noForm
        }
        repeat {
            let raw = try cursor.key()
            guard let key = Self.forms.first(where: { ModelSignature.equal($0, raw.bytes) }) else {
                try other(raw, &cursor)
                continue
            }
            guard form != key else { throw .repeatedMember(name: key) }
            guard form == nil else {
                throw .badTable(reason: "The body has both \"\(form ?? "")\" and \"\(key)\".")
            }
            form = key
            switch key {
            case "dataframe_split": try tables.split(&cursor)
            case "dataframe_records": try tables.records(&cursor)
            default: try tensors(&cursor)
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        try cursor.expectEnd()
        guard let form else { throw noForm }
        return form == "dataframe_split" || form == "dataframe_records"
    }

    private func other(
        _ key: JSONCursor.RawString, _ cursor: inout JSONCursor
    ) throws(InferenceError) {
        _ = cursor.peek()
        let start = cursor.position
        try cursor.skipValue()
        guard BytesEqual.equal(key.bytes, "params") else { return }
        guard request.parameters.isEmpty else { throw .repeatedMember(name: "params") }
        request.parameters = Array(cursor.slice(from: start, to: cursor.position))
    }

    private var noForm: InferenceError {
        .badTable(
            reason: "The body has none of \"dataframe_split\", \"dataframe_records\", "
                + "\"instances\" and \"inputs\".")
    }

    // MARK: Tensors

    /// `instances` or `inputs`: nested arrays for a model of one input, an object of them by name, or
    /// a list of records.
    private func tensors(_ cursor: inout JSONCursor) throws(InferenceError) {
        if cursor.peek() == UInt8(ascii: "{") {
            if try tables.isByColumn(cursor) { return try tables.byColumn(&cursor) }
            guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
            request.tensors.reserve(
                jsonBytes: cursor.end - cursor.position, inputs: signature.inputs.count)
            repeat {
                let raw = try cursor.key()
                guard let place = signature.inputPlace(raw.bytes, hint: 0) else {
                    let name = String(decoding: raw.bytes.prefix(400), as: UTF8.self)
                    throw .unknownInput(name: name, known: signature.inputs.map(\.name))
                }
                guard !request.tensors.entries.contains(where: { $0.place == place }) else {
                    // traps: this signature itself gave the place
                    throw .repeatedInput(name: signature.inputs[place].name)
                }
                try tensor(&cursor, place: place)
            } while try cursor.more(until: UInt8(ascii: "}"))
            return
        }
        var probe = cursor
        try probe.expect(UInt8(ascii: "["))
        if probe.peek() == UInt8(ascii: "{") { return try tables.records(&cursor) }
        guard signature.inputs.count == 1 else { return try tables.bareRows(&cursor) }
        request.tensors.reserve(jsonBytes: cursor.end - cursor.position, inputs: 1)
        try tensor(&cursor, place: 0)
    }

    /// Nested arrays whose shape is what they show: the first element at each level says how many.
    private func tensor(_ cursor: inout JSONCursor, place: Int) throws(InferenceError) {
        guard let input = signature.input(at: place) else { return }
        var shape: [Int64] = []
        var probe = cursor
        while probe.peek() == UInt8(ascii: "["), shape.count < 8 {
            var count: Int64 = 0
            var counter = probe
            if try counter.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) {
                repeat {
                    try counter.skipValue()
                    count += 1
                } while try counter.more(until: UInt8(ascii: "]"))
            }
            shape.append(count)
            try probe.expect(UInt8(ascii: "["))
        }
        guard TensorShape.matches(shape, input.shape) else {
            throw .wrongShape(input: input, given: shape)
        }
        let reader = TensorDataReader(
            name: input.name, datatype: input.datatype, shape: shape, place: place,
            tensors: request.tensors, isLoose: true)
        try reader.read(&cursor)
    }
}

extension TensorSet {
    /// Room for tensors that are written as JSON of so many bytes: each element takes at least two there,
    /// eight here. What is not used is never touched. Small ones grow as they come.
    func reserve(jsonBytes: Int, binaryBytes: Int = 0, inputs: Int) {
        guard jsonBytes + binaryBytes > 64 << 10 else { return }
        reserve(4 * jsonBytes + binaryBytes + (inputs + 1) * (Self.alignment + 8))
    }
}
