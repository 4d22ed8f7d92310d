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

    private func numbers(_ text: String) -> AnswerNumbers {
        AnswerNumbers(document: Array(text.utf8))
    }

    @Test func `labels are compared with labels, and with nothing else`() {
        let labels = numbers(#"{"predictions": [0, 1, 1]}"#)
        let same = labels.difference(to: numbers(#"{"predictions": [0, 1, 0]}"#))
        #expect(same.classes == 3 && same.otherClasses == 1 && same.incomparable == nil)
        let probabilities = numbers(#"{"predictions": [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]]}"#)
        let other = labels.difference(to: probabilities)
        #expect(other.incomparable == "the answer is labels, the shadow's rows of 2 numbers")
        // Both say a class, one of them with its probabilities.
        let both = numbers(
            #"{"predictions": [{"p": 0.9, "q": 0.1, "c": 0}, {"p": 0.2, "q": 0.8, "c": 1}, "#
                + #"{"p": 0.3, "q": 0.7, "c": 1}]}"#)
        let classes = both.difference(to: labels)
        #expect(classes.incomparable == nil)
        #expect(classes.classes == 3 && classes.otherClasses == 0 && classes.numbers == 0)
        #expect(both.difference(to: probabilities).numbers == 6)
        let fewer = numbers(#"{"predictions": [0, 1]}"#)
        #expect(labels.difference(to: fewer).incomparable == "both have other numbers of rows")
        let texts = numbers(#"{"predictions": ["caf\u00e9", "b"]}"#)
        let plain = texts.difference(to: numbers(#"{"predictions": ["café", "b"]}"#))
        #expect(plain.classes == 2 && plain.otherClasses == 0)
        #expect(texts.difference(to: fewer).incomparable != nil)
    }

    @Test func `of a long answer no more is read than is looked at`() {
        let text = "{\"predictions\": [" + String(repeating: "0.5,", count: 100_000) + "1.5]}"
        #expect(AnswerNumbers(document: Array(text.utf8)).values.count == AnswerNumbers.limit)
    }
}
