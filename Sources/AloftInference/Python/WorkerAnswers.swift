import AloftDomain

/// What a worker's message says, as the reply to a request.
enum WorkerAnswers {
    /// - Parameter payload: behind the message's header.
    static func read(
        _ message: WorkerFrames.Message, payload: [UInt8], request: InferenceRequest,
        signature: ModelSignature, into target: TensorSet
    ) throws(InferenceError) {
        if let failure = message.error { throw failure.error }
        guard request.document == nil else {
            // traps: one document was asked, and there is a first of so many
            guard let documents = message.documents, documents.count == 1 else {
                throw .workerFailed(reason: "it gave no answer to a scoring request")
            }
            return try read(documents, 0, payload: payload, into: target)
        }
        guard case .values(let outputs)? = message.outputs else {
            throw .workerFailed(reason: "it gave no outputs")
        }
        try read(outputs, payload: payload, request: request, signature: signature, into: target)
    }

    /// The answer to one of several bodies of MLflow scoring.
    static func read(
        _ documents: [WorkerFrames.DocumentHeader], _ place: Int, payload: [UInt8],
        into target: TensorSet
    ) throws(InferenceError) {
        target.reset()
        var start = 0
        for (index, document) in documents.enumerated() {
            let length = document.length ?? 0
            guard length >= 0, length <= payload.count - start else { break }
            guard index == place else {
                start += length
                continue
            }
            if let failure = document.error { throw failure.error }
            target.document =
                documents.count == 1 && length == payload.count
                ? payload : Array(payload[start..<start + length])
            return
        }
        throw .workerFailed(reason: "its answer to a scoring request is malformed")
    }

    // MARK: Tensors

    private typealias Output = (header: WorkerFrames.TensorHeader, datatype: Datatype, place: Int)

    /// Puts the wanted outputs of a reply into `target`, in order: all that the model gave, where the
    /// request names none.
    private static func read(
        _ outputs: [WorkerFrames.TensorHeader], payload: [UInt8], request: InferenceRequest,
        signature: ModelSignature, into target: TensorSet
    ) throws(InferenceError) {
        target.reset()
        var isOwn = false
        var chosen: [Output] = []
        for header in try wanted(outputs, request, signature) {
            guard let datatype = Datatype(name: header.datatype) else {
                throw malformed(header)
            }
            let place = signature.outputPlace(header.name)
            let said = place.flatMap { signature.output(at: $0) }
            isOwn = isOwn || said?.datatype != datatype
            chosen.append((header, datatype, place ?? 0))
        }
        // Together they are no more than what came: none may be told of the same bytes twice.
        var room = payload.count
        for output in chosen {
            guard output.header.length <= room else { throw malformed(output.header) }
            room -= max(0, output.header.length)
            try append(output, payload, to: target)
        }
        if isOwn { target.ownNames = chosen.map(\.header.name) }
    }

    private static func wanted(
        _ outputs: [WorkerFrames.TensorHeader], _ request: InferenceRequest,
        _ signature: ModelSignature
    ) throws(InferenceError) -> [WorkerFrames.TensorHeader] {
        var names = request.wantedNames
        if names.isEmpty {
            let places = request.wantedOutputs.map { Int(truncatingIfNeeded: $0) }
            // Which the reader writes down where none is named.
            if places == Array(signature.outputs.indices) { return outputs }
            names = places.compactMap { signature.output(at: $0)?.name }
        }
        var found: [WorkerFrames.TensorHeader] = []
        for name in names {
            guard let output = outputs.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
            else {
                throw .unknownOutput(name: name, known: outputs.map(\.name))
            }
            found.append(output)
        }
        return found
    }

    private static func malformed(_ header: WorkerFrames.TensorHeader) -> InferenceError {
        .workerFailed(reason: "its output \"\(header.name.prefix(200))\" is malformed")
    }

    private static func append(
        _ output: Output, _ payload: [UInt8], to target: TensorSet
    ) throws(InferenceError) {
        let header = output.header
        guard header.offset >= 0, header.length >= 0, header.offset <= payload.count,
            header.length <= payload.count - header.offset, header.shape.count <= 8,
            let count = TensorShape.elementCount(header.shape),
            output.datatype == .bytes
                || count.multipliedReportingOverflow(by: output.datatype.elementBytes)
                    == (header.length, false)
        else { throw malformed(header) }
        let end = header.offset + header.length
        let isWhole = payload.withUnsafeBytes { bytes in
            let elements = UnsafeRawBufferPointer(rebasing: bytes[header.offset..<end])
            guard output.datatype != .bytes || BinaryStrings.areWhole(elements, count: count)
            else { return false }
            target.append(
                place: output.place, datatype: output.datatype, dimensions: header.shape,
                elementCount: count, byteCount: header.length
            ).copyBytes(from: elements)
            return true
        }
        guard isWhole else { throw malformed(header) }
    }
}
