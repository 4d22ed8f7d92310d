extension InputContract {
    /// Makes the model's own inputs of what was sent in `forms`.
    ///
    /// - Throws: `InferenceError`; the request then holds nothing of use.
    package func cast(_ request: InferenceRequest) throws(InferenceError) {
        let sent = request.tensors
        let made = TensorSet()
        made.reserve(try room(for: sent))
        var places = [Int?](repeating: nil, count: forms.inputs.count)
        for (index, entry) in sent.entries.enumerated() where entry.place < places.count {
            places[entry.place] = index
        }
        var used = 0
        for (place, input) in own.inputs.enumerated() {
            used += try fill(place, input, places, sent, made)
        }
        // A table in one tensor makes up all inputs, and was counted with each.
        let isTable = sources.indices.contains { sources[$0] == .table && places[$0] != nil }
        guard used == (isTable ? own.inputs.count : sent.entries.count),
            !isTable || sent.entries.count == 1
        else { throw surplus(sent) }
        sent.exchange(with: made)
    }

    /// What the model's own inputs take, as much as a table may (`TableLayout`).
    private func room(for sent: TensorSet) throws(InferenceError) -> Int {
        let widest = own.inputs.map(\.datatype.elementBytes).max() ?? 0
        var bytes = 0
        for entry in sent.entries { bytes += max(entry.elementCount * widest, entry.byteCount) }
        let limit = 6 * sent.usedBytes + (512 << 10)
        guard bytes <= limit else {
            throw .tooMuch(name: own.inputs.first?.name ?? "", limitBytes: limit)
        }
        return bytes
    }

    /// - Returns: how many of the sent tensors it was made of.
    private func fill(
        _ place: Int, _ input: TensorSignature, _ places: [Int?], _ sent: TensorSet,
        _ made: TensorSet
    ) throws(InferenceError) -> Int {
        var parts: [(form: Int, column: Int)] = []
        for (form, source) in sources.enumerated() where places[form] != nil {
            switch source {
            case .whole(let target) where target == place:
                return try whole(form, places, input, place, sent, made)
            case .table: return try tableColumn(form, places, input, place, sent, made)
            case .column(let column): parts.append((form, column))
            case .whole: break
            }
        }
        let isMatrix = sources.contains(.column(0))
        guard isMatrix, !parts.isEmpty else { throw missing(place, input) }
        for (form, source) in sources.enumerated() where places[form] == nil {
            if case .column = source { throw .missingInput(forms.inputs[form]) }
        }
        try matrix(parts, places, input, place, sent, made)
        return parts.count
    }

    private func entry(_ form: Int, _ places: [Int?], _ sent: TensorSet) -> TensorSet.Entry? {
        guard form < places.count, let index = places[form], index < sent.entries.count else {
            return nil
        }
        // traps: held against the list above
        return sent.entries[index]
    }

    /// The input as it is called by who has not seen how the model is run.
    private func missing(_ place: Int, _ input: TensorSignature) -> InferenceError {
        let form = sources.indices.first { sources[$0] == .whole(place: place) }
        return .missingInput(form.map { forms.inputs[$0] } ?? input)
    }

    private func surplus(_ sent: TensorSet) -> InferenceError {
        let names = sent.entries.compactMap { forms.input(at: $0.place)?.name }
        return .badTable(
            reason: "The request says the same twice: its inputs are "
                + names.prefix(20).map { "\"\($0)\"" }.joined(separator: ", ")
                + ". Send the table in one tensor or its columns, not both.")
    }

    private func whole(
        _ form: Int, _ places: [Int?], _ input: TensorSignature, _ place: Int, _ sent: TensorSet,
        _ made: TensorSet
    ) throws(InferenceError) -> Int {
        guard let entry = entry(form, places, sent) else { return 0 }
        var shape = Array(sent.shape(entry))
        if shape.count == 1, input.isColumn { shape.append(1) }
        let isText = entry.datatype == .bytes
        let target = made.append(
            place: place, datatype: input.datatype, dimensions: shape,
            elementCount: entry.elementCount,
            byteCount: isText
                ? entry.byteCount : entry.elementCount * input.datatype.elementBytes)
        guard !isText else {
            target.copyBytes(from: sent.bytes(entry))
            return 1
        }
        let kinds = kinds[form]
        for (column, kind) in kinds.enumerated() {
            try NumberCast(
                name: forms.inputs[form].name, from: entry.datatype, as: kind, to: input.datatype
            ).copy(
                sent.bytes(entry), start: column, stride: kinds.count, to: target, start: column,
                stride: kinds.count, count: rows(entry.elementCount, kinds.count))
        }
        return 1
    }

    private func rows(_ count: Int, _ width: Int) -> Int { width == 0 ? 0 : count / width }

    private func tableColumn(
        _ form: Int, _ places: [Int?], _ input: TensorSignature, _ place: Int, _ sent: TensorSet,
        _ made: TensorSet
    ) throws(InferenceError) -> Int {
        let kinds = kinds[form]
        guard let entry = entry(form, places, sent), place < kinds.count else { return 0 }
        let count = rows(entry.elementCount, kinds.count)
        let target = made.append(
            place: place, datatype: input.datatype, dimensions: [Int64(clamping: count), 1],
            elementCount: count, byteCount: count * input.datatype.elementBytes)
        try NumberCast(
            name: forms.inputs[form].name, from: entry.datatype, as: kinds[place],
            to: input.datatype
        ).copy(
            sent.bytes(entry), start: place, stride: kinds.count, to: target, start: 0, stride: 1,
            count: count)
        return 1
    }

    private func matrix(
        _ parts: [(form: Int, column: Int)], _ places: [Int?], _ input: TensorSignature,
        _ place: Int, _ sent: TensorSet, _ made: TensorSet
    ) throws(InferenceError) {
        let width = parts.count
        guard let first = entry(parts[0].form, places, sent) else { return }
        let count = first.elementCount
        // All of them first: what is made is as large as what was sent.
        for (form, _) in parts {
            let found = entry(form, places, sent)?.elementCount ?? 0
            guard found == count else {
                throw .badTable(
                    reason:
                        "Input \"\(forms.inputs[form].name)\" has \(found) rows, the ones before "
                        + "\(count).")
            }
        }
        let target = made.append(
            place: place, datatype: input.datatype,
            dimensions: [Int64(clamping: count), Int64(clamping: width)],
            elementCount: count * width, byteCount: count * width * input.datatype.elementBytes)
        for (form, column) in parts {
            guard let entry = entry(form, places, sent) else { continue }
            try NumberCast(
                name: forms.inputs[form].name, from: entry.datatype, as: kinds[form][0],
                to: input.datatype
            ).copy(
                sent.bytes(entry), start: 0, stride: 1, to: target, start: column, stride: width,
                count: count)
        }
    }
}
