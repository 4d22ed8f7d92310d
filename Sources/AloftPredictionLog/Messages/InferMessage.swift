package import AloftDomain
package import Foundation

/// A message `ModelInferRequest` or `ModelInferResponse` of the prediction log, read to be shown and
/// compared. What the models are given is read elsewhere, by what they take.
package struct InferMessage: Sendable {
    package enum Part: Sendable {
        case request
        case response

        /// Which field has the elements of all tensors in binary.
        fileprivate var rawField: UInt64 { self == .request ? 7 : 6 }
        fileprivate var list: String { self == .request ? "inputs" : "outputs" }
    }

    /// The bytes are no message from some place on, which nobody asks for.
    fileprivate struct Damage: ProtobufFault {
        static func malformed(expected: String, offset: Int) -> Damage { Damage() }
    }

    fileprivate typealias Reader = ProtobufReader<Damage>

    package private(set) var tensors: [Tensor] = []
    private let part: Part
    private var modelName = ""
    private var modelVersion = ""
    private var id = ""
    /// By name, as JSON.
    private var parameters: [(name: String, json: String)] = []
    private var outputs: [String] = []

    /// `nil` where the bytes are no such message, as where they were cut.
    package init?(_ data: Data, _ part: Part) {
        self.part = part
        let isWhole = data.withUnsafeBytes { bytes in
            do throws(Damage) {
                try read(bytes)
                return true
            } catch {
                return false
            }
        }
        guard isWhole else { return nil }
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) throws(Damage) {
        var reader = Reader(bytes)
        var raws: [UnsafeRawBufferPointer] = []
        while let (field, wire) = try reader.next() {
            guard wire == .bytes else {
                try reader.skip(wire)
                continue
            }
            let value = try reader.slice()
            switch field {
            case 1: modelName = Self.text(value)
            case 2: modelVersion = Self.text(value)
            case 3: id = Self.text(value)
            case 4: if let parameter = try? Self.parameter(value) { parameters.append(parameter) }
            case 5: tensors.append(try Tensor(value))
            case part.rawField: raws.append(value.bytes)
            case 6: outputs.append((try? Self.name(value)) ?? "")
            default: break
            }
        }
        for (place, raw) in raws.enumerated() where tensors.indices.contains(place) {
            tensors[place].takeRaw(raw)
        }
    }

    fileprivate static func text(_ slice: ProtobufSlice) -> String {
        String(decoding: slice.bytes, as: UTF8.self)
    }

    private static func name(_ output: ProtobufSlice) throws(Damage) -> String {
        var reader = Reader(output)
        while let (field, wire) = try reader.next() {
            if field == 1, wire == .bytes { return text(try reader.slice()) }
            try reader.skip(wire)
        }
        return ""
    }

    private static func parameter(
        _ entry: ProtobufSlice
    ) throws(Damage) -> (name: String, json: String)? {
        var reader = Reader(entry)
        var name = ""
        var json: String?
        while let (field, wire) = try reader.next() {
            switch (field, wire) {
            case (1, .bytes): name = text(try reader.slice())
            case (2, .bytes): json = try choice(try reader.slice())
            default: try reader.skip(wire)
            }
        }
        return json.map { (name, $0) }
    }

    /// The value of an `InferParameter`.
    private static func choice(_ value: ProtobufSlice) throws(Damage) -> String? {
        var reader = Reader(value)
        var json: String?
        while let (field, wire) = try reader.next() {
            switch (field, wire) {
            case (1, .varint): json = try reader.varint() == 0 ? "false" : "true"
            case (2, .varint): json = "\(Int64(bitPattern: try reader.varint()))"
            case (3, .bytes): json = InferJSON.quoted(text(try reader.slice()))
            case (4, .fixed64):
                let number = Double(bitPattern: try reader.fixed(UInt64.self))
                json = number.isFinite ? "\(number)" : "null"
            case (5, .varint): json = "\(try reader.varint())"
            default: try reader.skip(wire)
            }
        }
        return json
    }

    /// As the Open Inference Protocol writes the same in JSON. Elements of BYTES that are no text are
    /// mended, so this is for people to read.
    package var json: Data {
        var json = InferJSON()
        if !modelName.isEmpty { json.add("model_name", modelName) }
        if !modelVersion.isEmpty { json.add("model_version", modelVersion) }
        if !id.isEmpty { json.add("id", id) }
        if !parameters.isEmpty {
            let members = parameters.map { "\(InferJSON.quoted($0.name)):\($0.json)" }
            json.add("parameters", json: "{\(members.joined(separator: ","))}")
        }
        json.add(part.list, tensors) { tensor, json in
            tensor.elements.withUnsafeBytes { elements in
                json.tensor(
                    tensor.name, datatype: tensor.datatype, shape: tensor.shape,
                    kind: tensor.kind, elements: elements)
            }
        }
        json.add(outputs: outputs)
        return json.data
    }
}

extension InferMessage {
    package struct Tensor: Sendable {
        package private(set) var name = ""
        package private(set) var datatype = ""
        package private(set) var shape: [Int64] = []
        /// What `elements` are; `nil` where there are none, or of an unknown type.
        package private(set) var kind: TensorKind?
        /// Little-endian, row-major, those of BYTES each with its length (4) before it.
        package private(set) var elements: [UInt8] = []

        fileprivate init(_ tensor: ProtobufSlice) throws(Damage) {
            var reader = Reader(tensor)
            while let (field, wire) = try reader.next() {
                switch (field, wire) {
                case (1, .bytes): name = InferMessage.text(try reader.slice())
                case (2, .bytes): datatype = InferMessage.text(try reader.slice())
                case (3, .varint): shape.append(Int64(bitPattern: try reader.varint()))
                case (3, .bytes):
                    var packed = Reader(try reader.slice())
                    while !packed.isAtEnd {
                        shape.append(Int64(bitPattern: try packed.varint()))
                    }
                case (5, .bytes): try take(contents: try reader.slice())
                default: try reader.skip(wire)
                }
            }
        }

        /// The elements in binary, beside the tensor's message.
        fileprivate mutating func takeRaw(_ bytes: UnsafeRawBufferPointer) {
            kind = TensorKind(rawValue: datatype)
            elements = Array(bytes)
        }

        /// Typed elements. They are what their field says, also where that is not the tensor's datatype.
        private mutating func take(contents: ProtobufSlice) throws(Damage) {
            let kinds: [TensorKind] = [
                .bool, .int32, .int64, .uint32, .uint64, .fp32, .fp64, .bytes,
            ]
            var reader = Reader(contents)
            while let (field, wire) = try reader.next() {
                guard (1...8).contains(field) else {
                    try reader.skip(wire)
                    continue
                }
                let kind = kinds[Int(field) - 1]
                self.kind = kind
                switch (kind, wire) {
                case (.fp32, .fixed32): put(try reader.fixed(UInt32.self))
                case (.fp64, .fixed64): put(try reader.fixed(UInt64.self))
                case (.fp32, .bytes), (.fp64, .bytes): elements += try reader.slice().bytes
                case (.bytes, .bytes):
                    let bytes = try reader.slice().bytes
                    put(UInt32(truncatingIfNeeded: bytes.count))
                    elements += bytes
                case (_, .varint): put(try reader.varint(), kind)
                case (_, .bytes):
                    var packed = Reader(try reader.slice())
                    while !packed.isAtEnd { put(try packed.varint(), kind) }
                default: throw Damage()
                }
            }
        }

        private mutating func put(_ bits: UInt64, _ kind: TensorKind) {
            switch kind {
            case .bool: elements.append(bits == 0 ? 0 : 1)
            case .int32, .uint32: put(UInt32(truncatingIfNeeded: bits))
            default: put(bits)
            }
        }

        private mutating func put(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { elements += $0 }
        }
    }
}
