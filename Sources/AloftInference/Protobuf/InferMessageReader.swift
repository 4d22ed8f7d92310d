/// Reads the gRPC message `ModelInferRequest` into tensors, checked against the model's signature.
///
/// It reads the wire format itself: the elements go from the message to the model's memory in one
/// step, where generated code would make an array of each field first.
package struct InferMessageReader {
    private let signature: ModelSignature
    private let request: InferenceRequest
    private var inputs: [ProtobufSlice] = []
    private var raws: [ProtobufSlice] = []
    private var parameters: [ProtobufSlice] = []
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
            case (1, .bytes): name = String(decoding: try cursor.slice().bytes, as: UTF8.self)
            case (2, .bytes): version = String(decoding: try cursor.slice().bytes, as: UTF8.self)
            default: try cursor.skip(wire)
            }
        }
        guard !name.isEmpty else {
            throw .missingField(field: "model_name", place: "The request")
        }
        return (name, version)
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
            let (key, value) = try readEntry(try cursor.slice())
            guard key == name, let value else { continue }
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
            case (4, .bytes): parameters.append(try cursor.slice())
            case (5, .bytes): inputs.append(try cursor.slice())
            case (6, .bytes): try output(try cursor.slice())
            case (7, .bytes): raws.append(try cursor.slice())
            default: try cursor.skip(wire)
            }
        }
        guard raws.isEmpty || raws.count == inputs.count else {
            throw .badBinary(
                name: "*",
                reason: "raw_input_contents has \(raws.count) entries for \(inputs.count) inputs")
        }
        for (position, input) in inputs.enumerated() {
            try take(input, raw: raws.isEmpty ? nil : raws[position], position: position)
        }
        if inputs.count > 1 { request.tensors.sortByPlace() }
        try signature.checkComplete(request.tensors)
        if request.wantedOutputs.isEmpty {
            for place in signature.outputs.indices { request.wantedOutputs.append(Int32(place)) }
        }
        if !raws.isEmpty { request.binaryOutputs = .max }
        if !parameters.isEmpty { try takeParameters() }
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
        let (key, _) = try readEntry(entry)
        try UnsupportedParameters.check(key)
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
        guard let place = signature.outputPlace(name) else {
            throw .unknownOutput(
                name: String(name.prefix(100)), known: signature.outputs.map(\.name))
        }
        guard !request.wantedOutputs.contains(Int32(place)) else {
            throw cursor.fault("each output only once")
        }
        request.wantedOutputs.append(Int32(place))
    }

    // MARK: Parameters

    private static func readEntry(
        _ entry: ProtobufSlice
    ) throws(InferenceError) -> (key: String, value: ProtobufSlice?) {
        var cursor = ProtobufCursor(entry)
        var key = ""
        var value: ProtobufSlice?
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .bytes): key = String(decoding: try cursor.slice().bytes, as: UTF8.self)
            case (2, .bytes): value = try cursor.slice()
            default: try cursor.skip(wire)
            }
        }
        return (key, value)
    }

    /// Puts the parameters into the request as JSON, as they would have come over REST.
    private func takeParameters() throws(InferenceError) {
        var text: [UInt8] = []
        for entry in parameters {
            let (key, value) = try Self.readEntry(entry)
            guard let value, let json = try parameter(key, value) else { continue }
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            text += JSONText.quoted(key) + [UInt8(ascii: ":")] + json
        }
        if !text.isEmpty { request.parameters = text + [UInt8(ascii: "}")] }
    }

    private func parameter(
        _ key: String, _ value: ProtobufSlice
    ) throws(InferenceError) -> [UInt8]? {
        var cursor = ProtobufCursor(value)
        var json: [UInt8]?
        while let (field, wire) = try cursor.next() {
            switch (field, wire) {
            case (1, .varint): json = Array((try cursor.varint() != 0 ? "true" : "false").utf8)
            case (2, .varint):
                let whole = Int64(bitPattern: try cursor.varint())
                if key == "timeout" { request.timeoutMicroseconds = max(0, Int(whole)) }
                json = Array("\(whole)".utf8)
            case (3, .bytes):
                json = JSONText.quoted(String(decoding: try cursor.slice().bytes, as: UTF8.self))
            case (4, .fixed64):
                let number = Double(bitPattern: try cursor.fixed(UInt64.self))
                json = Array((number.isFinite ? number.description : "null").utf8)
            case (5, .varint):
                let whole = try cursor.varint()
                if key == "timeout" { request.timeoutMicroseconds = Int(clamping: whole) }
                json = Array("\(whole)".utf8)
            default: try cursor.skip(wire)
            }
        }
        return json
    }
}

/// Parameters that change what a request means and that nothing here acts on: refused, since an answer
/// without them would be a wrong one.
enum UnsupportedParameters {
    static func check(_ name: String) throws(InferenceError) {
        guard name == "classification" || name.hasPrefix("shared_memory_") else { return }
        throw .unsupportedParameter(name: name)
    }
}
