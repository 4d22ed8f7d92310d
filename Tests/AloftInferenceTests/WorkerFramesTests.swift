import AloftDomain
import Foundation
import NIOCore
import Testing

@testable import AloftInference

private let malformed: [([Int64], [UInt8], Int, Int)] = [
    ([.max], [0, 0, 0, 0], 0, 4), ([1 << 62], [], 0, 0), ([1], [9, 0, 0, 0], 0, 4),
    ([2], [0, 0, 0, 0], 0, 4), ([-1], [], 0, 0), ([1], [0, 0, 0, 0], -1, 4),
    ([1], [0, 0, 0, 0], 1, .max), ([1], [0, 0, 0, 0], .max, 4),
    ([1, 1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0], 0, 4),
]

@Suite struct WorkerFramesTests {
    private let unknown = ModelSignature(
        inputs: [
            TensorSignature(name: "x", datatype: .fp32, shape: [-1, 2]),
            TensorSignature(name: "w", datatype: .int64, shape: [-1]),
        ], outputs: [])
    private let strings = ModelSignature(
        inputs: [], outputs: [TensorSignature(name: "y", datatype: .bytes, shape: [-1])])

    private func decode(
        _ shape: [Int64], _ payload: [UInt8], _ signature: ModelSignature, offset: Int = 0,
        length: Int? = nil
    ) throws -> TensorSet {
        let request = InferenceRequest()
        request.wantedOutputs = [0]
        let reply = TensorSet()
        let message = try message(
            #"{"outputs":[{"name":"y","datatype":"BYTES","shape":\#(shape),"offset":\#(offset),"#
                + #""length":\#(length ?? payload.count)}]}"#)
        try WorkerAnswers.read(
            message, payload: payload, request: request, signature: signature, into: reply)
        return reply
    }

    private func message(_ text: String) throws -> WorkerFrames.Message {
        try JSONDecoder().decode(WorkerFrames.Message.self, from: Data(text.utf8))
    }

    @Test func `what a model answers need not be known before`() throws {
        let request = InferenceRequest()
        let reply = TensorSet()
        let answer = try message(
            #"{"outputs":[{"name":"ä","datatype":"FP64","shape":[1],"offset":0,"length":8},"#
                + #"{"name":"n","datatype":"INT64","shape":[],"offset":8,"length":8}]}"#)
        let payload = [UInt8](repeating: 0, count: 15) + [1]
        try WorkerAnswers.read(
            answer, payload: payload, request: request, signature: unknown, into: reply)
        #expect(reply.ownNames == ["ä", "n"])
        let writer = InferReplyWriter(modelName: "m", modelVersion: "1", signature: unknown)
        let written = [UInt8](unsafeUninitializedCapacity: writer.bound(request, reply)) {
            var bytes = ByteWriter(UnsafeMutableRawBufferPointer($0))
            _ = writer.write(request, reply, to: &bytes)
            $1 = bytes.count
        }
        #expect(
            String(decoding: written, as: UTF8.self)
                == #"{"model_name":"m","model_version":"1","outputs":[{"name":"ä","datatype":"FP64","#
                + #""shape":[1],"data":[0.0]},{"name":"n","datatype":"INT64","shape":[],"#
                + #""data":[72057594037927936]}]}"#)
        request.wantedNames = ["n"]
        try WorkerAnswers.read(
            answer, payload: payload, request: request, signature: unknown, into: reply)
        #expect(reply.ownNames == ["n"])
        request.wantedNames = ["z"]
        #expect(throws: InferenceError.unknownOutput(name: "z", known: ["ä", "n"])) {
            try WorkerAnswers.read(
                answer, payload: payload, request: request, signature: unknown, into: reply)
        }
    }

    @Test func `another datatype than was said is answered as it is`() throws {
        let numbers = ModelSignature(
            inputs: [], outputs: [TensorSignature(name: "y", datatype: .int64, shape: [-1])])
        let reply = try decode([1], [1, 0, 0, 0, 97], numbers)
        #expect(reply.ownNames == ["y"])
        #expect(reply.entries.map(\.datatype) == [.bytes])
    }

    @Test func `a scoring request goes to the worker as it came`() throws {
        let request = InferenceRequest()
        request.document = ScoringDocument(
            body: ByteBuffer(string: "a,b\n1,2\n"), contentType: "text/csv; \"x\"")
        let frame = try WorkerFrames.start(of: request, id: 3, signature: unknown)
        #expect(
            String(decoding: frame[12...], as: UTF8.self)
                == #"{"id":3,"kind":"invocations","together":false,"documents":[{"content_type":"#
                + #""text/csv; \"x\"","length":8}]}"#)
        #expect(Array(frame[4..<12]) == [8, 0, 0, 0, 0, 0, 0, 0])
        var sent: [UInt8] = []
        try WorkerFrames.eachPayload(of: request) { sent += Array($0) }
        #expect(sent == Array("a,b\n1,2\n".utf8))
    }

    @Test func `several scoring requests are answered each with its own`() throws {
        let documents = try #require(
            try message(
                #"{"documents":[{"length":2},{"error":{"code":"invalid_body","message":"no"}},"#
                    + #"{"length":3},{"length":99},{"length":1}]}"#
            ).documents)
        let payload = Array("abcde".utf8)
        let reply = TensorSet()
        try WorkerAnswers.read(documents, 0, payload: payload, into: reply)
        #expect(reply.document == Array("ab".utf8))
        try WorkerAnswers.read(documents, 2, payload: payload, into: reply)
        #expect(reply.document == Array("cde".utf8))
        #expect(throws: InferenceError.badTable(reason: "no")) {
            try WorkerAnswers.read(documents, 1, payload: payload, into: reply)
        }
        for place in 3...5 {
            #expect(throws: InferenceError.self) {
                try WorkerAnswers.read(documents, place, payload: payload, into: reply)
            }
        }
    }

    @Test(arguments: [
        ("invalid_request", "refused_by_model"), ("invalid_body", "bad_table"),
        ("wrong_type", "wrong_type"), ("answer_unwritable", "bad_answer"),
        ("model_failed", "model_failed"), ("new", "model_failed"),
    ])
    func `what a worker refuses is told by its code`(code: String, said: String) throws {
        let failure = try message(#"{"error":{"code":"\#(code)","message":"m"}}"#)
        #expect {
            try WorkerAnswers.read(
                failure, payload: [], request: InferenceRequest(), signature: unknown,
                into: TensorSet())
        } throws: { error in
            (error as? InferenceError)?.code == said
        }
    }

    @Test func `requests for outputs that nobody knows are not batched`() {
        let request = InferenceRequest()
        request.fillWithZeros(unknown)
        request.wantedOutputs = [0]
        let call = QueuedRequest(
            request: request, reply: TensorSet(), deadline: .distantFuture, deadlineMilliseconds: 1
        ) { _ in }
        #expect(TensorBatch.alike([call, call], rows: 8, signature: unknown) == [0])
    }

    @Test(arguments: malformed)
    func `an answer whose sizes do not agree is malformed`(
        shape: [Int64], payload: [UInt8], offset: Int, length: Int
    ) {
        #expect(throws: InferenceError.workerFailed(reason: "its output \"y\" is malformed")) {
            try decode(shape, payload, strings, offset: offset, length: length)
        }
    }

    @Test func `strings that are whole are taken`() throws {
        let reply = try decode([2], [1, 0, 0, 0, 97, 0, 0, 0, 0], strings)
        let texts = try #require(reply.strings(reply.entries[0]))
        #expect(texts.map { String(decoding: $0, as: UTF8.self) } == ["a", ""])
    }

    @Test func `a request's frame says its lengths and keeps the parameters as they came`() throws {
        let request = InferenceRequest()
        let body =
            #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},"#
            + #"{"name":"w","shape":[1],"datatype":"INT64","data":[5]}],"#
            + #""parameters":{ "timeout":5 , "a":[1e400,"\u00e9"],"priority":1, "b" : null }}"#
        try Data(body.utf8).withUnsafeBytes {
            try InferRequestReader.read($0, signature: unknown, into: request)
        }
        let frame = try WorkerFrames.start(of: request, id: 7, signature: unknown)
        let header = String(decoding: frame[12...], as: UTF8.self)
        #expect(Int(frame[0]) | Int(frame[1]) << 8 == frame.count - 12)
        #expect(Array(frame[4..<12]) == [16, 0, 0, 0, 0, 0, 0, 0])
        #expect(header.hasPrefix(#"{"id":7,"kind":"infer","inputs":[{"#))
        #expect(header.hasSuffix(#","parameters":{"a":[1e400,"\u00e9"],"b" : null}}"#))
    }

    @Test func `parameters that no worker takes are refused before they are sent`() throws {
        let request = InferenceRequest()
        request.parameters = Array(
            #"{"a":"\#(String(repeating: "x", count: 17 << 20))"}"#.utf8)
        #expect {
            _ = try WorkerFrames.start(of: request, id: 1, signature: unknown)
        } throws: { error in
            (error as? InferenceError)?.message.contains("at most 16777216") == true
        }
    }
}
