import COnnxRuntime

/// A loaded ONNX model. Many threads may run it at once.
// @unchecked: upstream documents Run as safe for many threads; the pointer never changes.
package final class OnnxSession: @unchecked Sendable {
    package let signature: ModelSignature
    private let library: OnnxLibrary
    private let pointer: OpaquePointer

    /// Loads the model in a file of its own folder.
    ///
    /// - Parameters:
    ///   - threads: how many work on one call; 1 starts none.
    ///   - key: names it if it crashes the process, where crashes are watched; 0 does not.
    /// - Throws: `InferenceError.unloadable` or `.unsupportedModel`.
    package init(
        library: OnnxLibrary, path: String, threads: Int = 1, key: UInt64 = 0
    ) throws(InferenceError) {
        var created: OpaquePointer?
        let failure = onnxFailure {
            aloft_onnx_session_create(
                library.pointer, path, Int32(clamping: threads), key, &created, $0)
        }
        guard failure == nil, let created else {
            throw .unloadable(reason: failure ?? "no session")
        }
        self.library = library
        pointer = created
        do {
            let inputs = try Self.read(
                count: aloft_onnx_input_count(created)
            ) { aloft_onnx_input_at(created, $0) }
            let outputs = try Self.read(
                count: aloft_onnx_output_count(created)
            ) { aloft_onnx_output_at(created, $0) }
            // What has no dimensions is a scalar if the file says so.
            let scalars =
                (inputs + outputs).contains { $0.shape == nil }
                ? OnnxShapes.declared(inFile: path) : []
            signature = ModelSignature(
                inputs: inputs.map { $0.scalar(if: scalars.contains($0.name)) },
                outputs: outputs.map { $0.scalar(if: scalars.contains($0.name)) })
        } catch {
            aloft_onnx_session_release(created)
            throw error
        }
    }

    deinit { aloft_onnx_session_release(pointer) }

    private static func read(
        count: Int, _ at: (Int) -> UnsafePointer<aloft_onnx_signature>?
    ) throws(InferenceError) -> [TensorSignature] {
        var signatures: [TensorSignature] = []
        for index in 0..<count {
            guard let raw = at(index)?.pointee else { continue }
            // traps: the runtime's own, which it ends
            let name = String(cString: raw.name)
            guard let datatype = Datatype(onnxType: raw.type) else {
                throw .unsupportedModel(
                    reason: raw.type == 0
                        ? "\"\(name)\" is no tensor (scikit-learn models: convert with "
                            + "zipmap off)"
                        : "\"\(name)\" has the ONNX element type \(raw.type), which the protocol "
                            + "has no name for")
            }
            let shape = withUnsafeBytes(of: raw.dimensions) { bytes in
                bytes.bindMemory(to: Int64.self).prefix(Int(clamping: max(0, raw.rank))).map(
                    Int.init)
            }
            // The runtime reports an unknown number of dimensions as none, and so a scalar.
            signatures.append(
                TensorSignature(
                    name: name, datatype: datatype, shape: shape.isEmpty ? nil : shape))
        }
        return signatures
    }

    /// Runs the model on the request's tensors and puts the wanted outputs into `reply`, in order.
    /// Blocks for as long as the model takes.
    ///
    /// - Throws: `InferenceError`; `reply` then holds nothing of use.
    package func run(
        _ request: InferenceRequest, into reply: TensorSet
    ) throws(InferenceError) {
        reply.reset()
        let inputCount = request.tensors.entries.count
        let outputCount = request.wantedOutputs.count
        var texts = OnnxStrings()
        defer { texts.free() }
        let failure: InferenceError? = withUnsafeTemporaryAllocation(
            of: aloft_onnx_input.self, capacity: inputCount
        ) { inputs in
            withUnsafeTemporaryAllocation(of: aloft_onnx_output.self, capacity: outputCount) {
                outputs in
                do throws(InferenceError) {
                    try run(request, inputs, outputs, &texts)
                } catch {
                    return error
                }
                defer {
                    for index in outputs.indices {
                        // traps: an index of the list itself, or of the wanted outputs that it was made for
                        aloft_onnx_output_release(pointer, &outputs[index])
                    }
                }
                do throws(InferenceError) {
                    for (index, place) in request.wantedOutputs.enumerated() {
                        // traps: an index of the list itself, or of the wanted outputs that it was made for
                        try take(&outputs[index], place: Int(clamping: place), into: reply)
                    }
                    return nil
                } catch {
                    return error
                }
            }
        }
        if let failure { throw failure }
    }

    private func run(
        _ request: InferenceRequest, _ inputs: UnsafeMutableBufferPointer<aloft_onnx_input>,
        _ outputs: UnsafeMutableBufferPointer<aloft_onnx_output>, _ texts: inout OnnxStrings
    ) throws(InferenceError) {
        let tensors = request.tensors
        for (index, entry) in tensors.entries.enumerated() where entry.datatype == .bytes {
            try texts.add(
                tensors, entry, input: index, name: signature.input(at: entry.place)?.name ?? "")
        }
        let failure = tensors.dimensions.withUnsafeBufferPointer { dimensions in
            for (index, entry) in tensors.entries.enumerated() {
                let strings = texts.pointers(ofInput: index)
                inputs.initializeElement(
                    at: index,
                    to: aloft_onnx_input(
                        data: tensors.bytes(entry).baseAddress, byte_count: entry.byteCount,
                        dimensions: dimensions.baseAddress.map { $0 + entry.firstDimension },
                        rank: entry.rank, type: entry.datatype.onnxType,
                        index: Int32(clamping: entry.place),
                        strings: strings, string_count: entry.elementCount))
            }
            return onnxFailure {
                aloft_onnx_run(
                    pointer, inputs.baseAddress, inputs.count, request.wantedOutputs,
                    outputs.baseAddress, outputs.count, $0)
            }
        }
        if let failure { throw .modelFailed(reason: failure) }
    }

    private func take(
        _ output: inout aloft_onnx_output, place: Int, into reply: TensorSet
    ) throws(InferenceError) {
        guard let datatype = Datatype(onnxType: output.type) else {
            throw .modelFailed(reason: "an output has the unknown ONNX type \(output.type)")
        }
        let count = output.element_count
        let rank = output.rank
        try withUnsafeBytes(of: output.dimensions) { (bytes) throws(InferenceError) in
            let dimensions = bytes.bindMemory(to: Int64.self).prefix(rank)
            guard datatype != .bytes else {
                return try takeStrings(
                    output, place: place, dimensions: Array(dimensions), into: reply)
            }
            let byteCount = count * datatype.elementBytes
            let target = reply.append(
                place: place, datatype: datatype, dimensions: dimensions, elementCount: count,
                byteCount: byteCount)
            if let source = output.data { target.copyMemory(from: source, byteCount: byteCount) }
        }
    }

    private func takeStrings(
        _ output: aloft_onnx_output, place: Int, dimensions: [Int64], into reply: TensorSet
    ) throws(InferenceError) {
        var output = output
        var byteCount = 0
        if let failure = onnxFailure({
            aloft_onnx_string_bytes(pointer, &output, &byteCount, $0)
        }) {
            throw .modelFailed(reason: failure)
        }
        // One byte more, so that there is an address even where all strings are empty.
        var text = [CChar](repeating: 0, count: max(byteCount, 0) + 1)
        var offsets = [Int](repeating: 0, count: max(output.element_count, 0) + 1)
        if output.element_count > 0,
            let failure = onnxFailure({
                aloft_onnx_strings(pointer, &output, &text, byteCount, &offsets, $0)
            })
        {
            throw .modelFailed(reason: failure)
        }
        offsets[output.element_count] = byteCount
        text.withUnsafeBytes { bytes in
            reply.append(
                place: place, dimensions: dimensions,
                strings: zip(offsets, offsets.dropFirst()).map { bytes[$0..<$1] })
        }
    }
}

extension TensorSignature {
    fileprivate func scalar(if isDeclared: Bool) -> TensorSignature {
        guard shape == nil, isDeclared else { return self }
        return TensorSignature(name: name, datatype: datatype, shape: [])
    }
}

/// Terminated copies of the strings of a request, as the C interface takes them.
private struct OnnxStrings {
    private var lists: [(input: Int, pointers: UnsafeMutablePointer<UnsafePointer<CChar>?>)] = []
    private var memory: [UnsafeMutableRawPointer] = []

    /// All copies of a tensor go into one piece of memory, none longer than with the length before it: a
    /// piece for each would take ten times the request.
    mutating func add(
        _ tensors: TensorSet, _ entry: TensorSet.Entry, input: Int, name: String
    ) throws(InferenceError) {
        let bytes = tensors.bytes(entry)
        try BinaryStrings.check(bytes, count: entry.elementCount, name: name)
        let list = UnsafeMutablePointer<UnsafePointer<CChar>?>.allocate(
            capacity: max(entry.elementCount, 1))
        lists.append((input, list))
        var copy = UnsafeMutableRawPointer.allocate(byteCount: max(bytes.count, 1), alignment: 1)
        memory.append(copy)
        var offset = 0
        for index in 0..<max(entry.elementCount, 0) {
            let length = BinaryStrings.length(bytes, at: offset)
            let string = UnsafeRawBufferPointer(
                rebasing: bytes[(offset + 4)..<(offset + 4 + length)])
            guard !string.contains(0) else {
                throw .badElement(name: name, index: index, datatype: .bytes)
            }
            copy.copyBytes(from: string)
            copy.storeBytes(of: 0, toByteOffset: length, as: UInt8.self)
            list[index] = UnsafePointer(copy.assumingMemoryBound(to: CChar.self))
            copy += length + 1
            offset += 4 + length
        }
    }

    func pointers(ofInput input: Int) -> UnsafePointer<UnsafePointer<CChar>?>? {
        guard !lists.isEmpty else { return nil }
        return lists.first { $0.input == input }.map { UnsafePointer($0.pointers) }
    }

    func free() {
        for (_, list) in lists { list.deallocate() }
        for copy in memory { copy.deallocate() }
    }
}
