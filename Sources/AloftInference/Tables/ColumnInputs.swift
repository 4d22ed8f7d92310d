import AloftDomain

/// Requests of the inference protocol that have a tensor for each column of a table, as MLServer's pandas
/// codec writes them (`"parameters": {"content_type": "pd"}`): each goes where the model has its column, cast
/// by the law of `NumberCast`.
package struct ColumnInputs: Sendable {
    private let signature: ModelSignature
    private let names: [String]
    /// The columns as inputs of any datatype and shape.
    private let open: ModelSignature
    private let layout: TableLayout
    /// What the signature says that each column is; `nil` where it is what the model is run with.
    private let kinds: [Datatype?]

    /// - Parameters:
    ///   - columns: of the table that the model was trained on, in order.
    ///   - published: the columns as the model's signature says them.
    /// - Returns: `nil` for a model that takes no table.
    package init?(
        _ signature: ModelSignature, columns: [String]?, published: [TensorSignature] = []
    ) {
        let names = columns ?? signature.inputs.map(\.name)
        guard !names.isEmpty, Set(names).count == names.count,
            columns != nil || signature.inputs.allSatisfy({ Self.isColumn($0) })
        else { return nil }
        do throws(InferenceError) {
            layout = try TableLayout(signature, names: names)
        } catch {
            return nil
        }
        self.signature = signature
        self.names = names
        kinds = names.map { name in
            published.first { $0.isColumn && $0.name.isSame(as: name) }?.datatype
        }
        open = ModelSignature(
            inputs: names.map {
                TensorSignature(name: $0, datatype: .fp64, shape: nil, isOpen: true)
            }, outputs: signature.outputs)
    }

    /// Whether an input holds one value a row.
    private static func isColumn(_ input: TensorSignature) -> Bool {
        input.shape == [-1] || input.shape == [-1, 1]
    }

    /// Reads a request that was refused as it stands.
    ///
    /// - Parameters:
    ///   - error: why it was refused; thrown again where the request is no table either.
    ///   - read: reads the request's tensors as inputs of the signature given.
    package func read(
        into request: InferenceRequest, after error: InferenceError,
        _ read: (ModelSignature, InferenceRequest) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        let namesColumn: Bool
        switch error {
        case .unknownInput(let name, _): namesColumn = names.contains(name)
        case .wrongShape, .wrongDatatype: namesColumn = false
        default: throw error
        }
        // What was read so far is let go of first.
        request.reset()
        let columns = InferenceRequest()
        columns.tensors.missingText = request.tensors.missingText
        let limit = request.tensors.limitBytes
        columns.tensors.limitBytes = limit == .max ? limit : limit / 2
        do throws(InferenceError) {
            try read(open, columns)
        } catch let other {
            throw namesColumn || Self.isTable(columns.parameters) ? other : error
        }
        guard namesColumn || Self.isTable(columns.parameters) else { throw error }
        request.take(columns)
        try fill(request.tensors, from: columns.tensors)
    }

    /// Whether the request's own parameters say that its inputs are columns.
    private static func isTable(_ parameters: [UInt8]) -> Bool {
        parameters.withUnsafeBytes { bytes in
            var cursor = JSONCursor(bytes)
            do throws(InferenceError) {
                guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
                    return false
                }
                repeat {
                    let key = try cursor.key()
                    if BytesEqual.equal(key.bytes, "content_type") {
                        return try cursor.string() == "pd"
                    }
                    try cursor.skipValue()
                } while try cursor.more(until: UInt8(ascii: "}"))
                return false
            } catch {
                return false
            }
        }
    }

    // MARK: Into the model's inputs

    private func fill(
        _ target: TensorSet, from columns: TensorSet
    ) throws(InferenceError) {
        let rows = columns.entries.first?.elementCount ?? 0
        for entry in columns.entries where entry.elementCount != rows {
            throw .badTable(
                reason: "Column \"\(name(entry.place))\" has \(entry.elementCount) values, column "
                    + "\"\(name(columns.entries.first?.place ?? 0))\" has \(rows).")
        }
        let byName = Dictionary(
            columns.entries.map { ($0.place, $0) }, uniquingKeysWith: { first, _ in first })
        var slots = layout.tensors.map { _ in [(element: Int, column: TensorSet.Entry)]() }
        var stringBytes = layout.tensors.map { _ in 0 }
        for index in layout.indices {
            let slot = layout.slot(index)
            guard let column = byName[slot.name] else {
                throw .missingInput(
                    TensorSignature(
                        name: name(slot.name), datatype: layout.tensors[slot.tensor].datatype,
                        shape: [-1]))
            }
            slots[slot.tensor].append((slot.element, column))
            stringBytes[slot.tensor] += column.byteCount
        }
        try checkRoom(target, beside: columns, rows: rows, stringBytes)
        let places = try layout.append(rows: rows, stringBytes: stringBytes, to: target)
        for (tensor, place) in places.enumerated() {
            try fill(
                target, target.entries[place], layout.tensors[tensor], columns, slots[tensor],
                rows: rows)
        }
        target.sortByPlace()
    }

    private func checkRoom(
        _ target: TensorSet, beside columns: TensorSet, rows: Int, _ stringBytes: [Int]
    ) throws(InferenceError) {
        try layout.check(rows: rows)
        var total = columns.usedBytes
        for (tensor, strings) in zip(layout.tensors, stringBytes) {
            let numbers = rows.multipliedReportingOverflow(
                by: tensor.rowElements * tensor.datatype.elementBytes)
            guard !numbers.overflow else {
                throw .tooMuch(name: name(0), limitBytes: target.limitBytes)
            }
            total += numbers.partialValue + strings
        }
        try target.checkRoom(total, name: name(0))
    }

    private func fill(
        _ target: TensorSet, _ entry: TensorSet.Entry, _ tensor: TableLayout.Tensor,
        _ columns: TensorSet, _ slots: [(element: Int, column: TensorSet.Entry)], rows: Int
    ) throws(InferenceError) {
        for (_, column) in slots {
            guard (column.datatype == .bytes) == (tensor.datatype == .bytes) else {
                throw .wrongDatatype(
                    input: TensorSignature(
                        name: name(column.place), datatype: tensor.datatype, shape: [-1]),
                    given: column.datatype.name)
            }
        }
        guard tensor.datatype != .bytes else {
            return fillTexts(target, entry, columns, slots, rows: rows)
        }
        for (element, column) in slots {
            // traps: held against the list on this line
            let said = column.place < kinds.count ? kinds[column.place] : nil
            try NumberCast(
                name: name(column.place), from: column.datatype, as: said ?? tensor.datatype,
                to: tensor.datatype
            ).copy(
                columns.bytes(column), start: 0, stride: 1, to: target.memory(of: entry),
                start: element, stride: tensor.rowElements, count: rows)
        }
    }

    /// Texts of several columns, row by row.
    private func fillTexts(
        _ target: TensorSet, _ entry: TensorSet.Entry, _ columns: TensorSet,
        _ slots: [(element: Int, column: TensorSet.Entry)], rows: Int
    ) {
        var memory = target.memory(of: entry)
        let slots = slots.sorted { $0.element < $1.element }
        var offsets = slots.map { _ in 0 }
        // traps: a number of values, which is not negative
        for _ in 0..<rows {
            for (index, (_, column)) in slots.enumerated() {
                let bytes = columns.bytes(column)
                // traps: the reader wrote each text with its length before it
                let count = 4 + BinaryStrings.length(bytes, at: offsets[index])
                memory.copyBytes(
                    from: UnsafeRawBufferPointer(
                        // traps: as above
                        rebasing: bytes[offsets[index]..<offsets[index] + count]))
                offsets[index] += count
                memory += count
            }
        }
    }

    private func name(_ place: Int) -> String {
        // traps: held against the list on this line
        place >= 0 && place < names.count ? names[place] : ""
    }
}

extension InferenceRequest {
    /// Takes over what another request says beside its tensors; its own are forgotten.
    fileprivate func take(_ other: InferenceRequest) {
        reset()
        wantedOutputs = other.wantedOutputs
        requestID = other.requestID
        parameters = other.parameters
        saysMore = true
        timeoutMicroseconds = other.timeoutMicroseconds
        binaryOutputs = other.binaryOutputs
    }
}
