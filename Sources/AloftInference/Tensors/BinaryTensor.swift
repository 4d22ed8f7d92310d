extension TensorSet {
    /// Adds a tensor whose elements came in binary: little-endian, row-major, those of BYTES each
    /// with their length before them.
    ///
    /// - Throws: `InferenceError` where the bytes are not what datatype and shape mean.
    func append(
        binary bytes: UnsafeRawBufferPointer, place: Int, datatype: Datatype, shape: [Int64],
        name: String
    ) throws(InferenceError) {
        guard let count = TensorShape.elementCount(shape) else {
            throw .wrongCount(name: name, count: nil, shape: shape)
        }
        let expected = count.multipliedReportingOverflow(by: datatype.elementBytes)
        guard
            datatype == .bytes || (expected.partialValue == bytes.count && !expected.overflow)
        else {
            throw .badBinary(
                name: name,
                reason: "it has \(bytes.count) bytes; shape \(TensorSignature.text(shape)) of "
                    + "\(datatype.name) takes "
                    + (expected.overflow
                        ? "more than any body can hold" : "\(expected.partialValue)"))
        }
        try checkRoom(bytes.count, name: name)
        if datatype == .bytes { try BinaryStrings.check(bytes, count: count, name: name) }
        if datatype == .bool, let index = bytes.firstIndex(where: { $0 > 1 }) {
            throw .badElement(name: name, index: index, datatype: datatype)
        }
        append(
            place: place, datatype: datatype, dimensions: shape, elementCount: count,
            byteCount: bytes.count
        ).copyBytes(from: bytes)
    }
}

extension TensorSignature {
    /// - Throws: `InferenceError` where a tensor of this datatype and shape is not what the model
    ///   takes here.
    func check(_ datatype: Datatype, _ shape: [Int64]) throws(InferenceError) {
        guard
            datatype == self.datatype || isOpen || (casts && datatype.mayBecome(self.datatype))
        else {
            throw .wrongDatatype(input: self, given: datatype.name)
        }
        guard
            TensorShape.matches(shape, self.shape) || (casts && isColumn && shape.count == 1)
        else {
            throw .wrongShape(input: self, given: shape)
        }
    }
}

extension ModelSignature {
    /// - Throws: `InferenceError.missingInput` where the tensors are not all that the model takes.
    func checkComplete(_ tensors: TensorSet) throws(InferenceError) {
        let entries = tensors.entries
        guard entries.count != inputs.count, wantsAll else { return }
        let places = Set(entries.map(\.place))
        for (place, input) in inputs.enumerated() where !places.contains(place) {
            throw .missingInput(input)
        }
    }
}
