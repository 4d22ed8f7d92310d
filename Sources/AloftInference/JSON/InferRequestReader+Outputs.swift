// What a request says beside its inputs.

extension InferRequestReader {
    mutating func outputs(_ cursor: inout JSONCursor) throws(InferenceError) {
        guard try cursor.open(UInt8(ascii: "["), close: UInt8(ascii: "]")) else { return }
        repeat {
            var members = MembersOnce()
            var place: Int?
            // Of a model that does not say what it gives.
            var ownName: String?
            var isBinary: Bool?
            guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else {
                throw .missingField(field: "name", place: "An output of the request")
            }
            repeat {
                let key = try cursor.key()
                if Self.equal(key, "name") {
                    try members.take(1, "name")
                    let name = try cursor.string()
                    place = signature.outputPlace(name)
                    if signature.outputs.isEmpty { ownName = name }
                    guard place != nil || ownName != nil else {
                        throw .unknownOutput(
                            name: Self.shortened(name), known: signature.outputs.map(\.name))
                    }
                } else if Self.equal(key, "parameters") {
                    try members.take(2, "parameters")
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
                    try skipMember(key, &cursor)
                }
            } while try cursor.more(until: UInt8(ascii: "}"))
            if let ownName {
                if isBinary == true { request.setBinary(request.wantedNames.count) }
                try request.want(ownName)
                continue
            }
            guard let place else {
                throw .missingField(field: "name", place: "An output of the request")
            }
            guard !request.wantedOutputs.contains(Int32(truncatingIfNeeded: place)) else {
                throw cursor.fault("each output only once")
            }
            let position = request.wantedOutputs.count
            switch isBinary {
            case true?: request.setBinary(position)
            case false?: break
            case nil: undecidedOutputs |= 1 << UInt64(clamping: min(position, 63))
            }
            request.wantedOutputs.append(Int32(truncatingIfNeeded: place))
        } while try cursor.more(until: UInt8(ascii: "]"))
    }

    mutating func requestParameters(
        _ cursor: inout JSONCursor
    ) throws(InferenceError) {
        _ = cursor.peek()
        let start = cursor.position
        var members = MembersOnce()
        try parameters(&cursor) { (reader, cursor, key) throws(InferenceError) in
            if Self.equal(key, "binary_data_output") {
                try members.take(1, "binary_data_output")
                reader.wantsBinaryOutputs = try cursor.boolean()
                return true
            }
            guard Self.equal(key, "timeout") else { return false }
            try members.take(2, "timeout")
            guard let whole = try cursor.wholeNumber(), !whole.isNegative else {
                throw cursor.fault("a time in whole microseconds")
            }
            reader.request.timeoutMicroseconds = Int(clamping: whole.magnitude)
            return true
        }
        request.parameters.removeAll(keepingCapacity: true)
        request.parameters.append(contentsOf: cursor.slice(from: start, to: cursor.position))
    }

    static func refuseUnsupported(
        _ key: JSONCursor.RawString
    ) throws(InferenceError) {
        // Both words are long; no other parameter pays for the text.
        guard key.bytes.count >= 14 else { return }
        try UnsupportedParameters.check(String(decoding: key.bytes, as: UTF8.self))
    }

    /// The members of a `parameters` object; those that `take` does not know are stepped over.
    mutating func parameters(
        _ cursor: inout JSONCursor,
        _ take: (inout Self, inout JSONCursor, JSONCursor.RawString) throws(InferenceError) -> Bool
    ) throws(InferenceError) {
        if cursor.takeLiteral("null") { return }
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        repeat {
            let key = try cursor.key()
            if key.hasEscapes { try cursor.checkEscapes(key) }
            if try !take(&self, &cursor, key) { try cursor.skipValue() }
        } while try cursor.more(until: UInt8(ascii: "}"))
    }

    /// Steps over a member that is not known. One that spells a known name with escapes is refused: other
    /// readers take it for that.
    func skipMember(
        _ key: JSONCursor.RawString, _ cursor: inout JSONCursor
    ) throws(InferenceError) {
        if key.hasEscapes {
            let name = String(decoding: try cursor.unescaped(key), as: UTF8.self)
            guard !Self.members.contains(name) else {
                throw cursor.fault("the member \"\(name)\" without escapes before")
            }
        }
        try cursor.skipValue()
    }

    private static let members = [
        "id", "inputs", "outputs", "parameters", "name", "shape", "datatype", "data",
    ]
}

/// The members of an object that came already, each of which may come once: of two, readers disagree which
/// one counts.
struct MembersOnce {
    private var seen: UInt8 = 0

    @inline(__always)
    func has(_ bit: UInt8) -> Bool { seen & bit != 0 }

    @inline(__always)
    mutating func take(_ bit: UInt8, _ name: StaticString) throws(InferenceError) {
        guard seen & bit == 0 else { throw Self.repeated(name) }
        seen |= bit
    }

    @inline(never)
    private static func repeated(_ name: StaticString) -> InferenceError {
        .repeatedMember(name: "\(name)")
    }
}
