import Foundation

/// A tensor of a compact record. A list of them is their count (1 byte), then for each its place in the
/// model's inputs or outputs (1), the number of its dimensions (1) and those (4 each), the length of its
/// elements (4) and those: little-endian, row-major, a text with its length (4) before it.
struct LoggedTensor {
    /// The element types of the Open Inference Protocol.
    enum Kind: String {
        case bool = "BOOL"
        case uint8 = "UINT8"
        case uint16 = "UINT16"
        case uint32 = "UINT32"
        case uint64 = "UINT64"
        case int8 = "INT8"
        case int16 = "INT16"
        case int32 = "INT32"
        case int64 = "INT64"
        case fp16 = "FP16"
        case bf16 = "BF16"
        case fp32 = "FP32"
        case fp64 = "FP64"
        case bytes = "BYTES"
    }

    let place: Int
    let signature: PredictionSource.Signature.Tensor
    let dimensions: [UInt32]
    let elements: UnsafeRawBufferPointer

    /// `nil` where they do not fit the bytes or the signature.
    static func all(
        in bytes: UnsafeRawBufferPointer, _ signature: [PredictionSource.Signature.Tensor]
    ) -> [LoggedTensor]? {
        var scan = ByteScan(bytes)
        guard let count = scan.take(UInt8.self) else { return nil }
        var tensors: [LoggedTensor] = []
        for _ in 0..<count {
            guard let place = scan.take(UInt8.self), Int(place) < signature.count,
                let rank = scan.take(UInt8.self)
            else { return nil }
            var dimensions: [UInt32] = []
            for _ in 0..<rank {
                guard let dimension = scan.take(UInt32.self) else { return nil }
                dimensions.append(dimension)
            }
            guard let elements = scan.takeBytes(UInt32.self) else { return nil }
            tensors.append(
                LoggedTensor(
                    place: Int(place), signature: signature[Int(place)], dimensions: dimensions,
                    elements: elements))
        }
        return tensors
    }
}

/// Writes tensors as the Open Inference Protocol's JSON again. The same numbers come back from it; NaN
/// is `null`, as the gateway writes and reads it.
enum LoggedJSON {
    /// - Parameter outputs: the names of those that were asked for; empty where all were.
    static func request(
        _ tensors: [LoggedTensor], callerID: UnsafeRawBufferPointer?, outputs: [String]
    ) -> Data {
        var text = "{"
        if let callerID { text += "\"id\":\(String(decoding: callerID, as: UTF8.self))," }
        text += "\"inputs\":["
        for (index, tensor) in tensors.enumerated() {
            text +=
                "\(index == 0 ? "" : ","){\"name\":\(quoted(tensor.signature.name)),"
                + "\"shape\":\(shape(tensor)),\"datatype\":\"\(tensor.signature.kind.rawValue)\","
                + "\"data\":["
            write(tensor, to: &text)
            text += "]}"
        }
        text += "]"
        if !outputs.isEmpty {
            let names = outputs.map { "{\"name\":\(quoted($0))}" }.joined(separator: ",")
            text += ",\"outputs\":[\(names)]"
        }
        return Data((text + "}").utf8)
    }

    static func response(
        _ tensors: [LoggedTensor], model: String, version: String,
        callerID: UnsafeRawBufferPointer?
    ) -> Data {
        var text = "{\"model_name\":\(quoted(model)),\"model_version\":\(quoted(version))"
        if let callerID { text += ",\"id\":\(String(decoding: callerID, as: UTF8.self))" }
        text += ",\"outputs\":["
        for (index, tensor) in tensors.enumerated() {
            text +=
                "\(index == 0 ? "" : ","){\"name\":\(quoted(tensor.signature.name)),"
                + "\"datatype\":\"\(tensor.signature.kind.rawValue)\",\"shape\":\(shape(tensor)),"
                + "\"data\":["
            write(tensor, to: &text)
            text += "]}"
        }
        return Data((text + "]}").utf8)
    }

    private static func shape(_ tensor: LoggedTensor) -> String {
        "[\(tensor.dimensions.map { "\($0)" }.joined(separator: ","))]"
    }

    private static func write(_ tensor: LoggedTensor, to text: inout String) {
        let bytes = tensor.elements
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
        switch tensor.signature.kind {
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
                text += quoted(element)
            }
        }
    }

    private static func quoted(_ text: String) -> String {
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
