import Testing

@testable import AloftGateway

/// Numbers and classes of what Python models answer to MLflow scoring.
@Suite struct AnswerDocumentTests {
    private struct Case: Sendable {
        let text: String
        let values: [Double]
        let labels: Int
        var width = 1
    }

    private static let cases = [
        Case(text: #"{"predictions": [0.5, 1.5]}"#, values: [0.5, 1.5], labels: 0),
        Case(text: #"{"predictions": [1, 2]}"#, values: [1, 2], labels: 2),
        Case(text: #"{"predictions": ["a", "b"]}"#, values: [], labels: 2),
        Case(
            text: #"{"predictions": [[0.1, 0.9], [0.8, 0.2]]}"#, values: [0.1, 0.9, 0.8, 0.2],
            labels: 0, width: 2),
        Case(
            text: #"{"predictions": [{"class": "a", "score": 0.5}]}"#, values: [0.5], labels: 1),
        Case(text: #"{"predictions": 3.5}"#, values: [3.5], labels: 0),
        Case(text: #"{"predictions": []}"#, values: [], labels: 0),
        Case(text: #"["hi"]"#, values: [], labels: 1),
        Case(text: #"{"predictions": [0.5, }"#, values: [0.5], labels: 0),
        Case(text: "", values: [], labels: 0),
    ]

    @Test(arguments: cases.indices) func `an answer's numbers are read`(index: Int) {
        let one = Self.cases[index]
        let numbers = AnswerNumbers(document: Array(one.text.utf8))
        #expect(numbers.values == one.values)
        #expect(numbers.labels.count == one.labels)
        #expect(numbers.width == one.width)
    }

    @Test func `of a long answer no more is read than is looked at`() {
        let text = "{\"predictions\": [" + String(repeating: "0.5,", count: 100_000) + "1.5]}"
        #expect(AnswerNumbers(document: Array(text.utf8)).values.count == AnswerNumbers.limit)
    }
}
