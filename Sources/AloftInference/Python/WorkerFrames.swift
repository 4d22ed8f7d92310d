import AloftDomain
import Foundation
import NIOCore

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

        var error: InferenceError {
            switch code {
            case "invalid_request": .refusedByModel(reason: message)
            case "invalid_body": .badTable(reason: message)
            case "wrong_type": .wrongType(reason: message)
            case "answer_unwritable", "answer_too_large": .badAnswer(reason: message)
            default: .modelFailed(reason: message)
            }
        }
    }

    /// The answer to one body of MLflow scoring: the length of its text, or why there is none.
    struct DocumentHeader: Decodable {
        var length: Int?
        var error: Failure?
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
        var documents: [DocumentHeader]?
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
        if let document = request.document { return try start(of: [document], id: id) }
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
        var frame = begun(headerBytes: length)
        frame += before
        frame += inputs
        frame += between
        try WorkerParameters.write(request.parameters, to: &frame)
        frame.append(UInt8(ascii: "}"))
        end(&frame, payloadBytes: offset)
        return frame
    }

    /// The same for bodies of MLflow scoring, which follow one behind the other.
    ///
    /// - Parameter together: rows of several may go into one call of the model.
    static func start(
        of documents: [ScoringDocument], id: UInt64, together: Bool = false
    ) throws(InferenceError) -> [UInt8] {
        var text = "{\"id\":\(id),\"kind\":\"invocations\",\"together\":\(together),\"documents\":["
        var payload = 0
        for (place, document) in documents.enumerated() {
            let type = String(decoding: JSONText.quoted(document.contentType), as: UTF8.self)
            text += (place > 0 ? "," : "") + "{\"content_type\":" + type
            text += ",\"length\":\(document.body.readableBytes)}"
            payload += document.body.readableBytes
        }
        text += "]}"
        guard text.utf8.count <= Limit.sentHeaderBytes else {
            throw .badTable(reason: "The content type is too long.")
        }
        var frame = begun(headerBytes: text.utf8.count)
        frame += Array(text.utf8)
        end(&frame, payloadBytes: payload)
        return frame
    }

    /// The header's length is known when it is written.
    private static func begun(headerBytes: Int) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(lengthBytes + headerBytes)
        frame.append(contentsOf: repeatElement(0, count: lengthBytes))
        return frame
    }

    private static func end(_ frame: inout [UInt8], payloadBytes: Int) {
        let written = UInt32(clamping: frame.count - lengthBytes)
        frame.withUnsafeMutableBytes {
            $0.storeBytes(of: written.littleEndian, as: UInt32.self)
            $0.storeBytes(
                of: UInt64(clamping: payloadBytes).littleEndian, toByteOffset: 4, as: UInt64.self)
        }
    }

    /// Hands over what goes behind `start(of:)`, piece by piece.
    static func eachPayload(
        of request: InferenceRequest,
        _ send: (UnsafeRawBufferPointer) throws(InferenceError) -> Void
    ) throws(InferenceError) {
        if let document = request.document {
            let result = document.body.withUnsafeReadableBytes { bytes in
                Result { () throws(InferenceError) in try send(bytes) }
            }
            return try result.get()
        }
        let tensors = request.tensors
        for entry in tensors.entries { try send(tensors.bytes(entry)) }
    }

    /// What goes before the frames of requests that are to share one call of the model.
    static func batch(of count: Int) -> [UInt8] {
        let header = Array("{\"kind\":\"batch\",\"count\":\(count)}".utf8)
        // traps: a constant
        var frame = [UInt8](repeating: 0, count: lengthBytes)
        frame[0] = UInt8(truncatingIfNeeded: header.count)
        return frame + header
    }

    static let lengthBytes = 12
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
