import AloftInference
import Testing

@testable import AloftGateway

/// Content types of scoring where ONNX answers, as MLflow's server takes them.
@Suite struct ScoringTypeTests {
    @Test(arguments: [
        ("application/json", false), ("text/csv", true), ("text/csv; charset=utf-8", true),
        ("application/json;charset=UTF-8", false), ("Application/JSON", false), ("", false),
        ("application/x-www-form-urlencoded", false),
    ])
    func `these are taken`(type: String, isCSV: Bool) throws {
        #expect(try ScoringType.isCSV(type) == isCSV)
    }

    @Test(arguments: [
        "application/xml", "text/csvx", "application/json; charset=latin-1",
        "application/json; format=split", "text/csv; header=absent",
        "application/vnd.apache.parquet", "json",
    ])
    func `others are refused as such`(type: String) {
        let error = #expect(throws: InferenceError.self) { try ScoringType.isCSV(type) }
        #expect(error?.httpStatus == 415)
    }
}
