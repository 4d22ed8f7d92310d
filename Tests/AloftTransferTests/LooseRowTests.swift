import AloftDomain
import Foundation
import GRDB
import Testing

@testable import AloftTransfer

/// Values of any kind in any column, as SQLite keeps them.
@Suite struct LooseRowTests {
    private func row(_ sql: String) throws -> Row {
        try DatabaseQueue().read { database in
            try #require(try Row.fetchOne(database, sql: "SELECT \(sql) AS value"))
        }
    }

    @Test(
        arguments: [
            ("5", 5), ("'7'", 7), ("5.4", 5), ("-2.6", -3), ("9223372036854775807", Int64.max),
            ("'x'", nil), ("''", nil), ("NULL", nil), ("x'35'", nil), ("1e300", nil),
            ("9e999", nil),
            ("' 5'", nil),
        ] as [(String, Int64?)])
    func `a whole number is what can be one`(sql: String, number: Int64?) throws {
        let row = try row(sql)
        #expect(row.number("value") == number)
        #expect(row.number("other") == nil)
        if number == nil {
            let error = #expect(throws: SourceError.self) { try row.requiredNumber("value") }
            #expect(error?.message.contains("'value'") == true)
            #expect(error?.isRefusal == true)
            #expect(error?.endsAll == false)
        }
    }

    @Test(
        arguments: [
            ("5", 5), ("0.5", 0.5), ("'1e-3'", 0.001), ("'nan'", .nan), ("'x'", nil), ("NULL", nil),
            ("x'00'", nil), ("9e999", .infinity),
        ] as [(String, Double?)])
    func `a number is what can be one`(sql: String, number: Double?) throws {
        #expect(try row(sql).real("value").map(\.description) == number.map(\.description))
    }

    @Test(
        arguments: [
            ("'a'", "a"), ("5", "5"), ("0.5", "0.5"), ("''", ""), ("NULL", nil), ("x'61'", nil),
        ] as [(String, String?)])
    func `a text is what can be one`(sql: String, text: String?) throws {
        let row = try row(sql)
        #expect(row.text("value") == text)
        #expect(row.text(at: 0) == text)
        #expect(row.text(at: 1) == nil)
        if text == nil {
            #expect(throws: SourceError.self) { try row.requiredText("value") }
        }
    }
}

/// A `meta.yaml` of a folder of runs.
@Suite struct MetaFileTests {
    private func meta(_ text: String) throws -> MetaFile {
        try MetaFile(text, path: "/m/meta.yaml")
    }

    @Test func `names have plain values, and null is none`() throws {
        let meta = try meta("a: x\nb: 5\nc: null\nd:\ne: '5'\nf: 1.5e3\ng: [1]\nh: 1700000000000\n")
        #expect(["a", "b", "e"].map { meta[$0] } == ["x", "5", "5"])
        #expect(["c", "d", "g", "none"].map { meta[$0] } == [nil, nil, nil, nil])
        #expect(meta.number("b") == 5)
        #expect(meta.number("f") == 1500)
        #expect(meta.number("h") == 1_700_000_000_000)
        #expect(meta.number("a") == nil)
        let error = #expect(throws: SourceError.self) { try meta.required("c") }
        #expect(error?.message == "/m/meta.yaml has no c")
    }

    @Test func `tags are texts by name`() throws {
        let meta = try meta("tags:\n  a: x\n  b: 5\n  c: [1]\n")
        #expect(
            meta.texts("tags") == [
                NamedText(key: "a", value: "x"), NamedText(key: "b", value: "5"),
            ])
        #expect(meta.texts("none") == [])
    }

    @Test func `what is deleted there is not active`() throws {
        #expect(try meta("a: 1").isActive)
        #expect(try meta("lifecycle_stage: active").isActive)
        #expect(try !meta("lifecycle_stage: deleted").isActive)
    }

    @Test(arguments: [
        ("- 1", "holds no names and values"), ("", "holds no names and values"),
        ("a: [", "is no YAML"), ("a: &x 1\nb: *x", "holds aliases"),
        ("a: [" + String(repeating: "[],", count: 100_000) + "]", "more names and values"),
    ])
    func `what is none is refused in words`(text: String, words: String) {
        let error = #expect(throws: SourceError.self) { try meta(text) }
        #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
        #expect(error?.isRefusal == true)
    }
}

/// What a tracking server answers.
@Suite struct ServerMessageTests {
    private struct Wrapped: Decodable { var values: [MLflowMessages.Number] }

    @Test func `a number may be a text`() throws {
        let data = #"{"values": [1, "NaN", "Infinity", "-Infinity", "2.5", "x"]}"#.utf8
        let values = try JSONDecoder().decode(Wrapped.self, from: Data(data)).values.map(\.value)
        #expect(
            values.map(\.description) == ["1.0", "nan", "inf", "-inf", "2.5", "nan"])
    }

    @Test func `an item that cannot be read is named, and the others are read`() throws {
        let data = """
            {"runs": [{"info": {"run_id": "a", "experiment_id": "1", "status": "FINISHED"}},
             {"info": {"run_id": "b"}}, 5, {"info": {"run_id": "c", "experiment_id": "1",
             "status": "FAILED"}, "data": {"params": [{"key": "p"}]}}]}
            """
        let runs = try #require(
            try JSONDecoder().decode(MLflowMessages.Runs.self, from: Data(data.utf8)).runs)
        #expect(runs.items.map(\.info.run_id) == ["a", "c"])
        #expect(runs.unreadable == ["run_id 'b'", "an item without a name"])
        #expect(runs.items[1].data?.params?[0].text == NamedText(key: "p", value: ""))
    }
}
