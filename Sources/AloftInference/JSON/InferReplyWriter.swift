/// Writes Open Inference Protocol replies of one model; what never changes is made once.
package struct InferReplyWriter: Sendable {
    /// `{"model_name":"…","model_version":"…"`
    private let head: [UInt8]
    /// For each output: `{"name":"…","datatype":"…","shape":[`
    private let outputs: [[UInt8]]

    package init(modelName: String, modelVersion: String, signature: ModelSignature) {
        head =
            Array("{\"model_name\":".utf8) + JSONText.quoted(modelName)
            + Array(",\"model_version\":".utf8) + JSONText.quoted(modelVersion)
        outputs = signature.outputs.map { Self.start(of: $0.name, $0.datatype) }
    }

    private static func start(of name: String, _ datatype: Datatype) -> [UInt8] {
        Array("{\"name\":".utf8) + JSONText.quoted(name)
            + Array(",\"datatype\":\"\(datatype.name)\",\"shape\":[".utf8)
    }

    /// The most bytes that `write` may take.
    package func bound(_ request: InferenceRequest, _ reply: TensorSet) -> Int {
        var bound = head.count + request.requestID.count + 64
        for (position, entry) in reply.entries.enumerated() {
            if reply.ownNames.isEmpty {
                // traps: a reply has the outputs that were asked for, which this signature named
                bound += outputs[entry.place].count
            } else {
                // A name may grow sixfold as it is quoted.
                bound += 6 * reply.ownName(position).utf8.count + 64
            }
            bound += entry.rank * 21 + 64
            bound +=
                request.isBinary(position)
                ? entry.byteCount : TensorJSONWriter.bound(entry)
        }
        return bound
    }

    /// Writes the reply and returns the length of its JSON part if binary tensors follow it.
    package func write(
        _ request: InferenceRequest, _ reply: TensorSet, to writer: inout ByteWriter
    ) -> Int? {
        let start = writer.count
        var hasBinary = false
        writer.write(head)
        if !request.requestID.isEmpty {
            writer.write(",\"id\":")
            writer.write(request.requestID)
        }
        writer.write(",\"outputs\":[")
        for (position, entry) in reply.entries.enumerated() {
            if position > 0 { writer.write(UInt8(ascii: ",")) }
            if reply.ownNames.isEmpty {
                // traps: a reply has the outputs that were asked for, which this signature named
                writer.write(outputs[entry.place])
            } else {
                writer.write(Self.start(of: reply.ownName(position), entry.datatype))
            }
            Self.writeShape(reply.shape(entry), to: &writer)
            if request.isBinary(position) {
                hasBinary = true
                writer.write("],\"parameters\":{\"binary_data_size\":")
                writer.write(decimal: UInt64(entry.byteCount))
                writer.write("}}")
            } else {
                writer.write("],\"data\":")
                TensorJSONWriter.write(entry, of: reply, to: &writer)
                writer.write(UInt8(ascii: "}"))
            }
        }
        writer.write("]}")
        guard hasBinary else { return nil }
        let jsonLength = writer.count - start
        for (position, entry) in reply.entries.enumerated() where request.isBinary(position) {
            writer.write(reply.bytes(entry))
        }
        return jsonLength
    }

    private static func writeShape(_ shape: ArraySlice<Int64>, to writer: inout ByteWriter) {
        var isFirst = true
        for dimension in shape {
            if !isFirst { writer.write(UInt8(ascii: ",")) }
            isFirst = false
            writer.write(decimal: dimension)
        }
    }
}

/// The elements of a tensor as a flat JSON array.
package enum TensorJSONWriter {
    /// The most bytes that the array takes.
    package static func bound(_ entry: TensorSet.Entry) -> Int {
        switch entry.datatype {
        case .bytes: 2 + 3 * entry.elementCount + 6 * entry.byteCount
        case .bool: 2 + 6 * entry.elementCount
        case .fp16, .bf16, .fp32: 2 + 18 * entry.elementCount
        case .fp64: 2 + 27 * entry.elementCount
        case .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64:
            2 + 21 * entry.elementCount
        }
    }

    package static func write(
        _ entry: TensorSet.Entry, of tensors: TensorSet, to writer: inout ByteWriter
    ) {
        writer.write(UInt8(ascii: "["))
        // traps: a count of elements
        for index in 0..<(entry.datatype == .bytes ? 0 : entry.elementCount) {
            if index > 0 { writer.write(UInt8(ascii: ",")) }
            write(tensors.bytes(entry), index, entry.datatype, to: &writer)
        }
        if entry.datatype == .bytes {
            var isFirst = true
            for string in tensors.strings(entry) ?? [] {
                if !isFirst { writer.write(UInt8(ascii: ",")) }
                isFirst = false
                writer.write(string: string)
            }
        }
        writer.write(UInt8(ascii: "]"))
    }

    /// One element that is no string.
    @inline(__always)
    package static func write(
        _ bytes: UnsafeRawBufferPointer, _ index: Int, _ datatype: Datatype,
        to writer: inout ByteWriter
    ) {
        func element<Element: BitwiseCopyable>(_: Element.Type) -> Element {
            bytes.loadUnaligned(
                fromByteOffset: index * MemoryLayout<Element>.stride, as: Element.self)
        }
        switch datatype {
        case .fp32: writer.write(float: element(Float.self))
        case .int64: writer.write(decimal: element(Int64.self))
        case .fp64: writer.write(double: element(Double.self))
        case .fp16: writer.write(float: Float(Float16(bitPattern: element(UInt16.self))))
        case .bf16:
            writer.write(
                float: Float(bitPattern: UInt32(truncatingIfNeeded: element(UInt16.self)) << 16))
        case .bool:
            if element(UInt8.self) == 0 { writer.write("false") } else { writer.write("true") }
        case .int8: writer.write(decimal: Int64(truncatingIfNeeded: element(Int8.self)))
        case .int16: writer.write(decimal: Int64(truncatingIfNeeded: element(Int16.self)))
        case .int32: writer.write(decimal: Int64(truncatingIfNeeded: element(Int32.self)))
        case .uint8: writer.write(decimal: UInt64(truncatingIfNeeded: element(UInt8.self)))
        case .uint16: writer.write(decimal: UInt64(truncatingIfNeeded: element(UInt16.self)))
        case .uint32: writer.write(decimal: UInt64(truncatingIfNeeded: element(UInt32.self)))
        case .uint64: writer.write(decimal: element(UInt64.self))
        // traps: the caller writes strings another way
        case .bytes: preconditionFailure("strings are written whole")
        }
    }
}
