import CAllocations
import Foundation
import Testing

@testable import AloftInference

/// Requests that have a tensor for each column of a table.
@Suite struct ColumnInputsTests {
    private static let matrix = ModelSignature(
        inputs: [TensorSignature(name: "X", datatype: .fp32, shape: [-1, 2])],
        outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])
    private static let inputs = ModelSignature(
        inputs: [
            TensorSignature(name: "age", datatype: .int32, shape: [-1, 1]),
            TensorSignature(name: "city", datatype: .bytes, shape: [-1, 1]),
        ], outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])])

    private func read(
        _ body: String, _ signature: ModelSignature, columns: [String]? = nil
    ) throws -> InferenceRequest {
        let request = InferenceRequest()
        let table = try #require(ColumnInputs(signature, columns: columns))
        try Data(body.utf8).withUnsafeBytes { bytes in
            do throws(InferenceError) {
                try InferRequestReader.read(bytes, signature: signature, into: request)
            } catch {
                try table.read(into: request, after: error) {
                    (signature, request) throws(InferenceError) in
                    try InferRequestReader.read(bytes, signature: signature, into: request)
                }
            }
        }
        return request
    }

    private func column(_ name: String, _ type: String, _ data: String, _ shape: String) -> String {
        #"{"name":"\#(name)","datatype":"\#(type)","shape":\#(shape),"data":\#(data)}"#
    }

    @Test func `columns go into a matrix in the model's order, whatever their datatypes`() throws {
        let inputs = [
            column("b", "INT64", "[2,4]", "[2]"), column("a", "FP64", "[1.5,null]", "[2,1]"),
        ].joined(separator: ",")
        let request = try read(
            #"{"id":"i","inputs":[\#(inputs)]}"#, Self.matrix, columns: ["a", "b"])
        let entry = request.tensors.entries[0]
        #expect(Array(request.tensors.shape(entry)) == [2, 2])
        let values = Array(request.tensors.bytes(entry).bindMemory(to: Float.self))
        #expect(values[0] == 1.5 && values[1] == 2 && values[2].isNaN && values[3] == 4)
        #expect(request.wantedOutputs == [0] && request.requestID == Array(#""i""#.utf8))
    }

    @Test
    func `other datatypes of inputs by name are taken where the request says that it is a table`()
        throws
    {
        let inputs = [
            column("age", "INT64", "[30]", "[1]"), column("city", "BYTES", #"["Ü"]"#, "[1,1]"),
        ].joined(separator: ",")
        let request = try read(
            #"{"inputs":[\#(inputs)],"parameters":{"content_type":"pd"}}"#, Self.inputs)
        let entries = request.tensors.entries
        #expect(Array(request.tensors.bytes(entries[0]).bindMemory(to: Int32.self)) == [30])
        #expect(request.tensors.strings(entries[1])?.map { Array($0) } == [Array("Ü".utf8)])
        #expect(throws: InferenceError.self) {
            try read(#"{"inputs":[\#(inputs)]}"#, Self.inputs)
        }
    }

    @Test(arguments: [
        (#"[1.5]"#, "FP64", "bad_contents"), (#"[4294967296]"#, "INT64", "bad_contents"),
        (#"[null]"#, "FP64", "bad_contents"), (#"["1"]"#, "BYTES", "wrong_datatype"),
        (#"[1,2]"#, "INT64", "bad_table"),
    ])
    func `what an input has no room for is refused`(data: String, type: String, code: String) throws
    {
        let count = type == "INT64" && data.contains(",") ? 2 : 1
        let inputs = [
            column("city", "BYTES", #"["a"]"#, "[1,1]"), column("age", type, data, "[\(count)]"),
        ].joined(separator: ",")
        do {
            _ = try read(
                #"{"parameters":{"content_type":"pd"},"inputs":[\#(inputs)]}"#, Self.inputs)
            Issue.record("it was taken")
        } catch let error as InferenceError {
            #expect(error.code == code)
        }
    }

    @Test(arguments: ["FP64", "INT8", "BOOL", "BYTES"])
    func `columns are read within eight times the body and a mebibyte`(type: String) throws {
        let value = type == "BYTES" ? #""""# : "0"
        let data = "[" + Array(repeating: value, count: 60_000).joined(separator: ",") + "]"
        for (signature, columns) in [
            (Self.matrix, ["a", "b"] as [String]?), (Self.inputs, nil),
        ] {
            let names = columns ?? ["age", "city"]
            let inputs = names.map { column($0, type, data, "[60000]") }.joined(separator: ",")
            let body = Array(
                #"{"parameters":{"content_type":"pd"},"inputs":[\#(inputs)]}"#.utf8)
            let table = try #require(ColumnInputs(signature, columns: columns))
            let peak = body.withUnsafeBytes { bytes in
                aloft_allocations_begin()
                let request = InferenceRequest()
                _ = try? table.read(
                    into: request, after: .unknownInput(name: names[0], known: [])
                ) { (signature, request) throws(InferenceError) in
                    try InferRequestReader.read(bytes, signature: signature, into: request)
                }
                return aloft_allocations_end()
            }
            #expect(peak <= 8 * body.count + 1 << 20, "\(body.count) bytes took \(peak)")
        }
    }
}
