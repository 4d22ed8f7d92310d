import AloftPredictionLog

/// Reads the gRPC message `ModelInferRequest` into tensors, checked against the model's signature.
///
/// It reads the wire format itself: the elements go from the message to the model's memory in one
/// step, where generated code would make an array of each field first.
package struct InferMessageReader {
    private let signature: ModelSignature
    let request: InferenceRequest
    private var inputs: [ProtobufSlice] = []
    private var raws: [ProtobufSlice] = []
    /// All that stand in the message. Of inputs beyond those of the model none is kept: one of the kept
    /// ones is then unknown or doubled.
    private var inputCount = 0
    private var rawCount = 0
    private(set) var parameterBytes = 0
    /// Scratch for one tensor's shape.
    private var shape: [Int64] = []

    /// Which model a message asks, and which of its versions; an empty version leaves it to us.
    ///
    /// - Throws: `InferenceError.malformed` where the message is no protobuf.
    package static func target(
        _ message: UnsafeRawBufferPointer
    ) throws(InferenceError) -> (name: String, version: String) {
        var cursor = ProtobufCursor(message)
        var name = ""
        var version = ""
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .bytes): name = shortened(try cursor.slice().bytes)
            case (2, .bytes): version = shortened(try cursor.slice().bytes)
            default: try cursor.skip(wire)
            }
        }
        guard !name.isEmpty else {
            throw .missingField(field: "model_name", place: "The request")
        }
        return (name, version)
    }

    /// A name; of one that is longer than any the beginning.
    private static func shortened(_ name: UnsafeRawBufferPointer) -> String {
        name.count <= 1024
            ? String(decoding: name, as: UTF8.self)
            : String(decoding: name.prefix(1024), as: UTF8.self) + "…"
    }

    /// The message's own id; empty where it has none or is no protobuf.
    package static func requestID(_ message: UnsafeRawBufferPointer) -> [UInt8] {
        var cursor = ProtobufCursor(message)
        var id: [UInt8] = []
        do throws(InferenceError) {
            while let (field, wire) = try cursor.next() {
                if field == 3, wire == .bytes {
                    id = Array(try cursor.slice().bytes)
                } else {
                    try cursor.skip(wire)
                }
            }
        } catch {
            return []
        }
        return String(validating: id, as: UTF8.self) == nil ? [] : id
    }

    /// One text among a message's parameters; `nil` where it has none of this name.
    ///
    /// - Throws: `InferenceError.malformed` where the message is no protobuf.
    package static func parameter(
        _ message: UnsafeRawBufferPointer, name: String
    ) throws(InferenceError) -> String? {
        var cursor = ProtobufCursor(message)
        while let (field, wire) = try cursor.next() {
            guard field == 4, wire == .bytes else {
                try cursor.skip(wire)
                continue
            }
            let entry = try readEntry(try cursor.slice())
            guard let value = entry.value, entry.name == name else { continue }
            var inner = ProtobufCursor(value)
            while let (field, wire) = try inner.next() {
                guard field == 3, wire == .bytes else {
                    try inner.skip(wire)
                    continue
                }
                return String(decoding: try inner.slice().bytes, as: UTF8.self)
            }
        }
        return nil
    }

    /// - Throws: `InferenceError`; the request then holds nothing of use.
    package static func read(
        _ message: UnsafeRawBufferPointer, signature: ModelSignature,
        into request: InferenceRequest
    ) throws(InferenceError) {
        request.reset()
        var reader = Self(signature: signature, request: request)
        try reader.body(message)
    }

    private init(signature: ModelSignature, request: InferenceRequest) {
        self.signature = signature
        self.request = request
    }

    private mutating func body(_ message: UnsafeRawBufferPointer) throws(InferenceError) {
        var cursor = ProtobufCursor(message)
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (3, .bytes): try id(try cursor.slice())
            case (4, .bytes): parameterBytes += try cursor.slice().bytes.count + 2
            case (5, .bytes):
                let input = try cursor.slice()
                inputCount += 1
                if inputs.count <= signature.inputs.count { inputs.append(input) }
            case (6, .bytes): try output(try cursor.slice())
            case (7, .bytes):
                let raw = try cursor.slice()
                rawCount += 1
                if raws.count <= signature.inputs.count { raws.append(raw) }
            default: try cursor.skip(wire)
            }
        }
        guard rawCount == 0 || rawCount == inputCount else {
            throw .badBinary(
                name: "*",
                reason: "raw_input_contents has \(rawCount) entries for \(inputCount) inputs")
        }
        if message.count > 64 << 10 { try reserve() }
        for (position, input) in inputs.enumerated() {
            let raw = position < raws.count ? raws[position] : nil
            try take(input, raw: raw, position: position)
        }
        if inputs.count > 1 { request.tensors.sortByPlace() }
        try signature.checkComplete(request.tensors)
        if request.wantedOutputs.isEmpty {
            for place in signature.outputs.indices {
                request.wantedOutputs.append(Int32(truncatingIfNeeded: place))
            }
        }
        if !raws.isEmpty { request.binaryOutputs = .max }
        if parameterBytes > 0 { try takeParameters(message) }
    }

    private func id(_ slice: ProtobufSlice) throws(InferenceError) {
        guard String(validating: slice.bytes, as: UTF8.self) != nil else {
            throw ProtobufCursor(slice).fault("an id in UTF-8")
        }
        request.requestID.removeAll(keepingCapacity: true)
        request.requestID.append(contentsOf: slice.bytes)
    }

    // MARK: Inputs

    private struct InputFields {
        var name = UnsafeRawBufferPointer(start: nil, count: 0)
        var datatype = UnsafeRawBufferPointer(start: nil, count: 0)
        var contents: ProtobufSlice?
    }

    private mutating func take(
        _ input: ProtobufSlice, raw: ProtobufSlice?, position: Int
    ) throws(InferenceError) {
        let fields = try readFields(input)
        guard let place = signature.inputPlace(fields.name, hint: position) else {
            guard !fields.name.isEmpty else {
                throw .missingField(field: "name", place: "Input \(position)")
            }
            throw .unknownInput(
                name: String(String(decoding: fields.name, as: UTF8.self).prefix(100)),
                known: signature.inputs.map(\.name))
        }
        // traps: this signature itself gave the place
        let expected = signature.inputs[place]
        guard !request.tensors.entries.contains(where: { $0.place == place }) else {
            throw .repeatedInput(name: expected.name)
        }
        guard let datatype = Datatype(utf8: fields.datatype) else {
            throw .wrongDatatype(
                input: expected,
                given: String(String(decoding: fields.datatype, as: UTF8.self).prefix(100)))
        }
        try expected.check(datatype, shape)
        if let raw {
            guard fields.contents.map(\.bytes.isEmpty) ?? true else {
                throw .badContents(
                    name: expected.name,
                    reason: "they stand in contents, and raw_input_contents is used as well")
            }
            return try request.tensors.append(
                binary: raw.bytes, place: place, datatype: datatype, shape: shape,
                name: expected.name)
        }
        let contents =
            fields.contents ?? ProtobufSlice(bytes: .init(start: nil, count: 0), offset: 0)
        try TensorContentsReader(
            name: expected.name, datatype: datatype, shape: shape, place: place,
            tensors: request.tensors
        ).read(contents)
    }

    /// Makes room for all tensors of a large message at once.
    private mutating func reserve() throws(InferenceError) {
        var total = 0
        for (position, input) in inputs.enumerated() {
            let fields = try readFields(input)
            total += TensorSet.alignment + 4
            if position < raws.count {
                total += raws[position].bytes.count
            } else if let contents = fields.contents?.bytes.count,
                let datatype = Datatype(utf8: fields.datatype)
            {
                // Numbers take at least a byte of the message each, strings two.
                let count = min(TensorShape.elementCount(shape) ?? 0, contents)
                total += datatype == .bytes ? 2 * contents : count * datatype.elementBytes
            }
        }
        request.tensors.reserve(total)
    }

    private mutating func readFields(
        _ input: ProtobufSlice
    ) throws(InferenceError) -> InputFields {
        var fields = InputFields()
        shape.removeAll(keepingCapacity: true)
        var cursor = ProtobufCursor(input)
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .bytes): fields.name = try cursor.slice().bytes
            case (2, .bytes): fields.datatype = try cursor.slice().bytes
            case (3, .bytes):
                var packed = ProtobufCursor(try cursor.slice())
                while !packed.isAtEnd { try dimension(&packed) }
            case (3, .varint): try dimension(&cursor)
            case (4, .bytes): try Self.refuseSharedMemory(try cursor.slice())
            case (5, .bytes):
                let contents = try cursor.slice()
                guard fields.contents == nil else { throw cursor.fault("contents only once") }
                fields.contents = contents
            default: try cursor.skip(wire)
            }
        }
        return fields
    }

    private mutating func dimension(_ cursor: inout ProtobufCursor) throws(InferenceError) {
        let dimension = Int64(bitPattern: try cursor.varint())
        guard dimension >= 0, shape.count < 8 else {
            throw cursor.fault("a shape: at most 8 whole numbers, none negative")
        }
        shape.append(dimension)
    }

    private static func refuseSharedMemory(_ entry: ProtobufSlice) throws(InferenceError) {
        try UnsupportedParameters.check(try readEntry(entry).name)
    }

    // MARK: Outputs

    private func output(_ slice: ProtobufSlice) throws(InferenceError) {
        var cursor = ProtobufCursor(slice)
        var name = ""
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .bytes): name = String(decoding: try cursor.slice().bytes, as: UTF8.self)
            case (2, .bytes): try Self.refuseSharedMemory(try cursor.slice())
            default: try cursor.skip(wire)
            }
        }
        guard !name.isEmpty else {
            throw .missingField(field: "name", place: "An output of the request")
        }
        if signature.outputs.isEmpty { return try request.want(name) }
        guard let place = signature.outputPlace(name) else {
            throw .unknownOutput(
                name: String(name.prefix(100)), known: signature.outputs.map(\.name))
        }
        guard !request.wantedOutputs.contains(Int32(truncatingIfNeeded: place)) else {
            throw cursor.fault("each output only once")
        }
        request.wantedOutputs.append(Int32(truncatingIfNeeded: place))
    }
}

/// Parameters that change what a request means and that nothing here acts on: refused, since an answer
/// without them would be a wrong one.
enum UnsupportedParameters {
    static func check(_ name: String) throws(InferenceError) {
        guard name == "classification" || name.hasPrefix("shared_memory_") else { return }
        throw .unsupportedParameter(name: String(name.prefix(100)))
    }
}
