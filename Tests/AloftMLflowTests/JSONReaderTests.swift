import AloftDomain
import Foundation
import Testing

@testable import AloftMLflow

struct JSONReaderTests {
    private func read(_ text: String) throws -> JSONValue {
        try Array(text.utf8).withUnsafeBytes { try JSONReader.read($0) }
    }

    @Test(arguments: [
        "1", "-0", "12345678901234567890", "9223372036854775807", "1.5", "-1e-3", "0.1", "1e22",
        "1e23",
        "5e-324", "1.7976931348623157e308", "123456789.123456789", "0.30000000000000004",
        "[1,2,[3]]", "{\"a\": {\"b\": null}}", "\"\\u00e9\\n\\ud83d\\ude00\"", "true", "\"\"",
    ])
    func `what Foundation reads is read alike`(text: String) throws {
        let expected = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
        let actual = try read(text)
        switch (expected, actual) {
        case (.int(let left), .double(let right)): #expect(Double(left) == right)
        case (.double(let left), .int(let right)): #expect(left == Double(right))
        default: #expect(expected == actual)
        }
    }

    @Test(arguments: [
        "", " ", "01", "1.", ".5", "+1", "Na", "Inf", "-Inf", "nan", "+Infinity", "{", "[1,]",
        "{\"a\":1,}", "\"a", "'a'",
        "{a:1}", "[1 2]", "\"\\x\"", "\"\u{1}\"", "nul", "1 2", "-", "1e",
    ])
    func `what is no JSON is refused`(text: String) {
        #expect(throws: JSONReader.Fault.self) { try read(text) }
    }

    @Test func `the quick reading of a batch says what the careful one says`() throws {
        let body = """
            {"run_id": "abc", "metrics": [
            {"key": "a", "value": 1.25, "timestamp": 7, "step": 1},
            {"key": "b/c", "value": -2, "timestamp": 7, "step": -1},
            {"step": 2, "key": "a", "value": 1e-7, "timestamp": 8}]}
            """
        let quick = Array(body.utf8).withUnsafeBytes { LogBatchReader.read($0) }
        guard case .object(let members) = try read(body) else { return }
        #expect(try quick == LogBatch(Fields(members)))
        #expect(quick?.metrics.map(\.key) == ["a", "b/c"])
    }

    @Test(arguments: [
        "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\ud83d\\ud83d\"",
        "{\"\\udfff\":1}",
    ])
    func `half of a pair of surrogates is refused, for it is no character`(text: String) {
        #expect(throws: JSONReader.Fault.self) { try read(text) }
    }

    @Test(arguments: ["{\"\":0}", "[0]", "0", "[]", "{}", "{\"a\":{\"b\":[]}}", "null"])
    func `many small values are refused where a text of their length is not`(unit: String) throws {
        let count = (2 << 20) / (unit.utf8.count + 1)
        let text = "[" + Array(repeating: unit, count: count).joined(separator: ",") + "]"
        #expect(throws: JSONReader.Fault.self) { try read(text) }
        let plain = "[\"" + String(repeating: "x", count: text.utf8.count) + "\"]"
        #expect(throws: Never.self) { try read(plain) }
        // What people send fits.
        let few = "[" + Array(repeating: unit, count: 1000).joined(separator: ",") + "]"
        #expect(throws: Never.self) { try read(few) }
    }
}
