import AloftDomain
import Foundation
import Testing

@testable import AloftControl

@Suite struct AnswerComparisonTests {
    private func compare(_ before: String, _ after: String) throws -> AnswerComparison {
        AnswerComparison(
            try #require(AnswerText.values(Data(before.utf8), status: 200)),
            try #require(AnswerText.values(Data(after.utf8), status: 200)), root: "outputs")
    }

    @Test func `the largest of all differences is named with its place`() throws {
        let before = #"{"model_version":"1","outputs":[{"name":"p","data":[0.25,0.5,8]}]}"#
        let after = #"{"model_version":"2","outputs":[{"name":"p","data":[0.25,0.75,9]}]}"#
        let comparison = try compare(before, after)
        #expect(comparison.differing == 2)
        #expect(comparison.largest?.place == "outputs[0].data[1]")
        #expect(comparison.largest?.size == 0.25)
    }

    @Test func `another version alone is no difference`() throws {
        let comparison = try compare(
            #"{"model_version":"1","id":"a","outputs":[{"name":"p","data":[1]}]}"#,
            #"{"model_version":"2","outputs":[{"name":"p","data":[1.0]}]}"#)
        #expect(comparison.differing == 0)
        #expect(comparison.largest == nil)
        #expect(comparison.compared == 2)
    }

    @Test func `another shape counts as more than any number`() throws {
        let comparison = try compare(
            #"{"outputs":[{"name":"p","data":[1,2]},{"name":"q","data":[5]}]}"#,
            #"{"outputs":[{"name":"p","data":[1]},{"name":"q","data":[50]}]}"#)
        #expect(comparison.largest?.size == nil)
        #expect(comparison.largest?.before == "a list of 2")
    }

    @Test func `binary tensors are read behind the JSON`() throws {
        var data = Data(
            #"{"outputs":[{"name":"p","datatype":"FP32","shape":[2],"parameters":{"binary_data_size":8}}]}"#
                .utf8)
        for number in [0.5, -2] as [Float] {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        let values = try #require(AnswerText.values(data, status: 200))
        guard case .array(let outputs) = values else { throw CocoaError(.coderInvalidValue) }
        #expect(outputs.first?["data"] == .array([.double(0.5), .double(-2)]))
    }

    @Test func `a refusal is compared by its sentence`() {
        let logged = AnswerText.values(Data("Input \"x\" is missing.".utf8), status: 400)
        let answered = AnswerText.values(
            Data(#"{"error":{"code":"missing_input","message":"Input \"x\" is missing."}}"#.utf8),
            status: 400)
        #expect(logged == answered)
    }
}
