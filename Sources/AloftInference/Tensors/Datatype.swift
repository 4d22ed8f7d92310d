/// The element types of the Open Inference Protocol.
package enum Datatype: UInt8, Sendable, Hashable, CaseIterable {
    case bool, uint8, uint16, uint32, uint64, int8, int16, int32, int64, fp16, bf16, fp32, fp64,
        bytes

    /// As the protocol writes it: `FP32`.
    package var name: String {
        switch self {
        case .bool: "BOOL"
        case .uint8: "UINT8"
        case .uint16: "UINT16"
        case .uint32: "UINT32"
        case .uint64: "UINT64"
        case .int8: "INT8"
        case .int16: "INT16"
        case .int32: "INT32"
        case .int64: "INT64"
        case .fp16: "FP16"
        case .bf16: "BF16"
        case .fp32: "FP32"
        case .fp64: "FP64"
        case .bytes: "BYTES"
        }
    }

    package init?(name: some StringProtocol) {
        guard let datatype = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = datatype
    }

    /// Like `init(name:)`, for the bytes of a request.
    init?(utf8 name: UnsafeRawBufferPointer) {
        // The commonest first: this stands on the path of every request.
        if BytesEqual.equal(name, "FP32") {
            self = .fp32
            return
        }
        self.init(name: String(decoding: name, as: UTF8.self))
    }

    /// The size of one element; 0 for BYTES, whose elements carry their own length.
    package var elementBytes: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .fp16, .bf16: 2
        case .uint32, .int32, .fp32: 4
        case .uint64, .int64, .fp64: 8
        case .bytes: 0
        }
    }

    /// The element type of ONNX (TensorProto.DataType).
    package var onnxType: Int32 {
        switch self {
        case .fp32: 1
        case .uint8: 2
        case .int8: 3
        case .uint16: 4
        case .int16: 5
        case .int32: 6
        case .int64: 7
        case .bytes: 8
        case .bool: 9
        case .fp16: 10
        case .fp64: 11
        case .uint32: 12
        case .uint64: 13
        case .bf16: 16
        }
    }

    package init?(onnxType: Int32) {
        switch onnxType {
        case 1: self = .fp32
        case 2: self = .uint8
        case 3: self = .int8
        case 4: self = .uint16
        case 5: self = .int16
        case 6: self = .int32
        case 7: self = .int64
        case 8: self = .bytes
        case 9: self = .bool
        case 10: self = .fp16
        case 11: self = .fp64
        case 12: self = .uint32
        case 13: self = .uint64
        case 16: self = .bf16
        default: return nil
        }
    }
}
