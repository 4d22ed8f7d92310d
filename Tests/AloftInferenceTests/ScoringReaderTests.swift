import AloftInference
import Foundation
import Testing

@Suite struct ScoringReaderTests {
    private let matrix = ModelSignature(
        inputs: [TensorSignature(name: "X", datatype: .fp32, shape: [-1, 2])], outputs: [])
    private let columns = ModelSignature(
        inputs: [
            TensorSignature(name: "age", datatype: .int64, shape: [-1, 1]),
            TensorSignature(name: "city", datatype: .bytes, shape: [-1, 1]),
        ], outputs: [])

    private func read(
        _ body: String, _ signature: ModelSignature, columns: [String]? = ["a", "b"],
        isCSV: Bool = false
    ) throws -> InferenceRequest {
        let request = InferenceRequest()
        try Data(body.utf8).withUnsafeBytes {
            try ScoringReader.read(
                $0, isCSV: isCSV, signature: signature, columns: columns, into: request)
        }
        return request
    }

    private func floats(_ request: InferenceRequest) -> [Float] {
        Array(request.tensors.bytes(request.tensors.entries[0]).bindMemory(to: Float.self))
    }

    @Test(arguments: [
        #"{"dataframe_split":{"columns":["b","a"],"index":[0,1],"data":[[2,1],[4,3.0]]}}"#,
        #"{"dataframe_records":[{"a":1,"b":2},{"b":4,"a":3}]}"#,
        #"{"instances":[[1,2],[3,4]]}"#,
        #"{"instances":[{"a":1,"b":2},{"a":3,"b":4}]}"#,
        #"{"inputs":[[1,2],[3,4]],"params":{"x":1}}"#,
        #"{"inputs":{"X":[[1,2],[3,4]]}}"#,
    ])
    func `every form of the same table gives the same tensor`(body: String) throws {
        #expect(floats(try read(body, matrix)) == [1, 2, 3, 4])
    }

    @Test func `a table of strings as CSV goes column by column`() throws {
        let request = try read(
            "city,age\r\n\"Zürich, CH\",41\n\"say \"\"hi\"\"\",7\n", columns, columns: nil,
            isCSV: true)
        let tensors = request.tensors
        let ages = Array(tensors.bytes(tensors.entries[0]).bindMemory(to: Int64.self))
        #expect(ages == [41, 7])
        let cities = try #require(tensors.strings(tensors.entries[1]))
        #expect(
            cities.map { String(decoding: $0, as: UTF8.self) } == ["Zürich, CH", #"say "hi""#])
    }

    @Test func `missing values of a float column are not a number`() throws {
        let values = floats(
            try read(#"{"dataframe_split":{"columns":["a","b"],"data":[[null,2]]}}"#, matrix))
        #expect(values[0].isNaN && values[1] == 2)
    }

    @Test(arguments: [
        (#"{"dataframe_split":{"columns":["a"],"data":[[1]]}}"#, #"lacks the column "b""#),
        (#"{"dataframe_split":{"columns":["a","b"],"data":[[1]]}}"#, "Row 0 has 1 values"),
        (#"{"dataframe_records":[{"a":"x","b":2}]}"#, #"Column "a", row 0"#),
        (#"{"rows":[[1,2]]}"#, "dataframe_split"),
        (#"{"instances":[[1,2],[3]]}"#, "ragged"),
        (#"{"instances":[[1,2,3]]}"#, "shape [1, 3]"),
        ("not json", "expected"),
    ])
    func `what is wrong with a table is said`(body: String, part: String) {
        #expect {
            _ = try read(body, matrix)
        } throws: { error in
            (error as? InferenceError)?.message.contains(part) == true
        }
    }
}
