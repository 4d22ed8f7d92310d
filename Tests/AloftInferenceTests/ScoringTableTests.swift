import AloftInference
import Foundation
import Testing

/// Tables as they are read into tensors: by the model's columns, whatever else they hold.
@Suite struct ScoringTableTests {
    private let matrix = ModelSignature(
        inputs: [TensorSignature(name: "X", datatype: .fp64, shape: [-1, -1])], outputs: [])
    private let mixed = ModelSignature(
        inputs: [
            TensorSignature(name: "n", datatype: .int64, shape: [-1, 1]),
            TensorSignature(name: "t", datatype: .bytes, shape: [-1, 1]),
            TensorSignature(name: "f", datatype: .fp32, shape: [-1, 1]),
        ], outputs: [])

    private func read(
        _ body: String, _ signature: ModelSignature, columns: [String]? = nil, isCSV: Bool = false
    ) throws -> TensorSet {
        let request = InferenceRequest()
        try Data(body.utf8).withUnsafeBytes {
            try ScoringReader.read(
                $0, isCSV: isCSV, signature: signature, columns: columns, into: request)
        }
        return request.tensors
    }

    private func numbers<Number: BitwiseCopyable>(
        _ tensors: TensorSet, _ place: Int, _: Number.Type
    ) -> [Number] {
        Array(tensors.bytes(tensors.entries[place]).bindMemory(to: Number.self))
    }

    private func texts(_ tensors: TensorSet, _ place: Int) -> [String]? {
        tensors.strings(tensors.entries[place])?.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [
        #"{"dataframe_split":{"columns":["t","z","n","f"],"data":[["é",9,1,0.5],["\n",9,2,null]]}}"#,
        #"{"dataframe_split":{"data":[["é",9,1,0.5],["\n",9,2,null]],"columns":["t","z","n","f"]}}"#,
        #"{"dataframe_records":[{"z":9,"t":"é","n":1,"f":0.5},{"n":2,"q":7,"t":"\n"}]}"#,
        #"{"instances":[{"f":0.5,"n":1,"t":"é"},{"n":1,"n":2,"t":"x","t":"\n"}]}"#,
        #"{"dataframe_split":{"columns":["t","z","n","f"],"data":[["é",[1],"1",0.5],["\n",{},2.9,null]]}}"#,
        #"{"dataframe_records":[{"z":[{}],"t":"é","n":" 1 ","f":"5e-1"},{"n":2,"t":"\n"}],"params":{}}"#,
        "\u{FEFF}" + #"{"instances":[["1","é","0.5"],[2,"\n",null]]}"#,
        #"{"instances":[[1,"é",0.5],[2,"\n",null]]}"#,
    ])
    func `columns that the model does not take are stepped over, missing numbers are none`(
        body: String
    ) throws {
        let tensors = try read(body, mixed)
        #expect(numbers(tensors, 0, Int64.self) == [1, 2])
        #expect(texts(tensors, 1) == ["é", "\n"])
        let floats = numbers(tensors, 2, Float.self)
        #expect(floats.count == 2 && floats[0] == 0.5 && floats[1].isNaN)
    }

    /// What MLflow makes of a column by its signature, where the model runs with other numbers.
    @Test(
        arguments: [
            (#"[3]"#, 3.0), (#"["3"]"#, 3), (#"[3.9]"#, 3), (#"[-3.9]"#, -3), (#"[true]"#, 1),
            (#"["3.5"]"#, nil), (#"[null]"#, nil), (#"["x"]"#, nil),
            (#"[9223372036854775808]"#, nil),
            (#"[1e300]"#, nil), (#"[NaN]"#, nil),
            (#"[9223372036854774784]"#, 9_223_372_036_854_774_784),
        ] as [(String, Double?)])
    func `a whole number is one by the signature, however the model is run`(
        values: String, wanted: Double?
    ) throws {
        for body in [
            #"{"dataframe_split":{"columns":["n"],"data":[\#(values)]}}"#,
            #"{"inputs":{"n":\#(values)}}"#,
        ] {
            let request = InferenceRequest()
            let read = {
                try Data(body.utf8).withUnsafeBytes {
                    try ScoringReader.read(
                        $0, isCSV: false, signature: self.matrix, columns: ["n"], kinds: [.int64],
                        into: request)
                }
            }
            guard let wanted else {
                #expect(throws: InferenceError.self, "\(body)") { try read() }
                continue
            }
            try read()
            #expect(numbers(request.tensors, 0, Double.self) == [wanted], "\(body)")
        }
    }

    @Test func `one value beside lists stands in every row, and a column is there once`() throws {
        let tensors = try read(
            #"{"inputs":{"t":"é","n":[1,2],"f":0.5}}"#, mixed, columns: ["n", "t", "f"])
        #expect(numbers(tensors, 0, Int64.self) == [1, 2])
        #expect(texts(tensors, 1) == ["é", "é"])
        #expect(numbers(tensors, 2, Float.self) == [0.5, 0.5])
        for body in [
            #"{"dataframe_split":{"columns":["n","t","f","n"],"data":[[1,"a",2,3]]}}"#,
            #"{"dataframe_split":{"columns":["n","t","f"],"data":[[1,"a",2]],"index":[1,2]}}"#,
            #"{"dataframe_split":{"columns":["n","t","f"],"data":[[1,"a",2]],"rows":[]}}"#,
            #"{"dataframe_split":{"columns":["n","t","f"],"data":[[[1],"a",2]]}}"#,
        ] {
            #expect(throws: InferenceError.self, "\(body)") { try read(body, mixed) }
        }
    }

    @Test func `a long value is not read again for each of many rows`() throws {
        let rows = Array(repeating: "0", count: 250_000).joined(separator: ",")
        for value in [
            "\"\(String(repeating: "x", count: 400_000))\"",
            "0." + String(repeating: "1", count: 400_000),
        ] {
            let body = "{\"inputs\":{\"n\":[\(rows)],\"t\":\(value),\"f\":0.5}}"
            #expect(throws: InferenceError.self) {
                try read(body, mixed, columns: ["n", "t", "f"])
            }
        }
        let few = Array(repeating: "0", count: 1000).joined(separator: ",")
        let short = "{\"inputs\":{\"n\":[\(few)],\"t\":\"é\",\"f\":0.5}}"
        #expect(texts(try read(short, mixed, columns: ["n", "t", "f"]), 1)?.count == 1000)
    }

    @Test func `a tensor takes whatever numpy makes a number of`() throws {
        let tensors = try read(
            #"{"inputs":[[" 1.5","1_0"],[true,false],["-inf",null]]}"#, matrix)
        let found = numbers(tensors, 0, Double.self)
        #expect(found.prefix(5) == [1.5, 10, 1, 0, -.infinity] && found[5].isNaN)
        for body in [#"{"inputs":[["0x10"]]}"#, #"{"inputs":[["1__0"]]}"#, #"{"inputs":[[""]]}"#] {
            #expect(throws: InferenceError.self, "\(body)") { try read(body, matrix) }
        }
        #expect(throws: InferenceError.self) {
            try read("n,t,f\n0x10,a,1\n", mixed, isCSV: true)
        }
        let old = try read("n,t,f\r1,a,2.5\r2,b,3\r", mixed, isCSV: true)
        #expect(numbers(old, 0, Int64.self) == [1, 2])
    }

    @Test func `CSV is read alike, with quotes, blank lines and either end of lines`() throws {
        let tensors = try read(
            "t,z,n,f\r\n\"a \"\"b\"\",\r\n\",9,1,0.5\r\n\r\n\nx\"y\"z,9,2.0,NA", mixed, isCSV: true)
        #expect(numbers(tensors, 0, Int64.self) == [1, 2])
        #expect(texts(tensors, 1) == ["a \"b\",\r\n", "x\"y\"z"])
        #expect(numbers(tensors, 2, Float.self)[1].isNaN)
    }

    @Test(arguments: [
        #"{"dataframe_split":{"columns":["q","p"],"data":[[1,2],[3,4]]}}"#,
        #"{"dataframe_records":[{"q":1,"p":2},{"p":4,"q":3}]}"#,
        #"{"inputs":[{"q":1,"p":2},{"q":3,"p":4}]}"#, #"{"inputs":[[1,2],[3,4]]}"#,
    ])
    func `a model without columns takes the table's own`(body: String) throws {
        #expect(numbers(try read(body, matrix), 0, Double.self) == [1, 2, 3, 4])
    }

    @Test func `strings of a matrix lie in the model's order`() throws {
        let words = ModelSignature(
            inputs: [TensorSignature(name: "X", datatype: .bytes, shape: [-1, 2])], outputs: [])
        let tensors = try read(
            #"{"dataframe_split":{"columns":["b","a"],"data":[["1","22"],["333",null]]}}"#, words,
            columns: ["a", "b"])
        #expect(texts(tensors, 0) == ["22", "1", "", "333"])
    }

    @Test func `whole numbers keep all their digits`() throws {
        let large = ModelSignature(
            inputs: [TensorSignature(name: "X", datatype: .uint64, shape: [-1, 1])], outputs: [])
        let body = #"{"dataframe_split":{"columns":["a"],"data":[[18446744073709551615],[7]]}}"#
        #expect(numbers(try read(body, large), 0, UInt64.self) == [.max, 7])
    }

    @Test(arguments: [
        (#"{"dataframe_records":[{"n":1,"t":"a","f":1},{"t":"b"}]}"#, #"Column "n", row 1"#),
        (#"{"dataframe_records":[{"n":"1.5","t":"a","f":1}]}"#, #"Column "n", row 0"#),
        (#"{"dataframe_records":[{"n":1,"t":2,"f":1}]}"#, #"Column "t", row 0"#),
        (#"{"dataframe_records":[{"n":1,"t":"a"}]}"#, #"lacks the column "f""#),
        (#"{"dataframe_records":[{"n":1,"t":"a","f":[1]}]}"#, "a number, a string"),
        (#"{"dataframe_split":{"columns":["n"],"columns":["n"]}}"#, #""columns" only once"#),
        (
            #"{"dataframe_split":{"columns":["n","t","f"],"data":[[1,"a",1],[1]]}}"#,
            "Row 1 has 1 values"
        ),
    ])
    func `what is wrong is said with its column and row`(body: String, part: String) {
        #expect {
            _ = try read(body, mixed)
        } throws: { error in
            (error as? InferenceError)?.message.contains(part) == true
        }
    }

    @Test func `a table much larger than its text is refused before it is made`() {
        let columns = (0..<2000).map { "c\($0)" }
        let first = columns.map { "\"\($0)\":1" }.joined(separator: ",")
        let body =
            #"{"dataframe_records":[{\#(first)}\#(String(repeating: ",{}", count: 20_000))]}"#
        #expect {
            _ = try read(body, matrix, columns: columns)
        } throws: { error in
            (error as? InferenceError)?.message.contains("20001 rows of 2000 columns") == true
        }
    }
}
