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

    /// What is taken from a worker, and what is sent to one.
    enum Limit {
        static let headerBytes = 16 << 20
        static let payloadBytes: UInt64 = 1 << 30
        static let sentHeaderBytes = 16 << 20
    }

    /// What goes before the elements of a request: the lengths, and the header.
    ///
    /// - Throws: `InferenceError.modelFailed` where it is more than a worker takes.
    static func start(
        of request: InferenceRequest, id: UInt64, signature: ModelSignature
    ) throws(InferenceError) -> [UInt8] {
        let tensors = request.tensors
        var offset = 0
        var headers: [TensorHeader] = []
        for entry in tensors.entries {
            guard let input = signature.input(at: entry.place) else {
                throw .modelFailed(reason: "the request has a tensor that the model does not take")
            }
            headers.append(
                TensorHeader(
                    name: input.name, datatype: entry.datatype.name,
                    shape: Array(tensors.shape(entry)), offset: offset, length: entry.byteCount))
            offset += entry.byteCount
        }
        guard let inputs = try? JSONEncoder().encode(headers) else {
            throw .modelFailed(reason: "the request cannot be written")
        }
        let before = Array("{\"id\":\(id),\"kind\":\"infer\",\"inputs\":".utf8)
        let between = Array(",\"parameters\":".utf8)
        let length =
            before.count + inputs.count + between.count + max(request.parameters.count, 2) + 1
        guard length <= Limit.sentHeaderBytes else {
            throw .modelFailed(
                reason: "names and parameters take \(length) bytes; a Python model takes at most "
                    + "\(Limit.sentHeaderBytes)")
        }
        var frame: [UInt8] = []
        frame.reserveCapacity(lengthBytes + length)
        // The header's length is known when it is written.
        frame.append(contentsOf: repeatElement(0, count: lengthBytes))
        frame += before
        frame += inputs
        frame += between
        try WorkerParameters.write(request.parameters, to: &frame)
        frame.append(UInt8(ascii: "}"))
        let written = UInt32(clamping: frame.count - lengthBytes)
        frame.withUnsafeMutableBytes {
            $0.storeBytes(of: written.littleEndian, as: UInt32.self)
            $0.storeBytes(
                of: UInt64(clamping: offset).littleEndian, toByteOffset: 4, as: UInt64.self)
        }
        return frame
    }

    static let lengthBytes = 12

    /// Puts the wanted outputs of a reply into `target`, in order.
    static func decode(
        _ outputs: [TensorHeader], payload: [UInt8], request: InferenceRequest,
        signature: ModelSignature, into target: TensorSet
    ) throws(InferenceError) {
        target.reset()
        for place in request.wantedOutputs {
            guard let wanted = signature.output(at: Int(truncatingIfNeeded: place)) else {
                throw .workerFailed(reason: "it does not say what it gives")
            }
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
            let end = output.offset + output.length
            let isWhole = payload.withUnsafeBytes { bytes in
                let elements = UnsafeRawBufferPointer(rebasing: bytes[output.offset..<end])
                guard datatype != .bytes || BinaryStrings.areWhole(elements, count: count) else {
                    return false
                }
                target.append(
                    place: Int(truncatingIfNeeded: place), datatype: datatype,
                    dimensions: output.shape, elementCount: count, byteCount: output.length
                ).copyBytes(from: elements)
                return true
            }
            guard isWhole else {
                throw .workerFailed(reason: "its output \"\(wanted.name)\" is malformed")
            }
        }
    }
}

/// A request's parameters as a Python model gets them: but for those which speak of the protocol alone.
enum WorkerParameters {
    /// Writes the object, member by member as it came: a tree of it would take many times its text.
    static func write(_ parameters: [UInt8], to frame: inout [UInt8]) throws(InferenceError) {
        frame.append(UInt8(ascii: "{"))
        // Nothing, or null, which is as good.
        if parameters.first == UInt8(ascii: "{") {
            let result = parameters.withUnsafeBytes { bytes in
                Result { () throws(InferenceError) in try write(JSONCursor(bytes), to: &frame) }
            }
            try result.get()
        }
        frame.append(UInt8(ascii: "}"))
    }

    private static func write(
        _ start: JSONCursor, to frame: inout [UInt8]
    ) throws(InferenceError) {
        var cursor = start
        var isFirst = true
        guard try cursor.open(UInt8(ascii: "{"), close: UInt8(ascii: "}")) else { return }
        repeat {
            _ = cursor.peek()
            let begin = cursor.position
            let key = try cursor.key()
            try cursor.skipValue()
            if isOfProtocol(key.bytes) { continue }
            if !isFirst { frame.append(UInt8(ascii: ",")) }
            isFirst = false
            frame.append(contentsOf: cursor.slice(from: begin, to: cursor.position))
        } while try cursor.more(until: UInt8(ascii: "}"))
    }

    private static func isOfProtocol(_ name: UnsafeRawBufferPointer) -> Bool {
        BytesEqual.equal(name, "binary_data_output") || BytesEqual.equal(name, "timeout")
            || BytesEqual.equal(name, "priority")
    }
}
