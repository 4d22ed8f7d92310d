import AloftInference
import AloftTestKit
import Foundation
import Testing

@Suite struct OnnxParityTests {
    private struct Reply: Decodable {
        struct Output: Decodable {
            let name: String
            let shape: [Int]
            let datatype: String
            let data: [Double]
        }
        let model_name: String
        let outputs: [Output]
    }

    @Test(arguments: ["logreg", "mlp", "gbdt"])
    func `answers through JSON are bit for bit those of the Python binding`(
        name: String
    ) throws {
        let fixture = try CancerFixture.load()
        let session = try makeSession("cancer-\(name).onnx")
        let answers = ["logreg": fixture.logreg, "mlp": fixture.mlp, "gbdt": fixture.gbdt][name]
        let expected = try #require(answers)
        for (index, row) in fixture.rows.enumerated() {
            // Every digit, as numpy sends it.
            let data = row.map { "\($0)" }.joined(separator: ", ")
            let body =
                #"{"inputs":[{"name":"X","shape":[1,30],"datatype":"FP32","data":[\#(data)]}]}"#
            let reply = try JSONDecoder().decode(
                Reply.self, from: Data(try infer(body, session).utf8))
            #expect(reply.outputs[0].data == [Double(expected.labels[index])])
            #expect(
                reply.outputs[1].data.map { Float($0).bitPattern }
                    == expected.probability_bits[index])
        }
    }

    @Test func `every element type goes in and comes out as it is`() throws {
        let session = try makeSession("identity.onnx")
        let values: [String: String] = [
            "BOOL": "true,false", "UINT8": "0,255", "UINT16": "0,65535", "UINT32": "0,4294967295",
            "UINT64": "0,18446744073709551615", "INT8": "-128,127", "INT16": "-32768,32767",
            "INT32": "-2147483648,2147483647",
            "INT64": "-9223372036854775808,9223372036854775807", "FP16": "0.5,-65504.0",
            "FP32": "0.1,-3.4028235e+38", "FP64": "0.1,1.7976931348623157e+308",
            "BYTES": #""","Zürich \"1\" 漢字""#,
        ]
        let inputs = values.map { type, data in
            #"{"name":"in_\#(type)","shape":[1,2],"datatype":"\#(type)","data":[[\#(data)]]}"#
        }
        let reply = try infer(
            #"{"id":"a\"b","inputs":[\#(inputs.joined(separator: ","))]}"#, session)
        #expect(reply.hasPrefix(#"{"model_name":"m","model_version":"1","id":"a\"b","outputs":["#))
        for (type, data) in values {
            #expect(
                reply.contains(
                    #"{"name":"out_\#(type)","datatype":"\#(type)","shape":[1,2],"data":[\#(data)]}"#
                ),
                "\(type): \(reply)")
        }
    }

    @Test func `a request without rows is one as well`() throws {
        let session = try makeSession("constant-1.onnx")
        let reply = try infer(
            #"{"inputs":[{"name":"x","shape":[0,2],"datatype":"FP32","data":[]}]}"#, session)
        #expect(reply.contains(#""data":[1.0]"#))
    }

    @Test func `not a number and the infinities are written as JSON that readers take`() throws {
        let library = try OnnxLibrary(path: try ServingFixtures.runtimePath())
        _ = library
        let session = try makeSession("identity.onnx")
        let request = InferenceRequest()
        request.fillWithZeros(session.signature)
        let reply = TensorSet()
        let place = try #require(session.signature.outputPlace("out_FP32"))
        let target = reply.append(
            place: place, datatype: .fp32, dimensions: [3], elementCount: 3, byteCount: 12)
        for (index, value) in [Float.nan, .infinity, -.infinity].enumerated() {
            target.storeBytes(of: value, toByteOffset: index * 4, as: Float.self)
        }
        #expect(
            write(request, reply, session.signature).contains(#""data":[null,1e999,-1e999]"#))
    }

    @Test func `a model cut short is refused`() throws {
        #expect(throws: InferenceError.self) { try makeSession("truncated.onnx") }
    }

    @Test(arguments: ["external-parent", "external-absolute"])
    func `weights outside the model's folder are refused`(name: String) throws {
        #expect {
            try makeSession("\(name)/model.onnx")
        } throws: { error in
            if case InferenceError.unloadable = error { true } else { false }
        }
    }

    @Test func `a model with maps as output says what to do`() throws {
        #expect {
            try makeSession("zipmap.onnx")
        } throws: { error in
            (error as? InferenceError)?.message.contains("zipmap off") == true
        }
    }

    @Test func `a runtime that is not there says how to install it`() {
        #expect {
            try OnnxLibrary(path: "/nowhere/libonnxruntime.so.1")
        } throws: { error in
            (error as? InferenceError)?.message.contains("make setup") == true
        }
    }

    @Test func `many threads share a session`() async throws {
        let fixture = try CancerFixture.load()
        let session = try makeSession("cancer-gbdt.onnx")
        let row = fixture.rows[0].map { "\($0)" }.joined(separator: ",")
        let body = #"{"inputs":[{"name":"X","shape":[1,30],"datatype":"FP32","data":[\#(row)]}]}"#
        let expected = try infer(body, session)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<200 where try infer(body, session) != expected { return false }
                    return true
                }
            }
            for try await isSame in group { #expect(isSame) }
        }
    }
}
