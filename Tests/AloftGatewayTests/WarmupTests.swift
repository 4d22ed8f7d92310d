import AloftDomain
import AloftInference
import Testing

@testable import AloftGateway

/// A model of one column whose answer is made of a row and of the rows beside it.
private struct ToyModel: ModelRunner {
    let signature = ModelSignature(
        inputs: [TensorSignature(name: "x", datatype: .fp32, shape: [-1, 1])],
        outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1, 1])])
    let answer: @Sendable ([Float]) throws -> [Float]

    func run(_ request: InferenceRequest, into reply: TensorSet) throws(InferenceError) {
        reply.reset()
        let rows = Array(
            request.tensors.bytes(request.tensors.entries[0]).bindMemory(to: Float.self))
        let answers: [Float]
        do {
            answers = try answer(rows)
        } catch {
            throw .modelFailed(reason: "no")
        }
        let target = reply.append(
            place: 0, datatype: .fp32, dimensions: [Int64(answers.count), 1],
            elementCount: answers.count, byteCount: answers.count * 4)
        for (index, answer) in answers.enumerated() {
            target.storeBytes(of: answer, toByteOffset: index * 4, as: Float.self)
        }
    }
}

@Suite struct WarmupTests {
    private func joins(
        parity: Double? = nil, _ answer: @escaping @Sendable ([Float]) throws -> [Float]
    ) throws -> Bool {
        try Warmup(
            runner: ToyModel(answer: answer),
            manifest: ServableManifest(runtime: .onnx, inputs: [], outputs: [], parity: parity)
        ).answersByRow()
    }

    @Test func `calls are joined only where a row's answer is its own`() throws {
        #expect(try joins { $0.map { $0 * 2 } })
        // Of zeros alone, with which it would be asked otherwise, each of these is its own.
        #expect(try !joins { rows in rows.map { $0 - rows.reduce(0, +) / Float(rows.count) } })
        #expect(try !joins { $0.reversed() })
        #expect(try !joins { [$0.reduce(0, +)] })
    }

    @Test
    func `a model that takes no made-up row is joined only if it was compared with its original`()
        throws
    {
        struct Refused: Error {}
        let answer: @Sendable ([Float]) throws -> [Float] = { rows in
            if rows.contains(where: { $0 != 0 }) { throw Refused() }
            return rows
        }
        #expect(try !joins(answer))
        #expect(try joins(parity: 0, answer))
    }
}
