import AloftDomain
import Foundation

/// The messages between a gateway and a Python worker (`python/aloft_models/worker/frames.py`): the
/// length of the header (4 bytes) and of the payload (8), both little-endian, the header as JSON, and
/// the payload.
enum WorkerFrames {
    struct TensorHeader: Codable {
        var name: String
        var datatype: String
        var shape: [Int64]
        var offset: Int
        var length: Int
    }

    struct Request: Encodable {
        var id: UInt64
        var kind = "infer"
        var inputs: [TensorHeader]
        var parameters: [String: JSONValue] = [:]
    }

    struct Failure: Decodable {
        var code: String
        var message: String
    }

    struct Signature: Decodable {
        var name: String
        var datatype: String
        var shape: [Int]
    }

    /// Any message from a worker.
    struct Message: Decodable {
        enum Tensors: Decodable {
            case values([TensorHeader])
            case signatures([Signature])

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let values = try? container.decode([TensorHeader].self) {
                    self = .values(values)
                } else {
                    self = .signatures(try container.decode([Signature].self))
                }
            }
        }

        var kind: String?
        var id: UInt64?
        var error: Failure?
        var inputs: Tensors?
        var outputs: Tensors?
    }

    static let maximumHeaderBytes = 16 << 20
    static let maximumPayloadBytes: UInt64 = 4 << 30

    /// The frame of a request.
    static func encode(
        _ request: InferenceRequest, id: UInt64, signature: ModelSignature
    ) throws -> [UInt8] {
        let tensors = request.tensors
        var offset = 0
        var headers: [TensorHeader] = []
        for entry in tensors.entries {
            headers.append(
                TensorHeader(
                    name: signature.inputs[entry.place].name, datatype: entry.datatype.name,
                    shape: Array(tensors.shape(entry)), offset: offset, length: entry.byteCount))
            offset += entry.byteCount
        }
        var message = Request(id: id, inputs: headers)
        message.parameters = parameters(request)
        let header = try JSONEncoder().encode(message)
        var frame: [UInt8] = []
        frame.reserveCapacity(12 + header.count + offset)
        withUnsafeBytes(of: UInt32(header.count).littleEndian) { frame.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt64(offset).littleEndian) { frame.append(contentsOf: $0) }
        frame.append(contentsOf: header)
        for entry in tensors.entries { frame.append(contentsOf: tensors.bytes(entry)) }
        return frame
    }

    /// The caller's parameters, but for those which speak of the protocol alone.
    private static func parameters(_ request: InferenceRequest) -> [String: JSONValue] {
        guard !request.parameters.isEmpty,
            var parameters = try? JSONDecoder().decode(
                [String: JSONValue].self, from: Data(request.parameters))
        else { return [:] }
        for name in ["binary_data_output", "timeout", "priority"] { parameters[name] = nil }
        return parameters
    }

    /// Puts the wanted outputs of a reply into `target`, in order.
    static func decode(
        _ outputs: [TensorHeader], payload: [UInt8], request: InferenceRequest,
        signature: ModelSignature, into target: TensorSet
    ) throws(InferenceError) {
        target.reset()
        for place in request.wantedOutputs {
            let wanted = signature.outputs[Int(place)]
            guard let output = outputs.first(where: { $0.name == wanted.name }) else {
                throw .workerFailed(reason: "it gave no output \"\(wanted.name)\"")
            }
            guard let datatype = Datatype(name: output.datatype), output.offset >= 0,
                output.length >= 0, output.offset <= payload.count,
                output.length <= payload.count - output.offset, output.shape.count <= 8,
                let count = TensorShape.elementCount(output.shape),
                datatype == .bytes
                    || count.multipliedReportingOverflow(by: datatype.elementBytes)
                        == (output.length, false)
            else { throw .workerFailed(reason: "its output \"\(wanted.name)\" is malformed") }
            guard datatype == wanted.datatype else {
                throw .workerFailed(
                    reason: "its output \"\(wanted.name)\" is \(datatype.name), not "
                        + wanted.datatype.name)
            }
            let memory = target.append(
                place: Int(place), datatype: datatype, dimensions: output.shape,
                elementCount: count, byteCount: output.length)
            payload.withUnsafeBytes {
                memory.copyBytes(
                    from: UnsafeRawBufferPointer(
                        rebasing: $0[output.offset..<output.offset + output.length]))
            }
        }
    }
}
