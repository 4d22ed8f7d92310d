import AloftGateway
import NIOCore

/// Writes `ModelStreamInferResponse` in its prefix. What a single call says in headers stands in the
/// answer's parameters here, under the same names.
enum StreamAnswer {
    static func answered(_ answer: CallAnswer) -> ByteBuffer {
        var parameters = final
        parameters.add("x-aloft-prediction-id", text: answer.predictionID)
        parameters.add("x-aloft-revision", whole: UInt64(clamping: answer.revision))
        if let trace = answer.traceParent { parameters.add("traceparent", text: trace) }
        return framed(error: [], inner: answer.message, parameters)
    }

    /// - Parameter id: the request's own.
    static func refused(_ refusal: CallRefusal, id: [UInt8]) -> ByteBuffer {
        var inner = ProtobufBytes()
        if !id.isEmpty { inner.add(3, id) }
        var parameters = final
        parameters.add("aloft-error-code", text: refusal.code)
        if let id = refusal.predictionID { parameters.add("x-aloft-prediction-id", text: id) }
        var error = ProtobufBytes()
        error.add(1, Array(refusal.message.utf8))
        return framed(error: error.bytes, inner: ByteBuffer(bytes: inner.bytes), parameters)
    }

    /// No other answer to the same message follows. Triton's clients look for it.
    private static let final: ResponseParameters = {
        var parameters = ResponseParameters()
        parameters.add("triton_final_response", choice: [0x08, 1])
        return parameters
    }()

    private static func framed(
        error: [UInt8], inner: ByteBuffer, _ parameters: ResponseParameters
    ) -> ByteBuffer {
        let innerBytes = inner.readableBytes + parameters.bytes.count
        var head = ProtobufBytes()
        head.bytes = error
        head.begin(2, byteCount: innerBytes)
        let count = head.bytes.count + innerBytes
        var output = ByteBuffer()
        output.reserveCapacity(MessageFraming.prefixBytes + count)
        output.writeInteger(UInt8(0))
        output.writeInteger(UInt32(truncatingIfNeeded: count))
        output.writeBytes(head.bytes)
        output.writeImmutableBuffer(inner)
        // Fields may come in any order, and a map's entries one by one.
        output.writeBytes(parameters.bytes)
        return output
    }
}

/// Entries of the map `parameters` of a `ModelInferResponse`.
private struct ResponseParameters {
    private var entries = ProtobufBytes()

    var bytes: [UInt8] { entries.bytes }

    mutating func add(_ name: String, text: String) {
        var choice = ProtobufBytes()
        choice.add(3, Array(text.utf8))
        add(name, choice: choice.bytes)
    }

    mutating func add(_ name: String, whole: UInt64) {
        var choice = ProtobufBytes()
        choice.bytes.append(0x10)
        choice.varint(whole)
        add(name, choice: choice.bytes)
    }

    mutating func add(_ name: String, choice: [UInt8]) {
        var entry = ProtobufBytes()
        entry.add(1, Array(name.utf8))
        entry.add(2, choice)
        entries.add(4, entry.bytes)
    }
}

private struct ProtobufBytes {
    var bytes: [UInt8] = []

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    /// The begin of a field of so many bytes.
    mutating func begin(_ field: UInt8, byteCount: Int) {
        bytes.append(field << 3 | 2)
        varint(UInt64(byteCount))
    }

    mutating func add(_ field: UInt8, _ content: [UInt8]) {
        begin(field, byteCount: content.count)
        bytes += content
    }
}
