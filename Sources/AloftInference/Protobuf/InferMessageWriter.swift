/// Writes the gRPC message `ModelInferResponse` of one model; what never changes is made once.
///
/// The outputs come as the inputs came: typed values in `contents`, or bytes in
/// `raw_output_contents`. FP16 and BF16 have no typed field, so where one of them is among the outputs
/// all are answered as bytes.
package struct InferMessageWriter: Sendable {
    /// Name and version of the model.
    private let head: [UInt8]
    /// For each output: its name and datatype.
    private let outputs: [[UInt8]]

    package init(modelName: String, modelVersion: String, signature: ModelSignature) {
        head = Self.text(modelName, field: 1) + Self.text(modelVersion, field: 2)
        outputs = signature.outputs.map { Self.start(of: $0.name, $0.datatype) }
    }

    private static func start(of name: String, _ datatype: Datatype) -> [UInt8] {
        text(name, field: 1) + text(datatype.name, field: 2)
    }

    /// Name and datatype of an output.
    private func start(_ position: Int, _ entry: TensorSet.Entry, _ reply: TensorSet) -> [UInt8] {
        guard reply.ownNames.isEmpty else {
            return Self.start(of: reply.ownName(position), entry.datatype)
        }
        // traps: a reply has the outputs that were asked for, which this signature named
        return outputs[entry.place]
    }

    private static func text(_ text: String, field: UInt8) -> [UInt8] {
        var length = text.utf8.count
        var bytes = [field << 3 | 2]
        while length >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: length) | 0x80)
            length >>= 7
        }
        return bytes + [UInt8(truncatingIfNeeded: length)] + Array(text.utf8)
    }

    /// What is known of the message before it is written.
    package struct Plan {
        fileprivate let isRaw: Bool
        /// The length of each output's message, and of its contents within that.
        fileprivate var outputs: [(length: Int, contents: Int)] = []
        /// The length of the whole message in bytes.
        package fileprivate(set) var byteCount: Int
    }

    package func plan(_ request: InferenceRequest, _ reply: TensorSet) -> Plan {
        let isRaw =
            request.binaryOutputs != 0
            || reply.entries.contains { $0.datatype == .fp16 || $0.datatype == .bf16 }
        var plan = Plan(isRaw: isRaw, byteCount: head.count)
        let id = request.requestID.count
        if id > 0 { plan.byteCount += Wire.field(id) }
        plan.outputs.reserveCapacity(reply.entries.count)
        for (position, entry) in reply.entries.enumerated() {
            let contents = isRaw ? 0 : TypedContents.byteCount(entry, of: reply)
            var length = start(position, entry, reply).count
            let shape = reply.shape(entry).reduce(0) { $0 + Wire.varint(UInt64(bitPattern: $1)) }
            if shape > 0 { length += Wire.field(shape) }
            if !isRaw { length += Wire.field(contents) }
            plan.outputs.append((length, contents))
            plan.byteCount += Wire.field(length) + (isRaw ? Wire.field(entry.byteCount) : 0)
        }
        return plan
    }

    /// Writes exactly `plan.byteCount` bytes.
    package func write(
        _ request: InferenceRequest, _ reply: TensorSet, _ plan: Plan, to writer: inout ByteWriter
    ) {
        writer.write(head)
        if !request.requestID.isEmpty {
            writer.writeField(3, byteCount: request.requestID.count)
            writer.write(request.requestID)
        }
        for (position, (entry, output)) in zip(reply.entries, plan.outputs).enumerated() {
            writer.writeField(5, byteCount: output.length)
            writer.write(start(position, entry, reply))
            let shape = reply.shape(entry)
            let length = shape.reduce(0) { $0 + Wire.varint(UInt64(bitPattern: $1)) }
            if length > 0 {
                writer.writeField(3, byteCount: length)
                for dimension in shape { writer.write(varint: UInt64(bitPattern: dimension)) }
            }
            if !plan.isRaw {
                writer.writeField(5, byteCount: output.contents)
                TypedContents.write(entry, of: reply, to: &writer)
            }
        }
        guard plan.isRaw else { return }
        for entry in reply.entries {
            writer.writeField(6, byteCount: entry.byteCount)
            writer.write(reply.bytes(entry))
        }
    }
}

/// Lengths in the wire format.
enum Wire {
    static func varint(_ value: UInt64) -> Int {
        (70 - max(value, 1).leadingZeroBitCount) / 7
    }

    /// A length-delimited field of so many bytes, with its tag of one byte and its length.
    static func field(_ byteCount: Int) -> Int { 1 + varint(UInt64(byteCount)) + byteCount }
}

extension ByteWriter {
    mutating func write(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            write(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        write(UInt8(truncatingIfNeeded: rest))
    }

    /// The tag and the length of a length-delimited field below 16.
    mutating func writeField(_ field: UInt8, byteCount: Int) {
        write(field << 3 | 2)
        write(varint: UInt64(byteCount))
    }
}

/// The message `InferTensorContents` of one tensor.
private enum TypedContents {
    static func byteCount(_ entry: TensorSet.Entry, of tensors: TensorSet) -> Int {
        switch entry.datatype {
        case .bytes:
            (tensors.strings(entry) ?? []).reduce(0) { $0 + Wire.field($1.count) }
        case .fp32, .fp64, .bool: packed(entry.byteCount)
        case .int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64:
            packed(varintBytes(entry, tensors.bytes(entry)))
        // Always answered as bytes.
        case .fp16, .bf16: 0
        }
    }

    private static func packed(_ byteCount: Int) -> Int {
        byteCount == 0 ? 0 : Wire.field(byteCount)
    }

    private static func varintBytes(
        _ entry: TensorSet.Entry, _ bytes: UnsafeRawBufferPointer
    ) -> Int {
        var sum = 0
        for index in 0..<entry.elementCount {
            sum += Wire.varint(bits(bytes, index, entry.datatype))
        }
        return sum
    }

    static func write(
        _ entry: TensorSet.Entry, of tensors: TensorSet, to writer: inout ByteWriter
    ) {
        let bytes = tensors.bytes(entry)
        if entry.datatype == .bytes {
            for string in tensors.strings(entry) ?? [] {
                writer.writeField(8, byteCount: string.count)
                writer.write(string)
            }
            return
        }
        guard entry.byteCount > 0, let field = field(entry.datatype) else { return }
        switch entry.datatype {
        case .fp32, .fp64, .bool:
            writer.writeField(field, byteCount: entry.byteCount)
            writer.write(bytes)
        default:
            writer.writeField(field, byteCount: varintBytes(entry, bytes))
            for index in 0..<entry.elementCount {
                writer.write(varint: bits(bytes, index, entry.datatype))
            }
        }
    }

    private static func field(_ datatype: Datatype) -> UInt8? {
        switch datatype {
        case .bool: 1
        case .int8, .int16, .int32: 2
        case .int64: 3
        case .uint8, .uint16, .uint32: 4
        case .uint64: 5
        case .fp32: 6
        case .fp64: 7
        case .bytes: 8
        case .fp16, .bf16: nil
        }
    }

    /// A whole number as the wire has it: 64 bits, a negative one in two's complement.
    private static func bits(
        _ bytes: UnsafeRawBufferPointer, _ index: Int, _ datatype: Datatype
    ) -> UInt64 {
        func element<Element: FixedWidthInteger & BitwiseCopyable>(_: Element.Type) -> UInt64 {
            let value = bytes.loadUnaligned(
                fromByteOffset: index * MemoryLayout<Element>.stride, as: Element.self)
            return UInt64(truncatingIfNeeded: value)
        }
        switch datatype {
        case .int8: return element(Int8.self)
        case .int16: return element(Int16.self)
        case .int32: return element(Int32.self)
        case .int64: return element(Int64.self)
        case .uint8: return element(UInt8.self)
        case .uint16: return element(UInt16.self)
        case .uint32: return element(UInt32.self)
        case .uint64: return element(UInt64.self)
        case .bool, .fp16, .bf16, .fp32, .fp64, .bytes: return 0
        }
    }
}
