import AloftDomain
import AloftInference
import AloftTestKit
import Foundation
import Testing

@Suite struct RequestReaderTests {
    private let signature = ModelSignature(
        inputs: [
            TensorSignature(name: "x", datatype: .fp32, shape: [-1, 2]),
            TensorSignature(name: "kind", datatype: .bytes, shape: [-1]),
        ],
        outputs: [
            TensorSignature(name: "y", datatype: .fp32, shape: [-1]),
            TensorSignature(name: "label", datatype: .int64, shape: [-1]),
        ])

    private func body(x: String, kind: String = #"["a"]"#, shape: String = "[1,2]") -> String {
        #"{"inputs":[{"name":"x","shape":\#(shape),"datatype":"FP32","data":\#(x)},"#
            + #"{"name":"kind","shape":[1],"datatype":"BYTES","data":\#(kind)}]}"#
    }

    @Test func `fields may come in any order, inputs too, and unknown ones are stepped over`() {
        #expect(
            fault(
                #"{"parameters":{"deep":[{"a":null}]},"inputs":[{"data":["a"],"datatype":"BYTES","#
                    + #""shape":[1],"name":"kind"},{"data":[[1,2.5]],"extra":true,"name":"x","#
                    + #""datatype":"FP32","shape":[1,2]}],"outputs":[{"name":"label"}]}"#,
                signature) == nil)
    }

    @Test(arguments: [
        ("[1]", "wrong_count"), ("[1,2,3]", "wrong_count"), ("[]", "wrong_count"),
        ("[[1,2],[3]]", "ragged_tensor"), ("[[1],[2]]", "ragged_tensor"),
        ("[[1,2,3]]", "ragged_tensor"), ("[[1,[2]]]", "ragged_tensor"),
        ("[1,[2]]", "bad_element"), ("[[[1,2]]]", "ragged_tensor"), ("[[]]", "ragged_tensor"),
        (#"["1",2]"#, "bad_element"), ("[nul,1]", "bad_element"), ("[true,1]", "bad_element"),
        ("{}", "malformed_request"), ("[1,2", "malformed_request"), ("[1 2]", "malformed_request"),
        ("[1,]", "bad_element"),
    ])
    func `data that is not the tensor gets its own error`(data: String, code: String) throws {
        let error = try #require(fault(body(x: data), signature))
        #expect(error.code == code || (code == "bad_element" && error.code == "malformed_request"))
        #expect(error.kind == .invalid)
    }

    @Test func `null is a missing number, as it is in replies`() {
        #expect(fault(body(x: "[null,1]"), signature) == nil)
        #expect(fault(body(x: "[[1,null]]"), signature) == nil)
    }

    @Test func `names, types and shapes are named with what would be right`() throws {
        let wrongName = try #require(
            fault(#"{"inputs":[{"name":"kinds","shape":[1],"datatype":"BYTES"}]}"#, signature))
        #expect(wrongName.message.contains(#"Did you mean "kind"?"#))

        let wrongType = try #require(
            fault(
                #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2]}]}"#,
                signature))
        #expect(
            wrongType.message == #"Input "x" has datatype FP64; the model takes FP32."#)

        let wrongShape = try #require(fault(body(x: "[1,2,3]", shape: "[1,3]"), signature))
        #expect(
            wrongShape.message
                == #"Input "x" has shape [1, 3]; the model takes [-1, 2], where -1 is any size."#)

        let missing = try #require(
            fault(
                #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}"#,
                signature))
        #expect(missing.message == #"Input "kind" BYTES [-1] is missing."#)

        let output = try #require(
            fault(
                body(x: "[1,2]").dropLast() + #","outputs":[{"name":"z"}]}"#, signature))
        #expect(output.code == "unknown_output")
    }

    @Test(arguments: [
        "[9223372036854775807,2]", "[4294967296,4294967296]", "[500000000,2]", "[-1,2]", "[1.5,2]",
        "[1,2,1,1,1,1,1,1,1]", "[18446744073709551616,2]",
    ])
    func `a shape that no body can hold costs nothing`(shape: String) throws {
        let error = try #require(fault(body(x: "[1,2]", shape: shape), signature))
        #expect(error.kind == .invalid)
    }

    @Test func `every cut and every changed byte of a request is answered without a trap`() {
        let whole = Array(
            body(x: "[[1.5e3,-2]]", kind: #"["a\u00e9\ud83d\ude00\n"]"#).utf8)
        for length in 0..<whole.count {
            #expect(fault(String(decoding: whole[..<length], as: UTF8.self), signature) != nil)
        }
        var chance = SplitMix64(seed: 7)
        for _ in 0..<20_000 {
            var changed = whole
            for _ in 0..<Int.random(in: 1...3, using: &chance) {
                changed[Int.random(in: 0..<changed.count, using: &chance)] = UInt8.random(
                    in: 0...255, using: &chance)
            }
            let data = Data(changed)
            data.withUnsafeBytes { bytes in
                try? InferRequestReader.read(
                    bytes, signature: signature, into: InferenceRequest())
            }
        }
    }

    @Test func `deep nesting is refused before it costs anything`() throws {
        let deep = String(repeating: "[", count: 1_000_000)
        let error = try #require(fault(#"{"parameters":\#(deep)"#, signature))
        #expect(error.code == "malformed_request")
    }

    @Test func `binary tensors are taken from behind the JSON`() throws {
        let request = InferenceRequest()
        let json =
            #"{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}},"#
            + #"{"name":"kind","shape":[1],"datatype":"BYTES","parameters":{"binary_data_size":6}}],"#
            + #""outputs":[{"name":"y","parameters":{"binary_data":true}}]}"#
        var bytes = Array(json.utf8)
        for value in [Float(1.5), -2] {
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        }
        bytes += [2, 0, 0, 0, 104, 105]
        try bytes.withUnsafeBytes {
            try InferRequestReader.read(
                $0, jsonLength: json.utf8.count, signature: signature, into: request)
        }
        let entry = request.tensors.entries[0]
        #expect(request.tensors.bytes(entry).loadUnaligned(as: Float.self) == 1.5)
        #expect(request.isBinary(0))
        for cut in 1...13 {
            #expect(throws: InferenceError.self) {
                try bytes.dropLast(cut).withUnsafeBytes {
                    try InferRequestReader.read(
                        $0, jsonLength: json.utf8.count, signature: signature,
                        into: InferenceRequest())
                }
            }
        }
    }
}
