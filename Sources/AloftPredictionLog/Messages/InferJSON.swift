import AloftDomain
import Foundation

/// Writes requests and replies of the Open Inference Protocol as JSON from their tensors, with the
/// shortest decimals that read back as the same numbers.
struct InferJSON {
    private var text = "{"
    private var hasMembers = false

    /// The whole object.
    var data: Data { Data((text + "}").utf8) }

    /// - Parameter json: written as it is.
    mutating func add(_ name: String, json: String) {
        begin(name)
        text += json
    }

    mutating func add(_ name: String, _ value: String) { add(name, json: Self.quoted(value)) }

    private mutating func begin(_ name: String) {
        text += "\(hasMembers ? "," : "")\(Self.quoted(name)):"
        hasMembers = true
    }

    /// A list of tensors.
    mutating func add<Tensors: Collection>(
        _ name: String, _ tensors: Tensors, _ write: (Tensors.Element, inout InferJSON) -> Void
    ) {
        begin(name)
        text += "["
        for (index, tensor) in tensors.enumerated() {
            if index > 0 { text += "," }
            write(tensor, &self)
        }
        text += "]"
    }

    /// One tensor of a list.
    ///
    /// - Parameter kind: what its elements are in memory; `nil` leaves them out.
    mutating func tensor(
        _ name: String, datatype: String, shape: [Int64], kind: TensorKind?,
        elements: UnsafeRawBufferPointer
    ) {
        let dimensions = shape.map { "\($0)" }.joined(separator: ",")
        text +=
            "{\"name\":\(Self.quoted(name)),\"datatype\":\(Self.quoted(datatype)),"
            + "\"shape\":[\(dimensions)]"
        if let kind {
            text += ",\"data\":["
            write(elements, kind)
            text += "]"
        }
        text += "}"
    }

    /// The outputs that a request asks for; all where there are none.
    mutating func add(outputs names: [String]) {
        guard !names.isEmpty else { return }
        let list = names.map { "{\"name\":\(Self.quoted($0))}" }.joined(separator: ",")
        add("outputs", json: "[\(list)]")
    }

    // MARK: Elements

    private mutating func write(_ bytes: UnsafeRawBufferPointer, _ kind: TensorKind) {
        var text = ""
        func all<Element: BitwiseCopyable>(_: Element.Type, _ write: (Element) -> String) {
            let size = MemoryLayout<Element>.size
            for index in 0..<bytes.count / size {
                if index > 0 { text += "," }
                text += write(bytes.loadUnaligned(fromByteOffset: index * size, as: Element.self))
            }
        }
        func number(_ value: Float) -> String {
            value.isFinite ? "\(value)" : value.isNaN ? "null" : value > 0 ? "1e999" : "-1e999"
        }
        switch kind {
        case .bool: all(UInt8.self) { $0 == 0 ? "false" : "true" }
        case .uint8: all(UInt8.self) { "\($0)" }
        case .uint16: all(UInt16.self) { "\($0)" }
        case .uint32: all(UInt32.self) { "\($0)" }
        case .uint64: all(UInt64.self) { "\($0)" }
        case .int8: all(Int8.self) { "\($0)" }
        case .int16: all(Int16.self) { "\($0)" }
        case .int32: all(Int32.self) { "\($0)" }
        case .int64: all(Int64.self) { "\($0)" }
        case .fp16: all(UInt16.self) { number(Float(Float16(bitPattern: $0))) }
        case .bf16: all(UInt16.self) { number(Float(bitPattern: UInt32($0) << 16)) }
        case .fp32: all(Float.self, number)
        case .fp64:
            all(Double.self) { $0.isFinite ? "\($0)" : number(Float($0)) }
        case .bytes:
            var scan = ByteScan(bytes)
            var isFirst = true
            while let element = scan.takeText(UInt32.self) {
                if !isFirst { text += "," }
                isFirst = false
                text += Self.quoted(element)
            }
        }
        self.text += text
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\u{0}"..."\u{1F}":
                quoted += "\\u" + PredictionID.hexadecimal(UInt64(scalar.value), 4)
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension InferJSON {
    /// What a compact record says was asked.
    static func request(
        _ tensors: [LoggedTensor], callerID: UnsafeRawBufferPointer?, outputs: [String]
    ) -> Data {
        var json = InferJSON()
        json.add(callerID: callerID)
        json.add("inputs", tensors)
        json.add(outputs: outputs)
        return json.data
    }

    /// What a compact record says was answered.
    static func response(
        _ tensors: [LoggedTensor], model: String, version: String,
        callerID: UnsafeRawBufferPointer?
    ) -> Data {
        var json = InferJSON()
        json.add("model_name", model)
        json.add("model_version", version)
        json.add(callerID: callerID)
        json.add("outputs", tensors)
        return json.data
    }

    private mutating func add(callerID: UnsafeRawBufferPointer?) {
        guard let callerID else { return }
        add("id", json: String(decoding: callerID, as: UTF8.self))
    }

    private mutating func add(_ name: String, _ tensors: [LoggedTensor]) {
        add(name, tensors) { tensor, json in
            json.tensor(
                tensor.signature.name, datatype: tensor.signature.kind.rawValue,
                shape: tensor.shape, kind: tensor.signature.kind, elements: tensor.elements)
        }
    }
}
