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

    package struct Tensor: Sendable {
        package fileprivate(set) var name = ""
        package fileprivate(set) var datatype = ""
        package fileprivate(set) var shape: [Int64] = []
        /// What `elements` are; `nil` where there are none, or of an unknown type.
        package fileprivate(set) var kind: TensorKind?
        /// Little-endian, row-major, those of BYTES each with its length (4) before it.
        package fileprivate(set) var elements: [UInt8] = []
    }

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
        let isWhole = data.withUnsafeBytes { read($0) }
        guard isWhole else { return nil }
    }

    private mutating func read(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var scan = ProtobufScan(bytes)
        var raws: [UnsafeRawBufferPointer] = []
        while let (field, value) = scan.next() {
            guard case .bytes(let bytes) = value else { continue }
            switch field {
            case 1: modelName = Self.text(bytes)
            case 2: modelVersion = Self.text(bytes)
            case 3: id = Self.text(bytes)
            case 4: if let parameter = Self.parameter(bytes) { parameters.append(parameter) }
            case 5:
                guard let tensor = Tensor(bytes) else { return false }
                tensors.append(tensor)
            case part.rawField: raws.append(bytes)
            case 6: outputs.append(Self.name(bytes))
            default: break
            }
        }
        for (place, raw) in raws.enumerated() where tensors.indices.contains(place) {
            tensors[place].kind = TensorKind(rawValue: tensors[place].datatype)
            tensors[place].elements = Array(raw)
        }
        return !scan.isDamaged
    }

    fileprivate static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }

    private static func name(_ output: UnsafeRawBufferPointer) -> String {
        var scan = ProtobufScan(output)
        while let (field, value) = scan.next() {
            if field == 1, case .bytes(let bytes) = value { return text(bytes) }
        }
        return ""
    }

    private static func parameter(
        _ entry: UnsafeRawBufferPointer
    ) -> (name: String, json: String)? {
        var scan = ProtobufScan(entry)
        var name = ""
        var json: String?
        while let (field, value) = scan.next() {
            guard case .bytes(let bytes) = value else { continue }
            if field == 1 { name = text(bytes) }
            if field == 2 { json = choice(bytes) }
        }
        return json.map { (name, $0) }
    }

    /// The value of an `InferParameter`.
    private static func choice(_ bytes: UnsafeRawBufferPointer) -> String? {
        var scan = ProtobufScan(bytes)
        var json: String?
        while let (field, value) = scan.next() {
            switch (field, value) {
            case (1, .varint(let bits)): json = bits == 0 ? "false" : "true"
            case (2, .varint(let bits)): json = "\(Int64(bitPattern: bits))"
            case (3, .bytes(let bytes)): json = InferJSON.quoted(text(bytes))
            case (4, .fixed64(let bits)):
                let number = Double(bitPattern: bits)
                json = number.isFinite ? "\(number)" : "null"
            case (5, .varint(let bits)): json = "\(bits)"
            default: break
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

extension InferMessage.Tensor {
    /// `nil` where the bytes are no tensor's message.
    fileprivate init?(_ bytes: UnsafeRawBufferPointer) {
        var scan = ProtobufScan(bytes)
        while let (field, value) = scan.next() {
            switch (field, value) {
            case (1, .bytes(let bytes)): name = InferMessage.text(bytes)
            case (2, .bytes(let bytes)): datatype = InferMessage.text(bytes)
            case (3, .varint(let bits)): shape.append(Int64(bitPattern: bits))
            case (3, .bytes(let bytes)):
                var packed = ProtobufScan(bytes)
                while let bits = packed.varint() { shape.append(Int64(bitPattern: bits)) }
            case (5, .bytes(let bytes)): guard take(contents: bytes) else { return nil }
            default: break
            }
        }
        guard !scan.isDamaged else { return nil }
    }

    /// Typed elements. They are what their field says, also where that is not the tensor's datatype.
    private mutating func take(contents: UnsafeRawBufferPointer) -> Bool {
        let kinds: [TensorKind] = [
            .bool, .int32, .int64, .uint32, .uint64, .fp32, .fp64, .bytes,
        ]
        var scan = ProtobufScan(contents)
        while let (field, value) = scan.next() {
            guard (1...8).contains(field) else { continue }
            let kind = kinds[Int(field) - 1]
            self.kind = kind
            switch (kind, value) {
            case (.fp32, .fixed32(let bits)): put(bits)
            case (.fp64, .fixed64(let bits)): put(bits)
            case (.fp32, .bytes(let bytes)), (.fp64, .bytes(let bytes)): elements += bytes
            case (.bytes, .bytes(let bytes)):
                put(UInt32(truncatingIfNeeded: bytes.count))
                elements += bytes
            case (_, .varint(let bits)): put(bits, kind)
            case (_, .bytes(let bytes)):
                var packed = ProtobufScan(bytes)
                while let bits = packed.varint() { put(bits, kind) }
            default: return false
            }
        }
        return !scan.isDamaged
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
