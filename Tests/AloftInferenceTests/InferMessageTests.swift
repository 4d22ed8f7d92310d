import AloftDomain
import AloftInference
import AloftTestKit
import Foundation
import Testing

/// A protobuf message put together field by field.
struct MessageMaker {
    var bytes: [UInt8] = []

    static func varint(_ value: UInt64) -> [UInt8] {
        var rest = value
        var bytes: [UInt8] = []
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    mutating func add(_ field: UInt64, _ content: [UInt8]) {
        bytes += Self.varint(field << 3 | 2) + Self.varint(UInt64(content.count)) + content
    }

    mutating func add(_ field: UInt64, _ text: String) { add(field, Array(text.utf8)) }

    static func input(
        _ name: String, _ datatype: String, _ shape: [Int64], contents: [UInt8]? = nil
    ) -> [UInt8] {
        var maker = MessageMaker()
        maker.add(1, name)
        maker.add(2, datatype)
        maker.add(3, shape.flatMap { varint(UInt64(bitPattern: $0)) })
        if let contents { maker.add(5, contents) }
        return maker.bytes
    }

    static func contents(_ field: UInt64, _ packed: [UInt8]) -> [UInt8] {
        var maker = MessageMaker()
        maker.add(field, packed)
        return maker.bytes
    }

    static func request(
        inputs: [[UInt8]], raws: [[UInt8]] = [], also: (inout MessageMaker) -> Void = { _ in }
    ) -> [UInt8] {
        var maker = MessageMaker()
        maker.add(1, "m")
        for input in inputs { maker.add(5, input) }
        also(&maker)
        for raw in raws { maker.add(7, raw) }
        return maker.bytes
    }
}

@Suite struct InferMessageTests {
    private let signature = ModelSignature(
        inputs: [TensorSignature(name: "x", datatype: .fp32, shape: [-1, 2])],
        outputs: [
            TensorSignature(name: "y", datatype: .fp32, shape: [-1]),
            TensorSignature(name: "label", datatype: .int64, shape: [-1]),
        ])

    private let pair: [UInt8] = [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40]  // 1.0, 2.0

    private func fault(_ message: [UInt8], _ signature: ModelSignature) -> InferenceError? {
        read(message, signature).error
    }

    private func read(
        _ message: [UInt8], _ signature: ModelSignature
    ) -> (request: InferenceRequest, error: InferenceError?) {
        let request = InferenceRequest()
        let error = message.withUnsafeBytes { bytes -> InferenceError? in
            do throws(InferenceError) {
                _ = try InferMessageReader.target(bytes)
                try InferMessageReader.read(bytes, signature: signature, into: request)
                return nil
            } catch {
                return error
            }
        }
        return (request, error)
    }

    @Test func `typed and raw values of the same tensor are the same to the model`() throws {
        let typed = read(
            MessageMaker.request(inputs: [
                MessageMaker.input("x", "FP32", [1, 2], contents: MessageMaker.contents(6, pair))
            ]), signature)
        let raw = read(
            MessageMaker.request(inputs: [MessageMaker.input("x", "FP32", [1, 2])], raws: [pair]),
            signature)
        #expect(typed.error == nil && raw.error == nil)
        let one = try #require(typed.request.tensors.entries.first)
        let other = try #require(raw.request.tensors.entries.first)
        #expect(
            typed.request.tensors.bytes(one).elementsEqual(raw.request.tensors.bytes(other)))
        #expect(typed.request.binaryOutputs == 0)
        #expect(raw.request.binaryOutputs != 0)
    }

    @Test func `a message cut off anywhere is refused or lacks something, and never read beyond`() {
        let whole = MessageMaker.request(
            inputs: [MessageMaker.input("x", "FP32", [1, 2])], raws: [pair]
        ) { $0.add(3, "id-1") }
        #expect(fault(whole, signature) == nil)
        for count in 0..<whole.count {
            #expect(fault(Array(whole.prefix(count)), signature) != nil, "cut at \(count)")
        }
    }

    @Test(arguments: 0..<200)
    func `a message with bytes changed at random gets an answer, never a trap`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        var message = MessageMaker.request(
            inputs: [
                MessageMaker.input("x", "FP32", [1, 2], contents: MessageMaker.contents(6, pair))
            ])
        for _ in 0..<3 {
            message[Int(chance.next() % UInt64(message.count))] = UInt8(
                truncatingIfNeeded: chance.next())
        }
        _ = fault(message, signature)
        _ = fault((0..<64).map { _ in UInt8(truncatingIfNeeded: chance.next()) }, signature)
    }

    @Test func `values that do not fit the shape or the datatype are named`() {
        func code(_ inputs: [[UInt8]], raws: [[UInt8]] = []) -> String? {
            fault(MessageMaker.request(inputs: inputs, raws: raws), signature)?.code
        }
        let input = MessageMaker.input
        let contents = MessageMaker.contents
        #expect(
            code([input("x", "FP32", [1, 2], contents(6, pair + [0, 0, 0, 0]))]) == "wrong_count")
        #expect(code([input("x", "FP32", [1, 2], contents(6, [0, 0, 0, 0]))]) == "wrong_count")
        #expect(
            code([input("x", "FP32", [1, 2], contents(6, [1, 2, 3, 4, 5, 6, 7, 8, 9]))]) != nil)
        #expect(code([input("x", "FP32", [1, 2], contents(3, [1, 2]))]) == "bad_contents")
        #expect(code([input("x", "FP32", [1, 2], nil)]) == "wrong_count")
        #expect(code([input("x", "FP32", [1 << 60, 2], nil)]) == "wrong_count")
        #expect(code([input("x", "FP32", [1, 3], nil)]) == "wrong_shape")
        #expect(code([input("x", "FP32", [-1, 2], nil)]) == "malformed_request")
        #expect(code([input("x", "FP64", [1, 2], nil)]) == "wrong_datatype")
        #expect(code([input("x", "XYZ", [1, 2], nil)]) == "wrong_datatype")
        #expect(code([input("z", "FP32", [1, 2], nil)]) == "unknown_input")
        #expect(code([input("x", "FP32", [1, 2], nil)], raws: [[1, 2, 3]]) == "bad_binary_tensor")
        #expect(
            code([input("x", "FP32", [1, 2], nil)], raws: [pair, pair]) == "bad_binary_tensor")
        #expect(
            code([input("x", "FP32", [1, 2], contents(6, pair))], raws: [pair]) == "bad_contents")
        #expect(
            code(
                [input("x", "FP32", [1, 2], nil), input("x", "FP32", [1, 2], nil)],
                raws: [pair, pair]) == "repeated_input")
        #expect(code([]) == "missing_input")
    }

    @Test
    func `parameters come to the model as JSON, and those that change the question are refused`() {
        func entry(_ key: String, _ value: [UInt8]) -> [UInt8] {
            var maker = MessageMaker()
            maker.add(1, key)
            maker.add(2, value)
            return maker.bytes
        }
        let (request, error) = read(
            MessageMaker.request(inputs: [MessageMaker.input("x", "FP32", [1, 2])], raws: [pair]) {
                $0.add(4, entry("deep", [0x08, 1]))
                $0.add(4, entry("timeout", [0x10] + MessageMaker.varint(250_000)))
                $0.add(4, entry("name", [0x1A, 2, 0x22, 0x41]))
            }, signature)
        #expect(error == nil)
        #expect(
            String(decoding: request.parameters, as: UTF8.self)
                == #"{"deep":true,"timeout":250000,"name":"\"A"}"#)
        #expect(request.timeoutMilliseconds == 250)

        var output = MessageMaker()
        output.add(1, "y")
        output.add(2, entry("classification", [0x10, 3]))
        let refused = fault(
            MessageMaker.request(inputs: [MessageMaker.input("x", "FP32", [1, 2])], raws: [pair]) {
                $0.add(6, output.bytes)
            }, signature)
        #expect(refused?.code == "unsupported_parameter")
    }

    @Test func `the length that is planned is the length that is written, for every datatype`()
        throws
    {
        let signature = ModelSignature(
            inputs: [],
            outputs: Datatype.allCases.map {
                TensorSignature(name: "out_\($0.name)", datatype: $0, shape: [-1, 2])
            })
        let writer = InferMessageWriter(
            modelName: String(repeating: "m", count: 300), modelVersion: "1", signature: signature)
        for (place, output) in signature.outputs.enumerated() {
            for isRaw in [false, true] {
                let request = InferenceRequest()
                request.requestID = Array("some id".utf8)
                if isRaw { request.binaryOutputs = .max }
                let reply = TensorSet()
                if output.datatype == .bytes {
                    reply.append(
                        place: place, dimensions: [1, 2],
                        strings: [[UInt8]("a".utf8), [UInt8](repeating: 0xFF, count: 200)])
                } else {
                    let size = output.datatype.elementBytes * 2
                    let memory = reply.append(
                        place: place, datatype: output.datatype, dimensions: [1, 2],
                        elementCount: 2, byteCount: size)
                    // Negative for signed numbers, large for the others.
                    memory.initializeMemory(
                        as: UInt8.self, repeating: output.datatype == .bool ? 1 : 0xF3, count: size)
                }
                let plan = writer.plan(request, reply)
                let bytes = [UInt8](unsafeUninitializedCapacity: plan.byteCount + 1) {
                    memory, count in
                    var target = ByteWriter(UnsafeMutableRawBufferPointer(memory))
                    writer.write(request, reply, plan, to: &target)
                    count = target.count
                }
                #expect(bytes.count == plan.byteCount, "\(output.datatype) \(isRaw)")
            }
        }
    }
}
