/// Reads the body of an Open Inference Protocol request into tensors, checked against the model's
/// signature.
///
/// The protocol's binary extension is known: a tensor whose parameters say `binary_data_size` has its
/// elements after the JSON, in the order of the inputs.
package struct InferRequestReader {
    let signature: ModelSignature
    let request: InferenceRequest
    private var binary: UnsafeRawBufferPointer
    var wantsBinaryOutputs = false
    /// The wanted outputs that say nothing on their form, as in `InferenceRequest.binaryOutputs`.
    var undecidedOutputs: UInt64 = 0
    /// Scratch for one tensor's shape.
    private var shape: [Int64] = []
    private var seen: UInt64 = 0

    /// - Parameters:
    ///   - jsonLength: the length of the JSON before the binary data; `nil` where all is JSON.
    /// - Throws: `InferenceError`; the request then holds nothing of use.
    package static func read(
        _ body: UnsafeRawBufferPointer, jsonLength: Int? = nil, signature: ModelSignature,
        into request: InferenceRequest
    ) throws(InferenceError) {
        request.reset()
        let length = jsonLength ?? body.count
        guard length >= 0, length <= body.count else {
            throw .badBinary(
                name: "*",
                reason: "Inference-Header-Content-Length is \(length), the body has "
                    + "\(body.count) bytes")
        }
        if length == 0, jsonLength != nil {
            return try readRaw(body, signature: signature, into: request)
        }
        var reader = Self(
            signature: signature, request: request,
            binary: UnsafeRawBufferPointer(rebasing: body[length...]))
        swap(&reader.shape, &request.shapeScratch)
        defer { swap(&reader.shape, &request.shapeScratch) }
        request.tensors.reserve(
            jsonBytes: length, binaryBytes: body.count - length, inputs: signature.inputs.count)
        var cursor = JSONCursor(UnsafeRawBufferPointer(rebasing: body[..<length]))
        try reader.body(&cursor)
    }

    private init(
        signature: ModelSignature, request: InferenceRequest, binary: UnsafeRawBufferPointer
    ) {
        self.signature = signature
        self.request = request
        self.binary = binary
    }

    private mutating func body(_ cursor: inout JSONCursor) throws(InferenceError) {
        var members = MembersOnce()
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw .missingField(field: "inputs", place: "The request")
        }
        repeat {
            let key = try cursor.key()
            switch key.bytes.count {
            case 2 where Self.equal(key, "id"):
                try members.take(1, "id")
                _ = cursor.peek()
                let start = cursor.position
                let raw = try cursor.rawString()
                if raw.hasEscapes { try cursor.checkEscapes(raw) }
                request.requestID.append(
                    contentsOf: cursor.slice(from: start, to: cursor.position))
            case 6 where Self.equal(key, "inputs"):
                try members.take(2, "inputs")
                try inputs(&cursor)
            case 7 where Self.equal(key, "outputs"):
                try members.take(4, "outputs")
                try outputs(&cursor)
            case 10 where Self.equal(key, "parameters"):
                try members.take(8, "parameters")
                try requestParameters(&cursor)
            default:
                request.saysMore = true
                try skipMember(key, &cursor)
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        try cursor.expectEnd()
        guard members.has(2) else { throw .missingField(field: "inputs", place: "The request") }
        try finish()
    }

    private mutating func finish() throws(InferenceError) {
        try signature.checkComplete(request.tensors)
        guard binary.isEmpty else {
            throw .badBinary(
                name: request.tensors.entries.last.map { input(at: $0.place).name } ?? "*",
                reason: "\(binary.count) bytes follow after the last tensor")
        }
        if request.wantedOutputs.isEmpty {
            for place in signature.outputs.indices {
                request.wantedOutputs.append(Int32(truncatingIfNeeded: place))
            }
            if wantsBinaryOutputs { request.binaryOutputs = .max }
        } else if wantsBinaryOutputs {
            // Also where the parameters stand behind the outputs.
            request.binaryOutputs |= undecidedOutputs
        }
    }

    private mutating func inputs(_ cursor: inout JSONCursor) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        var position = 0
        repeat {
            try input(&cursor, position: position)
            position += 1
        } while try cursor.more(until: UInt8(ascii: "]"))
        if position > 1 { request.tensors.sortByPlace() }
    }

    /// The fields of one input, in any order.
    private struct InputFields {
        var members = MembersOnce()
        var place: Int?
        var datatype: Datatype?
        var hasShape: Bool { members.has(4) }
        var binaryBytes: Int?
        /// Where `data` begins, if it came before what is needed to read it.
        var laterData: Int?
        var hasData: Bool { members.has(2) }
    }

    private mutating func input(
        _ cursor: inout JSONCursor, position: Int
    ) throws(InferenceError) {
        var fields = InputFields()
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw .missingField(field: "name", place: "Input \(position)")
        }
        repeat {
            let key = try cursor.key()
            switch key.bytes.count {
            case 4 where Self.equal(key, "name"):
                try fields.members.take(1, "name")
                fields.place = try place(&cursor, position: position)
            case 4 where Self.equal(key, "data"):
                try fields.members.take(2, "data")
                if let place = fields.place, let datatype = fields.datatype, fields.hasShape {
                    try data(&cursor, place: place, datatype: datatype)
                } else {
                    _ = cursor.peek()
                    fields.laterData = cursor.position
                    try cursor.skipValue()
                }
            case 5 where Self.equal(key, "shape"):
                try fields.members.take(4, "shape")
                try readShape(&cursor)
            case 8 where Self.equal(key, "datatype"):
                try fields.members.take(8, "datatype")
                fields.datatype = try datatype(&cursor, place: fields.place, position: position)
            case 10 where Self.equal(key, "parameters"):
                try fields.members.take(16, "parameters")
                request.saysMore = true
                var bytes: Int?
                try parameters(&cursor) { (_, cursor, key) throws(InferenceError) in
                    guard Self.equal(key, "binary_data_size") else {
                        try Self.refuseUnsupported(key)
                        return false
                    }
                    guard let whole = try cursor.wholeNumber(), !whole.isNegative,
                        let size = Int(exactly: whole.magnitude)
                    else { throw cursor.fault("a number of bytes") }
                    bytes = size
                    return true
                }
                fields.binaryBytes = bytes
            default:
                request.saysMore = true
                try skipMember(key, &cursor)
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        try finish(fields, cursor, position: position)
    }

    private mutating func finish(
        _ fields: InputFields, _ cursor: JSONCursor, position: Int
    ) throws(InferenceError) {
        guard let place = fields.place else {
            throw .missingField(field: "name", place: "Input \(position)")
        }
        if fields.hasData, fields.laterData == nil { return }
        let name = input(at: place).name
        guard fields.hasShape else {
            throw .missingField(field: "shape", place: "Input \"\(name)\"")
        }
        guard let datatype = fields.datatype else {
            throw .missingField(field: "datatype", place: "Input \"\(name)\"")
        }
        if let byteCount = fields.binaryBytes, !fields.hasData {
            return try takeBinary(byteCount, place: place, datatype: datatype)
        }
        guard let start = fields.laterData else {
            throw .missingField(field: "data", place: "Input \"\(name)\"")
        }
        var earlier = cursor
        earlier.advance(to: start)
        try data(&earlier, place: place, datatype: datatype)
    }

    private mutating func place(
        _ cursor: inout JSONCursor, position: Int
    ) throws(InferenceError) -> Int {
        let raw = try cursor.rawString()
        let place: Int?
        if raw.hasEscapes {
            place = signature.inputPlace(
                String(decoding: try cursor.unescaped(raw), as: UTF8.self))
        } else {
            place = signature.inputPlace(raw.bytes, hint: position)
        }
        guard let place else {
            throw .unknownInput(
                name: Self.shortened(raw.bytes), known: signature.inputs.map(\.name))
        }
        let isRepeated =
            place < 64
            ? seen & (1 << UInt64(truncatingIfNeeded: place)) != 0
            : request.tensors.entries.contains { $0.place == place }
        guard !isRepeated else { throw .repeatedInput(name: input(at: place).name) }
        if place < 64 { seen |= 1 << UInt64(truncatingIfNeeded: place) }
        return place
    }

    private func input(at place: Int) -> TensorSignature {
        // traps: this signature itself gave the place
        signature.inputs[place]
    }

    private func datatype(
        _ cursor: inout JSONCursor, place: Int?, position: Int
    ) throws(InferenceError) -> Datatype {
        let raw = try cursor.rawString()
        guard let datatype = Datatype(utf8: raw.bytes) else {
            let text = Self.shortened(raw.bytes)
            guard let place else {
                throw cursor.fault("a datatype such as FP32 instead of \"\(text)\"")
            }
            throw .wrongDatatype(input: input(at: place), given: text)
        }
        return datatype
    }

    private mutating func readShape(_ cursor: inout JSONCursor) throws(InferenceError) {
        shape.removeAll(keepingCapacity: true)
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        repeat {
            guard let dimension = try Int64.scan(&cursor), dimension >= 0, shape.count < 8 else {
                throw cursor.fault("a shape: at most 8 whole numbers, none negative")
            }
            shape.append(dimension)
        } while try cursor.more(until: UInt8(ascii: "]"))
    }

    private func data(
        _ cursor: inout JSONCursor, place: Int, datatype: Datatype
    ) throws(InferenceError) {
        try input(at: place).check(datatype, shape)
        let reader = TensorDataReader(
            name: input(at: place).name, datatype: datatype, shape: shape, place: place,
            tensors: request.tensors)
        try reader.read(&cursor)
    }

    private mutating func takeBinary(
        _ byteCount: Int, place: Int, datatype: Datatype
    ) throws(InferenceError) {
        try input(at: place).check(datatype, shape)
        let name = input(at: place).name
        guard byteCount <= binary.count else {
            throw .badBinary(
                name: name,
                reason: "binary_data_size is \(byteCount), but only \(binary.count) bytes follow")
        }
        try request.tensors.append(
            binary: UnsafeRawBufferPointer(rebasing: binary[..<byteCount]), place: place,
            datatype: datatype, shape: shape, name: name)
        binary = UnsafeRawBufferPointer(rebasing: binary[byteCount...])
    }

    static func equal(_ key: JSONCursor.RawString, _ word: StaticString) -> Bool {
        BytesEqual.equal(key.bytes, word)
    }

    static func shortened(_ bytes: UnsafeRawBufferPointer) -> String {
        shortened(String(decoding: bytes.prefix(400), as: UTF8.self))
    }

    static func shortened(_ text: String) -> String {
        text.count > 100 ? text.prefix(100) + "…" : text
    }
}
