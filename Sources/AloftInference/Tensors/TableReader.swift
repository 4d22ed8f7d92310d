/// One value of a table.
package enum TableCell: Sendable, Equatable {
    case missing
    case number(Double)
    case whole(Int64)
    case boolean(Bool)
    case text(String)
    /// From CSV: a number if the column is one.
    case written(String)
}

/// Rows under named columns, as MLflow scoring sends them.
package struct ScoringTable: Sendable, Equatable {
    package var columns: [String]
    package var rows: [[TableCell]]

    package init(columns: [String], rows: [[TableCell]]) {
        self.columns = columns
        self.rows = rows
    }
}

extension ScoringTable {
    /// Puts the table into the model's inputs: one matrix of all columns, or an input for each.
    ///
    /// - Parameter order: the columns as the model was trained on them; `nil` takes the table's own
    ///   for one matrix, and the names of the inputs otherwise.
    package func fill(
        _ request: InferenceRequest, signature: ModelSignature, order: [String]?
    ) throws(InferenceError) {
        let names = order ?? (signature.inputs.count > 1 ? signature.inputs.map(\.name) : columns)
        let places = try self.places(of: names)
        if signature.inputs.count == 1, let input = signature.inputs.first,
            input.shape?.count == 2 || names.count > 1
        {
            let shape = [Int64(rows.count), Int64(names.count)]
            guard TensorShape.matches(shape, input.shape) else {
                throw .wrongShape(input: input, given: shape)
            }
            try append(input, place: 0, shape: shape, columns: places, names: names, request)
        } else {
            try fillEach(request, signature, names: names, places: places)
        }
    }

    private func fillEach(
        _ request: InferenceRequest, _ signature: ModelSignature, names: [String], places: [Int]
    ) throws(InferenceError) {
        for (place, input) in signature.inputs.enumerated() {
            // Inputs named as columns, else in the order of the columns.
            guard
                let index = names.firstIndex(of: input.name)
                    ?? (names.count == signature.inputs.count ? place : nil)
            else { throw .missingInput(input) }
            let shape: [Int64] =
                input.shape?.count == 1 ? [Int64(rows.count)] : [Int64(rows.count), 1]
            guard TensorShape.matches(shape, input.shape) else {
                throw .wrongShape(input: input, given: shape)
            }
            try append(
                input, place: place, shape: shape, columns: [places[index]], names: [names[index]],
                request)
        }
    }

    private func places(of names: [String]) throws(InferenceError) -> [Int] {
        let known = Dictionary(
            columns.enumerated().map { ($0.element, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        let missing = names.filter { known[$0] == nil }
        guard missing.isEmpty else {
            let list = missing.prefix(10).map { "\"\($0)\"" }.joined(separator: ", ")
            throw .badTable(
                reason: "The table lacks \(missing.count == 1 ? "the column" : "columns") \(list)"
                    + "\(missing.count > 10 ? ", …" : ""). The model takes "
                    + "\(names.prefix(40).map { "\"\($0)\"" }.joined(separator: ", ")).")
        }
        return names.compactMap { known[$0] }
    }

    private func append(
        _ input: TensorSignature, place: Int, shape: [Int64], columns: [Int], names: [String],
        _ request: InferenceRequest
    ) throws(InferenceError) {
        guard input.datatype != .bytes else {
            var strings: [[UInt8]] = []
            let missing = request.tensors.missingText
            for (index, row) in rows.enumerated() {
                for (column, name) in zip(columns, names) {
                    if let missing, row[column].isMissingText {
                        strings.append(missing)
                        continue
                    }
                    guard case .text(let text) = row[column].asText else {
                        throw Self.bad(name, index, input.datatype)
                    }
                    strings.append(Array(text.utf8))
                }
            }
            return request.tensors.append(place: place, dimensions: shape, strings: strings)
        }
        let size = input.datatype.elementBytes
        let count = rows.count * columns.count
        var target = request.tensors.append(
            place: place, datatype: input.datatype, dimensions: shape, elementCount: count,
            byteCount: count * size)
        for (index, row) in rows.enumerated() {
            for (column, name) in zip(columns, names) {
                guard row[column].store(as: input.datatype, at: target) else {
                    throw Self.bad(name, index, input.datatype)
                }
                target += size
            }
        }
    }

    private static func bad(
        _ column: String, _ row: Int, _ datatype: Datatype
    ) -> InferenceError {
        .badTable(
            reason:
                "Column \"\(column)\", row \(row): the value is not \(datatype.name), which the "
                + "model takes there.")
    }
}

extension TableCell {
    /// Nothing between two commas of a CSV file says that a value is missing, as in MLflow.
    fileprivate var isMissingText: Bool { self == .missing || self == .written("") }

    fileprivate var asText: TableCell {
        switch self {
        case .written(let text): .text(text)
        case .missing: .text("")
        case .number, .whole, .boolean, .text: self
        }
    }

    private var number: Double? {
        switch self {
        case .missing: .nan
        case .number(let value): value
        case .whole(let value): Double(value)
        case .boolean(let value): value ? 1 : 0
        case .text: nil
        case .written(let text):
            switch text.lowercased() {
            case "", "na", "null", "none": .nan
            case "true": 1
            case "false": 0
            default: Double(text)
            }
        }
    }

    private var whole: Int64? {
        switch self {
        case .whole(let value): value
        case .written(let text): Int64(text) ?? number.flatMap { Int64(exactly: $0) }
        case .missing, .text: nil
        case .number, .boolean: number.flatMap { Int64(exactly: $0) }
        }
    }

    /// Writes the value as one element; false where it is none of this type.
    fileprivate func store(as datatype: Datatype, at target: UnsafeMutableRawPointer) -> Bool {
        func put<Element: BitwiseCopyable>(_ element: Element?) -> Bool {
            guard let element else { return false }
            target.storeBytes(of: element, as: Element.self)
            return true
        }
        switch datatype {
        case .fp32: return put(number.map { Float($0) })
        case .fp64: return put(number)
        case .fp16: return put(number.map { Float16($0).bitPattern })
        case .bf16: return put(number.map { BrainBits($0).bits })
        case .bool: return put(whole.flatMap { $0 == 0 || $0 == 1 ? UInt8($0) : nil })
        case .int8: return put(whole.flatMap { Int8(exactly: $0) })
        case .int16: return put(whole.flatMap { Int16(exactly: $0) })
        case .int32: return put(whole.flatMap { Int32(exactly: $0) })
        case .int64: return put(whole)
        case .uint8: return put(whole.flatMap { UInt8(exactly: $0) })
        case .uint16: return put(whole.flatMap { UInt16(exactly: $0) })
        case .uint32: return put(whole.flatMap { UInt32(exactly: $0) })
        case .uint64: return put(whole.flatMap { UInt64(exactly: $0) })
        case .bytes: return false
        }
    }
}
