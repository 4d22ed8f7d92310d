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

    /// A row that differs from the first in its numbers: other real numbers, other small whole ones; texts
    /// stay. `nil` where the model does not take rows.
    package func changedRow(_ signature: ModelSignature) -> InferenceRequest? {
        guard let result = rows(1, signature) else { return nil }
        for entry in result.tensors.entries {
            let memory = result.tensors.memory(of: entry)
            func change<Number: BitwiseCopyable>(_: Number.Type, _ next: (Number) -> Number) {
                // traps: a count of elements
                for index in 0..<entry.elementCount {
                    let offset = index * MemoryLayout<Number>.stride
                    let value = memory.loadUnaligned(fromByteOffset: offset, as: Number.self)
                    memory.storeBytes(of: next(value), toByteOffset: offset, as: Number.self)
                }
            }
            switch entry.datatype {
            case .fp32: change(Float.self) { $0 * 0.75 + 0.5 }
            case .fp64: change(Double.self) { $0 * 0.75 + 0.5 }
            // One and zero change places, and whatever else there is stays near.
            case .bool, .int8, .uint8: change(UInt8.self) { $0 ^ 1 }
            case .int16, .uint16: change(UInt16.self) { $0 ^ 1 }
            case .int32, .uint32: change(UInt32.self) { $0 ^ 1 }
            case .int64, .uint64: change(UInt64.self) { $0 ^ 1 }
            case .fp16, .bf16, .bytes: break
            }
        }
        return result
    }

    /// This first row and then that of another request; `nil` where they are not alike.
    package func followed(
        by other: InferenceRequest, _ signature: ModelSignature
    ) -> InferenceRequest? {
        guard let result = rows(2, signature),
            result.tensors.entries.count == other.tensors.entries.count
        else { return nil }
        for (entry, row) in zip(result.tensors.entries, other.tensors.entries)
        where entry.datatype != .bytes {
            guard entry.byteCount == 2 * row.byteCount else { return nil }
            (result.tensors.memory(of: entry) + row.byteCount).copyBytes(
                from: other.tensors.bytes(row))
        }
        return result
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
