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
        try WorkerFrames.decode(
            [
                WorkerFrames.TensorHeader(
                    name: "y", datatype: "BYTES", shape: shape, offset: offset,
                    length: length ?? payload.count)
            ], payload: payload, request: request, signature: signature, into: reply)
        return reply
    }

    @Test func `an output that the model never named ends the call and nothing else`() {
        #expect(throws: InferenceError.workerFailed(reason: "it does not say what it gives")) {
            try decode([1], [0, 0, 0, 0], unknown)
        }
        let request = InferenceRequest()
        request.fillWithZeros(unknown)
        request.wantedOutputs = [0]
        let call = QueuedCall(
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
