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

    @Test func `texts that are none are told apart, and halves are numbers`() {
        #expect(
            TensorKind.bytes.values(Data([1, 0, 0, 0, 0xFE, 1, 0, 0, 0, 65, 9, 0, 0, 0, 66]))
                == .array([.array([.int(0xFE)]), .string("A"), .string("B")]))
        #expect(TensorKind.fp16.values(Data([0, 0x3C])) == .array([.double(1)]))
        #expect(TensorKind.bf16.values(Data([0x80, 0x3F])) == .array([.double(1)]))
    }

    @Test func `whole numbers too large for a Double are told apart`() {
        let comparison = AnswerComparison(
            .array([.int(1 << 60), .int(3)]), .array([.int(1 << 60 + 1), .int(3)]), root: "outputs")
        #expect(comparison.differing == 1)
        #expect(comparison.largest?.place == "outputs[0]")
    }

    @Test func `outputs are compared by their names, predictions by what they are`() throws {
        func output(_ name: String, _ data: String) -> String {
            #"{"name":"\#(name)","datatype":"FP64","shape":[1],"data":\#(data)}"#
        }
        func outputs(_ all: String...) -> String {
            #"{"outputs":[\#(all.joined(separator: ","))]}"#
        }
        let turned = try compare(
            outputs(output("label", "[1]"), output("p", "[0.5]")),
            outputs(output("p", "[0.5]"), output("label", "[1]")))
        #expect(turned.differing == 0 && turned.notComparable == nil)
        let fewer = try compare(
            outputs(output("label", "[1]"), output("p", "[0.5]")), outputs(output("p", "[0.5]")))
        #expect(fewer.differing == 1)
        let other = try compare(
            outputs(output("label", "[1]"), output("p", "[0.5]")),
            outputs(output("prediction", "[1]")))
        #expect(other.notComparable?.before == "`label`, `p`")
        #expect(other.notComparable?.after == "`prediction`")
        let rows = try compare(
            #"{"predictions":[0,1]}"#, #"{"predictions":[[0.9,0.1],[0.2,0.8]]}"#)
        #expect(rows.compared == 0)
        #expect(rows.notComparable?.before == "one value a row")
        #expect(rows.notComparable?.after == "rows of 2 values")
    }
}
