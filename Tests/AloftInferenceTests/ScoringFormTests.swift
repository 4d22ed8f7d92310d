import AloftInference
import Foundation
import Testing

/// Forms of MLflow scoring that pandas and other clients write, as MLflow reads them.
@Suite struct ScoringFormTests {
    private let matrix = ModelSignature(
        inputs: [TensorSignature(name: "input", datatype: .fp64, shape: [-1, 2])], outputs: [])
    private let mixed = ModelSignature(
        inputs: [
            TensorSignature(name: "n", datatype: .int64, shape: [-1, 1]),
            TensorSignature(name: "t", datatype: .bytes, shape: [-1, 1]),
        ], outputs: [])

    private func read(
        _ body: String, _ signature: ModelSignature, columns: [String], isCSV: Bool = false
    ) throws -> TensorSet {
        let request = InferenceRequest()
        request.tensors.missingText = Array("?".utf8)
        try Data(body.utf8).withUnsafeBytes {
            try ScoringReader.read(
                $0, isCSV: isCSV, signature: signature, columns: columns, into: request)
        }
        return request.tensors
    }

    private func numbers<Number: BitwiseCopyable>(
        _ tensors: TensorSet, _: Number.Type
    ) -> [Number] {
        Array(tensors.bytes(tensors.entries[0]).bindMemory(to: Number.self))
    }

    private func texts(_ tensors: TensorSet, _ place: Int) -> [String]? {
        tensors.strings(tensors.entries[place])?.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        #"{"dataframe_split":{"columns":[0,1],"data":[[1.5,2],[3,4]]}}"#,
        #"{"dataframe_split":{"columns":[1,"x",0],"data":[[2,9,1.5],[4,9,3]]}}"#,
        #"{"inputs":{"0":[1.5,3],"1":[2,4]}}"#,
        #"{"inputs":{"more":{"a":[1]},"1":[2,4],"\u0030":[1.5,3]}}"#,
        #"{"instances":{"0":[1.5,3],"1":[2,4]}}"#,
        #"{"inputs":{"input":[[1.5,2],[3,4]]}}"#,
    ])
    func `columns may be numbered, and come by name`(body: String) throws {
        let tensors = try read(body, matrix, columns: ["0", "1"])
        #expect(numbers(tensors, Double.self) == [1.5, 2, 3, 4])
        #expect(Array(tensors.shape(tensors.entries[0])) == [2, 2])
    }

    @Test(arguments: [
        "\u{FEFF}0,1\n1.5,2\n3,4\n", "0,1\n 1.5,\t2 \n\n  \n3,4", "0,1\r\n1.5, 2\r\n \r\n3,4\r\n",
    ])
    func `CSV may begin with a byte order mark and hold blanks`(body: String) throws {
        let tensors = try read(body, matrix, columns: ["0", "1"], isCSV: true)
        #expect(numbers(tensors, Double.self) == [1.5, 2, 3, 4])
    }

    @Test func `pandas' words for missing say that a value is missing`() throws {
        let real = try read("0,1\nNA,<NA>\n#N/A,-nan\n", matrix, columns: ["0", "1"], isCSV: true)
        #expect(numbers(real, Double.self).allSatisfy { $0.isNaN })
        let text = try read(
            "n,t\n1,NA\n2,nan\n3,N/A\n4,no\n", mixed, columns: ["n", "t"], isCSV: true)
        #expect(texts(text, 1) == ["?", "?", "?", "no"])
    }

    @Test func `texts and missing values come by name as in records`() throws {
        let tensors = try read(
            #"{"inputs":{"t":["a\n",null,"é"],"n":[1,2,3]}}"#, mixed, columns: ["n", "t"])
        #expect(numbers(tensors, Int64.self) == [1, 2, 3])
        #expect(texts(tensors, 1) == ["a\n", "?", "é"])
        let single = try read(#"{"inputs":{"t":"a","n":7}}"#, mixed, columns: ["n", "t"])
        #expect(numbers(single, Int64.self) == [7])
    }

    @Test(arguments: [
        #"{"inputs":{"t":["a"],"n":[1,2]}}"#, #"{"inputs":{"t":["a"]}}"#,
        #"{"inputs":{"t":["a"],"n":[1],"n":[2]}}"#, #"{"inputs":{"t":["a"],"n":[[1]]}}"#,
        #"{"inputs":{"t":["a"],"n":["b"]}}"#, #"{"inputs":{"t":["a"],"n":[1}}"#,
        #"{"inputs":{"t":["a","n":[1]}}"#,
    ])
    func `columns that do not fit are refused`(body: String) {
        #expect(throws: InferenceError.self) { try read(body, mixed, columns: ["n", "t"]) }
    }
}
