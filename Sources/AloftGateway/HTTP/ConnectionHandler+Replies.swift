import AloftDomain
import AloftInference
import NIOCore

extension ConnectionHandler {
    /// Of a request that came to no revision.
    func answer(_ failure: GatewayFailure) {
        loop.shared.unrouted.add(failure)
        answerError(status: failure.httpStatus, code: failure.code, message: failure.message)
    }

    func answer(_ failure: InferenceError) {
        answerError(
            status: failure.httpStatus, code: failure.code, message: failure.message,
            retryAfterSeconds: failure.retryAfterSeconds)
    }

    /// `{"error": "…", "code": "…"}`, the form of the Open Inference Protocol with our code beside it.
    func answerError(
        status: Int, code: String, message: String, predictionID: PredictionID? = nil,
        retryAfterSeconds: Int = 1
    ) {
        let body =
            Array("{\"error\":".utf8) + JSONText.quoted(message) + Array(",\"code\":\"".utf8)
            + Array(code.utf8) + Array("\"}".utf8)
        var headers: [(String, String)] = []
        if status == 429 || status == 503 {
            headers.append(("retry-after", "\(retryAfterSeconds)"))
        }
        if status == 401 { headers.append(("www-authenticate", "Bearer")) }
        if let predictionID {
            headers.append(("x-aloft-prediction-id", predictionID.text))
            if let trace = current?.trace {
                headers.append(("traceparent", trace.continued(by: predictionID.spanID)))
            }
        }
        answer(
            status: status, contentType: "application/json", headers: headers, body: body,
            predictionID: predictionID)
    }

    func answer(
        status: Int, contentType: String = "application/json", headers: [(String, String)] = [],
        body: [UInt8], predictionID: PredictionID? = nil
    ) {
        var text =
            "HTTP/1.1 \(status) \(Self.reason(status))\r\ncontent-type: \(contentType)\r\n"
            + "content-length: \(body.count)\r\n"
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let current, current.isKeptAlive, !loop.isDraining {
            if current.isHTTP10 { text += "connection: keep-alive\r\n" }
        } else {
            text += "connection: close\r\n"
        }
        var output = ByteBuffer()
        output.reserveCapacity(text.utf8.count + body.count + 2)
        output.writeString(text + "\r\n")
        if current?.isHead != true { output.writeBytes(body) }
        finish(output, status: status, predictionID: predictionID)
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 421: "Misdirected Request"
        case 429: "Too Many Requests"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        default: "Internal Server Error"
        }
    }

    /// Room for the digits of a content length, filled when the body is written.
    static let lengthDigits = 11

    /// Writes a good prediction: head and body in one piece of memory.
    ///
    /// - Parameters:
    ///   - bound: the most bytes that the body takes.
    ///   - body: writes it, and returns the length of its JSON part if binary tensors follow.
    /// - Returns: where the body lies in the buffer.
    func writePrediction(
        _ revision: LoadedRevision, id: PredictionID, bound: Int, mayBeBinary: Bool,
        _ body: (inout ByteWriter) -> Int?
    ) -> (output: ByteBuffer, body: Range<Int>) {
        var output = loop.takeOutput()
        output.clear(minimumCapacity: 1024)
        var bodyStart = 0
        let headBytes = headBytes(revision)
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: headBytes + bound) { memory in
            var writer = ByteWriter(memory)
            let gaps = writeHead(revision, id: id, mayBeBinary: mayBeBinary, to: &writer)
            bodyStart = writer.count
            let jsonLength = body(&writer)
            gaps.fill(&writer, length: writer.count - bodyStart, jsonLength: jsonLength)
            return writer.count
        }
        loop.keepOutput(output)
        return (output, output.readerIndex + bodyStart..<output.writerIndex)
    }

    /// The most bytes that a good prediction's head takes.
    private func headBytes(_ revision: LoadedRevision) -> Int {
        revision.binaryResponseHead.count + 384
    }

    /// Where a head's lengths go when the body is written.
    private struct HeadGaps {
        let content: Int
        let json: Int?

        func fill(_ writer: inout ByteWriter, length: Int, jsonLength: Int?) {
            writer.patch(decimal: length, at: content, width: ConnectionHandler.lengthDigits)
            if let json {
                writer.patch(
                    decimal: jsonLength ?? length, at: json, width: ConnectionHandler.lengthDigits)
            }
        }
    }

    private func writeHead(
        _ revision: LoadedRevision, id: PredictionID, mayBeBinary: Bool,
        to writer: inout ByteWriter
    ) -> HeadGaps {
        let isKeptAlive = (current?.isKeptAlive ?? false) && !loop.isDraining
        writer.write(mayBeBinary ? revision.binaryResponseHead : revision.responseHead)
        id.write(to: &writer)
        if let trace = current?.trace?.continued(by: id.spanID) {
            writer.write("\r\ntraceparent: ")
            writer.write(Array(trace.utf8))
        }
        if !isKeptAlive {
            writer.write("\r\nconnection: close")
        } else if current?.isHTTP10 ?? false {
            writer.write("\r\nconnection: keep-alive")
        }
        var jsonGap: Int?
        if mayBeBinary {
            writer.write("\r\ninference-header-content-length: ")
            jsonGap = writer.count
            writer.write("           ")
        }
        writer.write("\r\ncontent-length: ")
        let gap = writer.count
        writer.write("           \r\n\r\n")
        return HeadGaps(content: gap, json: jsonGap)
    }

    /// Puts the head into the room before a large answer, which is not copied.
    func withHead(
        _ reply: LargeReply, _ revision: LoadedRevision, id: PredictionID, mayBeBinary: Bool
    ) -> ByteBuffer {
        var head = ByteBuffer()
        head.writeWithUnsafeMutableBytes(minimumWritableBytes: headBytes(revision)) { memory in
            var writer = ByteWriter(memory)
            let gaps = writeHead(revision, id: id, mayBeBinary: mayBeBinary, to: &writer)
            gaps.fill(
                &writer, length: reply.bytes.readableBytes, jsonLength: reply.jsonLength)
            return writer.count
        }
        guard head.readableBytes <= reply.bytes.readerIndex else {
            var body = reply.bytes
            head.writeBuffer(&body)
            return head
        }
        var output = reply.bytes
        output.moveReaderIndex(to: output.readerIndex - head.readableBytes)
        output.setBuffer(head, at: output.readerIndex)
        return output
    }
}
