import AloftDomain
import Foundation
import NIOCore
import SwiftProtobuf
import Testing

@testable import AloftGRPC
@testable import AloftGateway

/// How refusals are told in gRPC's words.
@Suite struct StatusTests {
    private struct Told: Refusal {
        let kind: RefusalKind
        let code = "told"
        let message = "So it is."
    }

    @Test(arguments: [
        (RefusalKind.invalid, 3), (.notFound, 5), (.conflict, 9), (.checkFailed, 9),
        (.unauthenticated, 16), (.forbidden, 7), (.tooLarge, 8), (.exhausted, 8), (.diskFull, 8),
        (.unavailable, 14), (.damaged, 15), (.unsupported, 12),
    ])
    func `each kind of refusal has its code`(kind: RefusalKind, code: Int) {
        let status = Status(CallRefusal(Told(kind: kind), predictionID: "p"))
        #expect(status.code.rawValue == code)
        #expect(status.message == "So it is.")
        #expect(status.ownCode == "told")
        #expect(status.predictionID == "p")
    }

    @Test(arguments: [
        ("plain text.", "plain text."), ("100 %", "100 %25"), ("ä", "%C3%A4"),
        ("a\nb\u{0}", "a%0Ab%00"), ("\u{1F600}", "%F0%9F%98%80"), ("", ""), ("\u{7F}~", "%7F~"),
    ])
    func `a message is ASCII on its way`(message: String, encoded: String) {
        let status = Status(.internal, message)
        #expect(status.encodedMessage == encoded)
        #expect(encoded.removingPercentEncoding == message)
    }
}

/// Answers of a stream, read again by generated code.
@Suite struct StreamAnswerTests {
    private func read(_ framed: ByteBuffer) throws -> Inference_ModelStreamInferResponse {
        let framing = MessageFraming(limitBytes: 1 << 20, mayBeCompressed: false)
        var sequence = MessageSequence(framing)
        sequence.append(framed)
        let message = try #require(try sequence.next())
        #expect(sequence.byteCount == 0)
        return try Inference_ModelStreamInferResponse(serializedBytes: Array(buffer: message))
    }

    @Test(arguments: [0, 1, 127, 128, 20_000])
    func `an answer holds the message as it is and what belongs to it`(count: Int) throws {
        let inner = Inference_ModelInferResponse.with {
            $0.modelName = "m"
            $0.rawOutputContents = [.init(repeating: 7, count: count)]
        }
        let bytes: [UInt8] = try inner.serializedBytes()
        let answer = CallAnswer(
            message: ByteBuffer(bytes: bytes), predictionID: "p-1", revision: 300,
            traceParent: "00-a-b-01")
        let told = try read(StreamAnswer.answered(answer))
        #expect(told.errorMessage == "")
        #expect(told.inferResponse.modelName == "m")
        #expect(told.inferResponse.rawOutputContents == inner.rawOutputContents)
        let parameters = told.inferResponse.parameters
        #expect(parameters["x-aloft-prediction-id"]?.stringParam == "p-1")
        #expect(parameters["x-aloft-revision"]?.int64Param == 300)
        #expect(parameters["traceparent"]?.stringParam == "00-a-b-01")
        #expect(parameters["triton_final_response"]?.boolParam == true)
    }

    @Test func `a refusal names the request, the reason and its code`() throws {
        let refusal = CallRefusal(
            GatewayFailure.endpointNotFound(name: "x", known: []), predictionID: "p-2")
        let told = try read(StreamAnswer.refused(refusal, id: Array("ä-1".utf8)))
        #expect(told.errorMessage == refusal.message)
        #expect(told.inferResponse.id == "ä-1")
        #expect(told.inferResponse.parameters["aloft-error-code"]?.stringParam == "model_not_found")
        #expect(
            told.inferResponse.parameters["x-aloft-prediction-id"]?.stringParam == "p-2")
    }

    @Test func `a refusal of a request without a name has none`() throws {
        let refusal = CallRefusal(GatewayFailure.shuttingDown)
        let told = try read(StreamAnswer.refused(refusal, id: []))
        #expect(told.inferResponse.id == "")
        #expect(told.inferResponse.parameters["x-aloft-prediction-id"] == nil)
    }
}

/// Messages that name a model and little else.
@Suite struct SmallMessageTests {
    @Test func `a message is read up to its size and no further`() throws {
        let asked = Inference_ModelReadyRequest.with {
            $0.name = String(repeating: "m", count: 60_000)
        }
        let bytes: [UInt8] = try asked.serializedBytes()
        let read: Inference_ModelReadyRequest = try SmallMethods.read(bytes)
        #expect(read == asked)
        let status = #expect(throws: Status.self) {
            let _: Inference_ModelReadyRequest = try SmallMethods.read(
                [UInt8](repeating: 0, count: (64 << 10) + 1))
        }
        #expect(status?.code == .resourceExhausted)
        #expect(status?.message.contains("ModelReadyRequest") == true)
    }

    @Test(arguments: 0..<200)
    func `bytes of nobody are a message or are refused`(seed: Int) {
        var chance = SeededChance(seed)
        let bytes = Framed.messages(&chance, count: 1)[0]
        do throws(Status) {
            let _: Inference_RepositoryIndexRequest = try SmallMethods.read(bytes)
        } catch {
            #expect(error.code == .invalidArgument)
        }
    }
}
