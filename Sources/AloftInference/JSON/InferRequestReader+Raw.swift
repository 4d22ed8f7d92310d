// Triton's raw binary requests: no JSON at all, the body is the one input's elements.

extension InferRequestReader {
    /// Reads a body that is nothing but the elements of the model's one input. All outputs are answered in
    /// binary. A text is one element, without its length before it.
    static func readRaw(
        _ body: UnsafeRawBufferPointer, signature: ModelSignature, into request: InferenceRequest
    ) throws(InferenceError) {
        guard signature.inputs.count == 1, let input = signature.inputs.first else {
            throw .badBinary(
                name: signature.inputs.first?.name ?? "*",
                reason:
                    "a request without JSON (Inference-Header-Content-Length: 0) is for models of "
                    + "one input, and this one has \(signature.inputs.count)")
        }
        let shape = try rawShape(of: input, byteCount: body.count)
        if input.datatype == .bytes {
            guard TensorShape.elementCount(shape) == 1 else {
                throw .badBinary(
                    name: input.name,
                    reason: "a request without JSON holds one text; the shape "
                        + "\(TensorSignature.text(shape)) means another number")
            }
            try request.tensors.checkRoom(body.count + 4, name: input.name)
            request.tensors.append(
                place: 0, dimensions: shape, strings: [UnsafeRawBufferPointer(body)])
        } else {
            try request.tensors.append(
                binary: body, place: 0, datatype: input.datatype, shape: shape, name: input.name)
        }
        for place in signature.outputs.indices {
            request.wantedOutputs.append(Int32(truncatingIfNeeded: place))
        }
        request.binaryOutputs = .max
    }

    /// The model's shape, its one open dimension from the number of bytes. Of several the first is one row.
    private static func rawShape(
        of input: TensorSignature, byteCount: Int
    ) throws(InferenceError) -> [Int64] {
        let size = max(input.datatype.elementBytes, 1)
        let declared = input.shape ?? [-1]
        var shape = declared.map(Int64.init)
        guard input.datatype != .bytes else { return shape.map { $0 < 0 ? 1 : $0 } }
        var open = shape.indices.filter { shape[$0] < 0 }
        if open.count > 1, open.first == 0 {
            shape[0] = 1
            open = Array(open.dropFirst())
        }
        guard open.count <= 1 else {
            throw .badBinary(
                name: input.name,
                reason: "its shape \(TensorSignature.text(declared)) leaves open what \(byteCount) "
                    + "bytes mean: send the shape in JSON")
        }
        guard let place = open.first else { return shape }
        shape[place] = 1
        guard let row = TensorShape.elementCount(shape), row > 0, byteCount % size == 0,
            (byteCount / size) % row == 0
        else {
            throw .badBinary(
                name: input.name,
                reason:
                    "\(byteCount) bytes are no whole number of \(input.datatype.name) tensors of "
                    + "the shape \(TensorSignature.text(declared))")
        }
        shape[place] = Int64(clamping: byteCount / size / row)
        return shape
    }
}
