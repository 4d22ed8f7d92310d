/// Reads the body of an Open Inference Protocol request into tensors, checked against the model's
/// signature.
///
/// The protocol's binary extension is known: a tensor whose parameters say `binary_data_size` has its
/// elements after the JSON, in the order of the inputs.
package struct InferRequestReader {
    private let signature: ModelSignature
    private let request: InferenceRequest
    private var binary: UnsafeRawBufferPointer
    private var wantsBinaryOutputs = false
    /// The wanted outputs that say nothing on their form, as in `InferenceRequest.binaryOutputs`.
    private var undecidedOutputs: UInt64 = 0
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
        var reader = Self(
            signature: signature, request: request,
            binary: UnsafeRawBufferPointer(rebasing: body[length...]))
        swap(&reader.shape, &request.shapeScratch)
        defer { swap(&reader.shape, &request.shapeScratch) }
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
        var hasInputs = false
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
            throw .missingField(field: "inputs", place: "The request")
        }
        repeat {
            let key = try cursor.key()
            switch key.bytes.count {
            case 2 where Self.equal(key, "id"):
                _ = cursor.peek()
                let start = cursor.position
                _ = try cursor.rawString()
                request.requestID.append(
                    contentsOf: cursor.slice(from: start, to: cursor.position))
            case 6 where Self.equal(key, "inputs"):
                hasInputs = true
                try inputs(&cursor)
            case 7 where Self.equal(key, "outputs"): try outputs(&cursor)
            case 10 where Self.equal(key, "parameters"): try requestParameters(&cursor)
            default:
                request.saysMore = true
                try cursor.skipValue()
            }
        } while try cursor.more(until: UInt8(ascii: "}"))
        try cursor.expectEnd()
        guard hasInputs else { throw .missingField(field: "inputs", place: "The request") }
        try finish()
    }

    private mutating func finish() throws(InferenceError) {
        try signature.checkComplete(request.tensors)
        guard binary.isEmpty else {
            throw .badBinary(
                name: request.tensors.entries.last.map { signature.inputs[$0.place].name } ?? "*",
                reason: "\(binary.count) bytes follow after the last tensor")
        }
        if request.wantedOutputs.isEmpty {
            for place in signature.outputs.indices {
                request.wantedOutputs.append(Int32(place))
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
        var place: Int?
        var datatype: Datatype?
        var hasShape = false
        var binaryBytes: Int?
        /// Where `data` begins, if it came before what is needed to read it.
        var laterData: Int?
        var hasData = false
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
                fields.place = try place(&cursor, position: position)
            case 4 where Self.equal(key, "data"):
                guard !fields.hasData else { throw cursor.fault("\"data\" only once") }
                fields.hasData = true
                if let place = fields.place, let datatype = fields.datatype, fields.hasShape {
                    try data(&cursor, place: place, datatype: datatype)
                } else {
                    _ = cursor.peek()
                    fields.laterData = cursor.position
                    try cursor.skipValue()
                }
            case 5 where Self.equal(key, "shape"):
                try readShape(&cursor)
                fields.hasShape = true
            case 8 where Self.equal(key, "datatype"):
                fields.datatype = try datatype(&cursor, place: fields.place, position: position)
            case 10 where Self.equal(key, "parameters"):
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
                try cursor.skipValue()
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
        let name = signature.inputs[place].name
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
            ? seen & (1 << UInt64(place)) != 0
            : request.tensors.entries.contains { $0.place == place }
        guard !isRepeated else { throw .repeatedInput(name: signature.inputs[place].name) }
        if place < 64 { seen |= 1 << UInt64(place) }
        return place
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
            throw .wrongDatatype(input: signature.inputs[place], given: text)
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
        try signature.inputs[place].check(datatype, shape)
        var reader = TensorDataReader(
            name: signature.inputs[place].name, datatype: datatype, shape: shape, place: place,
            tensors: request.tensors)
        try reader.read(&cursor)
    }

    private mutating func takeBinary(
        _ byteCount: Int, place: Int, datatype: Datatype
    ) throws(InferenceError) {
        try signature.inputs[place].check(datatype, shape)
        let name = signature.inputs[place].name
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

    private mutating func outputs(_ cursor: inout JSONCursor) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        repeat {
            var place: Int?
            var isBinary: Bool?
            guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
                throw .missingField(field: "name", place: "An output of the request")
            }
            repeat {
                let key = try cursor.key()
                if Self.equal(key, "name") {
                    let name = try cursor.string()
                    place = signature.outputPlace(name)
                    guard place != nil else {
                        throw .unknownOutput(
                            name: Self.shortened(name), known: signature.outputs.map(\.name))
                    }
                } else if Self.equal(key, "parameters") {
                    request.saysMore = true
                    try parameters(&cursor) { (_, cursor, key) throws(InferenceError) in
                        guard Self.equal(key, "binary_data") else {
                            try Self.refuseUnsupported(key)
                            return false
                        }
                        isBinary = try cursor.boolean()
                        return true
                    }
                } else {
                    request.saysMore = true
                    try cursor.skipValue()
                }
            } while try cursor.more(until: UInt8(ascii: "}"))
            guard let place else {
                throw .missingField(field: "name", place: "An output of the request")
            }
            guard !request.wantedOutputs.contains(Int32(place)) else {
                throw cursor.fault("each output only once")
            }
            let position = request.wantedOutputs.count
            switch isBinary {
            case true?: request.setBinary(position)
            case false?: break
            case nil: undecidedOutputs |= 1 << UInt64(min(position, 63))
            }
            request.wantedOutputs.append(Int32(place))
        } while try cursor.more(until: UInt8(ascii: "]"))
    }

    private mutating func requestParameters(
        _ cursor: inout JSONCursor
    ) throws(InferenceError) {
        _ = cursor.peek()
        let start = cursor.position
        try parameters(&cursor) { (reader, cursor, key) throws(InferenceError) in
            if Self.equal(key, "binary_data_output") {
                reader.wantsBinaryOutputs = try cursor.boolean()
                return true
            }
            guard Self.equal(key, "timeout") else { return false }
            guard let whole = try cursor.wholeNumber(), !whole.isNegative else {
                throw cursor.fault("a time in whole microseconds")
            }
            reader.request.timeoutMicroseconds = Int(clamping: whole.magnitude)
            return true
        }
        request.parameters.removeAll(keepingCapacity: true)
        request.parameters.append(contentsOf: cursor.slice(from: start, to: cursor.position))
    }

    private static func refuseUnsupported(
        _ key: JSONCursor.RawString
    ) throws(InferenceError) {
        // Both words are long; no other parameter pays for the text.
        guard key.bytes.count >= 14 else { return }
        try UnsupportedParameters.check(String(decoding: key.bytes, as: UTF8.self))
    }

    /// The members of a `parameters` object; those that `take` does not know are stepped over.
    private mutating func parameters(
        _ cursor: inout JSONCursor,
        _ take: (inout Self, inout JSONCursor, JSONCursor.RawString) throws(InferenceError) -> Bool
    ) throws(InferenceError) {
        if cursor.takeLiteral("null") { return }
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        repeat {
            let key = try cursor.key()
            if try !take(&self, &cursor, key) { try cursor.skipValue() }
        } while try cursor.more(until: UInt8(ascii: "}"))
    }

    private static func equal(_ key: JSONCursor.RawString, _ word: StaticString) -> Bool {
        BytesEqual.equal(key.bytes, word)
    }

    private static func shortened(_ bytes: UnsafeRawBufferPointer) -> String {
        shortened(String(decoding: bytes.prefix(400), as: UTF8.self))
    }

    private static func shortened(_ text: String) -> String {
        text.count > 100 ? text.prefix(100) + "…" : text
    }
}
