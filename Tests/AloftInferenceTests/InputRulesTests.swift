import AloftDomain
import AloftInference
import Foundation
import Testing

@Suite struct InputRulesTests {
    private static let mark = "\u{FFFF}"
    private let signature = ModelSignature(
        inputs: [
            TensorSignature(name: "x", datatype: .fp64, shape: [-1, 2]),
            TensorSignature(name: "fuel", datatype: .bytes, shape: [-1, 1]),
        ], outputs: [])

    private func request(_ numbers: String, _ fuel: String) throws -> InferenceRequest {
        let request = InferenceRequest()
        request.tensors.missingText = Array(Self.mark.utf8)
        let body = """
            {"inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":\(numbers)},\
            {"name":"fuel","shape":[1,1],"datatype":"BYTES","data":[\(fuel)]}]}
            """
        try Data(body.utf8).withUnsafeBytes {
            try InferRequestReader.read($0, signature: signature, into: request)
        }
        return request
    }

    private func fault(
        _ refused: ServableManifest.Refused, _ numbers: String = "[1,2]", fuel: String = #""gas""#
    ) throws -> String? {
        let manifest = ServableManifest(
            runtime: .onnx, inputs: [], outputs: [], missingText: Self.mark, refuses: [refused])
        let rules = try #require(InputRules(manifest, signature: signature))
        return rules.fault(in: try request(numbers, fuel).tensors)?.message
    }

    @Test func `a missing number is refused in the columns that are named`() throws {
        let refused = ServableManifest.Refused(
            input: "x", columns: [1], values: .missing, message: "Input X contains NaN.")
        #expect(try fault(refused, "[null,2]") == nil)
        #expect(try fault(refused, "[1,null]")?.contains("Input X contains NaN.") == true)
    }

    @Test func `numbers beyond the limit are refused on either side`() throws {
        let refused = ServableManifest.Refused(
            input: "x", values: .beyond, limit: 3e38, message: "too large")
        #expect(try fault(refused, "[3e38,-3e38]") == nil)
        #expect(try fault(refused, "[1,-4e38]")?.contains("too large") == true)
        #expect(try fault(refused, "[Infinity,1]")?.contains("too large") == true)
    }

    @Test func `missing and empty text are two things`() throws {
        let refused = ServableManifest.Refused(
            input: "fuel", values: .missing, message: "np.nan is an invalid document")
        #expect(try fault(refused, fuel: #""""#) == nil)
        #expect(try fault(refused, fuel: "null")?.contains("invalid document") == true)
    }

    @Test func `a text that is none of the known is named`() throws {
        let refused = ServableManifest.Refused(
            input: "fuel", values: .unknown, known: ["oil", "gas"],
            message: "Found unknown categories ['{value}'] in column 0")
        #expect(try fault(refused, fuel: #""oil""#) == nil)
        #expect(try fault(refused, fuel: "null") == nil)
        #expect(try fault(refused, fuel: #""wood""#)?.contains("categories ['wood'] in") == true)
    }

    @Test(arguments: [
        #"{"dataframe_split":{"columns":["x","fuel"],"data":[[1,null]]}}"#,
        #"{"dataframe_records":[{"x":1,"fuel":null}]}"#,
    ])
    func `null in a column of text is written as the mark`(body: String) throws {
        #expect(try fuel(body, isCSV: false) == Self.mark)
    }

    @Test func `an empty cell of CSV is missing, not empty`() throws {
        #expect(try fuel("x,fuel\n1,\n", isCSV: true) == Self.mark)
    }

    private func fuel(_ body: String, isCSV: Bool) throws -> String {
        let signature = ModelSignature(
            inputs: [
                TensorSignature(name: "x", datatype: .fp64, shape: [-1, 1]),
                TensorSignature(name: "fuel", datatype: .bytes, shape: [-1, 1]),
            ], outputs: [])
        let request = InferenceRequest()
        request.tensors.missingText = Array(Self.mark.utf8)
        try Data(body.utf8).withUnsafeBytes {
            try ScoringReader.read(
                $0, isCSV: isCSV, signature: signature, columns: nil, into: request)
        }
        let strings = try #require(request.tensors.strings(request.tensors.entries[1]))
        return String(decoding: strings[0], as: UTF8.self)
    }
}
