extension InferenceRequest {
    /// One row of zeros, or empty strings, for a model that has no example.
    package func fillWithZeros(_ signature: ModelSignature) {
        reset()
        for (place, input) in signature.inputs.enumerated() {
            let shape = (input.shape ?? [1]).map { Int64(clamping: max($0, 1)) }
            let count = min(TensorShape.elementCount(shape) ?? 1, 1 << 28)
            if input.datatype == .bytes {
                tensors.append(
                    place: place, dimensions: shape,
                    // traps: a count of elements, held by min above
                    strings: [[UInt8]](repeating: [], count: count))
            } else {
                let byteCount = count * input.datatype.elementBytes
                tensors.append(
                    place: place, datatype: input.datatype, dimensions: shape,
                    elementCount: count, byteCount: byteCount
                        // traps: the room that was just made
                ).initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
            }
        }
        wantedOutputs = signature.outputs.indices.map(Int32.init)
    }

    /// The first row of each tensor whose first dimension varies; the request itself where there is
    /// none or rows cannot be told apart.
    package func firstRow(_ signature: ModelSignature) -> InferenceRequest {
        rows(1, signature) ?? self
    }

    /// The first row twice; `nil` where the model does not take rows.
    package func repeatedRow(_ signature: ModelSignature) -> InferenceRequest? {
        rows(2, signature)
    }

    private func rows(_ copies: Int, _ signature: ModelSignature) -> InferenceRequest? {
        let result = InferenceRequest()
        result.wantedOutputs = wantedOutputs
        let rowCount = tensors.rowCount
        for entry in tensors.entries {
            guard signature.input(at: entry.place)?.shape?.first == -1, entry.rank > 0,
                rowCount > 0,
                tensors.shape(entry).first == Int64(rowCount)
            else { return nil }
            let shape = [Int64(clamping: copies)] + tensors.shape(entry).dropFirst()
            let count = entry.elementCount / rowCount
            if entry.datatype == .bytes {
                guard let strings = tensors.strings(entry)?.prefix(count) else { return nil }
                result.tensors.append(
                    place: entry.place, dimensions: shape,
                    // traps: one or two
                    strings: (0..<copies).flatMap { _ in Array(strings) })
            } else {
                let row = UnsafeRawBufferPointer(
                    rebasing: tensors.bytes(entry)[..<(entry.byteCount / rowCount)])
                var target = result.tensors.append(
                    place: entry.place, datatype: entry.datatype, dimensions: shape,
                    elementCount: count * copies, byteCount: row.count * copies)
                // traps: one or two
                for _ in 0..<copies {
                    target.copyBytes(from: row)
                    target += row.count
                }
            }
        }
        return result
    }
}
