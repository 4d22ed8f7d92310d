import AloftDomain
import AloftInference

/// What a model takes, for readers.
struct ReaderWorld: Sendable {
    let name: String
    let signature: ModelSignature
    let columns: [String]?

    private static func make(
        _ name: String, _ inputs: [TensorSignature], columns: [String]? = nil
    ) -> ReaderWorld {
        ReaderWorld(
            name: name,
            signature: ModelSignature(
                inputs: inputs,
                outputs: [TensorSignature(name: "y", datatype: .fp32, shape: [-1])]),
            columns: columns)
    }

    static let matrix = make(
        "two columns", [TensorSignature(name: "X", datatype: .fp32, shape: [-1, 2])],
        columns: ["a", "b"])

    static let all = [
        matrix,
        make("any columns", [TensorSignature(name: "X", datatype: .fp64, shape: [-1, -1])]),
        make("any tensor", [TensorSignature(name: "X", datatype: .int64, shape: nil)]),
        make(
            "a thousand columns",
            [TensorSignature(name: "X", datatype: .fp32, shape: [-1, 1000])],
            columns: (0..<1000).map { "c\($0)" }),
        make("any strings", [TensorSignature(name: "X", datatype: .bytes, shape: [-1, -1])]),
        make(
            "inputs by name",
            [
                TensorSignature(name: "a", datatype: .int64, shape: [-1, 1]),
                TensorSignature(name: "b", datatype: .bytes, shape: [-1, 1]),
                TensorSignature(name: "c", datatype: .fp64, shape: [-1]),
            ]),
    ]
}

/// Bodies made to cost more than they are.
enum Adversary {
    typealias Body = (what: String, bytes: [UInt8])

    private static func many(_ part: String, _ count: Int, between: String = ",") -> String {
        Array(repeating: part, count: count).joined(separator: between)
    }

    private static func bodies(_ texts: [(String, String)]) -> [Body] {
        texts.map { (what: $0.0, bytes: Array($0.1.utf8)) }
    }

    private static let names = (0..<10_000).map { #""c\#($0)":0"# }.joined(separator: ",")
    private static let deep = String(repeating: "[", count: 50_000)

    static let tables: [Body] = bodies([
        (
            "invented columns, then empty rows",
            #"{"dataframe_records":[{\#(names)},\#(many("{}", 6000))]}"#
        ),
        ("empty rows", #"{"dataframe_records":[\#(many("{}", 40_000))]}"#),
        ("rows of one column", #"{"dataframe_records":[\#(many(#"{"a":1}"#, 20_000))]}"#),
        (
            "every row another column",
            #"{"instances":[\#((0..<9000).map { #"{"\#($0)":1}"# }.joined(separator: ","))]}"#
        ),
        ("a doubled column", #"{"dataframe_records":[{\#(many(#""a":1"#, 30_000)),"b":2}]}"#),
        (
            "strings doubled in a row",
            #"{"dataframe_records":[{\#(many(#""b":"xyz""#, 20_000)),"a":2,"c":3}]}"#
        ),
        (
            "one wide row",
            #"{"dataframe_split":{"columns":["a"],"data":[[\#(many("0", 100_000))]]}}"#
        ),
        (
            "many columns, many rows",
            #"{"dataframe_split":{"columns":[\#(many(#""c""#, 60_000))],"data":[\#(many("[]", 40_000))]}}"#
        ),
        (
            "rows of one cell",
            #"{"dataframe_split":{"columns":["X"],"data":[\#(many("[0]", 60_000))]}}"#
        ),
        (
            "rows before columns, strings",
            #"{"dataframe_split":{"data":[\#(many(#"[1,"",2]"#, 30_000))],"columns":["a","b","c"]}}"#
        ),
        (
            "escapes",
            #"{"dataframe_split":{"columns":["a","b","c"],"data":[[1,"\#(many(#"\u0001"#, 30_000, between: ""))",2]]}}"#
        ),
        ("no columns", #"{"dataframe_split":{"data":[\#(many("[0,0]", 40_000))]}}"#),
        ("bare rows", #"{"instances":[\#(many("[0,0,0]", 30_000))]}"#),
        ("a flat list", #"{"inputs":[\#(many("0", 100_000))]}"#),
        ("a list of strings", #"{"inputs":[\#(many(#""""#, 80_000))]}"#),
        ("rows of nothing", #"{"inputs":[\#(many("[]", 80_000))]}"#),
        ("depth", #"{"inputs":\#(deep)"#),
        ("depth that closes", #"{"inputs":[[[[[[[[\#(many("1", 50_000))]]]]]]]]}"#),
        ("depth of an unknown member", #"{"z":\#(deep)"#),
        ("inputs by name", #"{"inputs":{"a":[\#(many("[1]", 40_000))],"c":[1],"b":[[""]]}}"#),
        ("params", #"{"params":[\#(many("0", 100_000))],"instances":[[1,2]]}"#),
        (
            "many unknown members",
            "{" + (0..<20_000).map { #""k\#($0)":0"# }.joined(separator: ",") + "}"
        ),
    ])

    static let csv: [Body] =
        bodies([
            ("line ends", "a,b\n" + String(repeating: "\n", count: 200_000)),
            ("CRLF line ends", "a,b,c\r\n" + String(repeating: "\r\n", count: 100_000)),
            ("commas", String(repeating: ",", count: 200_000)),
            (
                "a wide header and rows",
                String(repeating: ",", count: 1000) + "\n"
                    + many(String(repeating: ",", count: 1000), 200, between: "\n")
            ),
            ("empty fields", "a,b,c\n" + many(",,", 60_000, between: "\n")),
            ("numbers", "a,b\n" + many("1,2", 50_000, between: "\n")),
            ("quotes", "a,b,c\n1,\"" + String(repeating: "\"\"", count: 60_000) + "\",2\n"),
            ("quotes that do not end", "a,b\n\"" + String(repeating: "1,2\n", count: 50_000)),
            ("one name", String(repeating: "x", count: 200_000)),
            ("a long cell", "a,b\n1," + String(repeating: "9", count: 200_000)),
        ]) + [("no text", [UInt8](repeating: 0xFF, count: 100_000))]

    private static func request(_ name: String, _ type: String, _ shape: String, _ data: String)
        -> String
    {
        #"{"inputs":[{"name":"\#(name)","shape":\#(shape),"datatype":"\#(type)","data":\#(data)}]}"#
    }

    static let requests: [Body] = bodies([
        ("numbers", request("X", "FP32", "[50000,2]", "[\(many("0", 100_000))]")),
        ("doubles", request("X", "FP64", "[1,100000]", "[\(many("0", 100_000))]")),
        ("strings", request("X", "BYTES", "[1,80000]", "[\(many(#""""#, 80_000))]")),
        ("a shape beyond the data", request("X", "FP64", "[1000000,1000000]", "[1]")),
        ("a shape of overflow", request("X", "INT64", "[9223372036854775807,2]", "[1]")),
        ("a shape of nothing", request("X", "FP64", "[0,9223372036854775807]", "[]")),
        ("unknown members", #"{"a":[\#(many("0", 100_000))],"inputs":[]}"#),
        ("unknown members, deep", #"{"z":\#(deep)"#),
        ("parameters", #"{"parameters":{\#(many(#""a":[0]"#, 30_000))},"inputs":[]}"#),
        ("an id", #"{"id":"\#(String(repeating: "é", count: 60_000))","inputs":[]}"#),
        ("many inputs", #"{"inputs":[\#(many("{}", 60_000))]}"#),
        ("many outputs", #"{"outputs":[\#(many(#"{"name":"y"}"#, 20_000))],"inputs":[]}"#),
        ("blanks", String(repeating: " ", count: 200_000)),
        ("a long name", request(String(repeating: "X", count: 150_000), "FP32", "[1]", "[1]")),
        ("a long type", request("X", String(repeating: "É", count: 80_000), "[1]", "[1]")),
        (
            "a number of digits",
            request("X", "FP64", "[1,1]", "[\(String(repeating: "9", count: 150_000))]")
        ),
    ])

    /// Messages of gRPC.
    static let messages: [Body] = [
        ("empty inputs", flat(0x2A, 80_000)), ("empty raws", flat(0x3A, 80_000)),
        ("empty parameters", flat(0x22, 80_000)), ("empty outputs", flat(0x32, 80_000)),
        (
            "strings of nothing",
            MessageMaker.request(inputs: [
                MessageMaker.input("X", "BYTES", [1, 80_000], contents: flat(0x42, 80_000))
            ])
        ),
        (
            "small whole numbers",
            MessageMaker.request(inputs: [
                MessageMaker.input(
                    "X", "INT64", [100_000],
                    contents: MessageMaker.contents(3, [UInt8](repeating: 1, count: 100_000)))
            ])
        ),
        (
            "a shape that lies",
            MessageMaker.request(inputs: [
                MessageMaker.input(
                    "X", "FP64", [1 << 40, 1 << 20], contents: MessageMaker.contents(7, [0]))
            ])
        ),
        (
            "raw strings of nothing",
            MessageMaker.request(
                inputs: [MessageMaker.input("X", "BYTES", [1, 50_000])],
                raws: [[UInt8](repeating: 0, count: 200_000)])
        ),
        (
            "parameters of control characters",
            MessageMaker.request(inputs: []) { maker in
                for _ in 0..<100 { maker.add(4, parameter([UInt8](repeating: 1, count: 1000))) }
            }
        ),
        (
            "parameters that are no text",
            MessageMaker.request(inputs: []) { maker in
                maker.add(4, parameter([UInt8](repeating: 0xFF, count: 100_000)))
            }
        ),
        (
            "a name without end",
            MessageMaker.request(inputs: []) {
                $0.add(1, [UInt8](repeating: 0xFF, count: 150_000))
            }
        ),
    ]

    private static func parameter(_ value: [UInt8]) -> [UInt8] {
        var inner = MessageMaker()
        inner.add(3, value)
        var entry = MessageMaker()
        entry.add(1, "k")
        entry.add(2, inner.bytes)
        return entry.bytes
    }

    private static func flat(_ tag: UInt8, _ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in [tag, 0] }
    }

    /// Small bodies of every form, to be changed.
    static let good: [[UInt8]] =
        [
            #"{"dataframe_split":{"columns":["a","b"],"data":[[1,2],[3,4]]}}"#,
            #"{"dataframe_split":{"columns":["b","a","c"],"data":[["x",2,null],["é\n",4,1e3]]}}"#,
            #"{"dataframe_records":[{"a":1,"b":"2","c":true},{"c":4,"a":3}],"params":{"x":1}}"#,
            #"{"instances":[[1,2],[3,4]]}"#, #"{"inputs":{"X":[[1,2],[3,4]]}}"#,
            "a,b,c\n1,\"x\"\"y\",2\r\n3,,4\n",
            #"{"id":"q","inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1,2]}],"#
                + #""outputs":[{"name":"y"}],"parameters":{"timeout":5}}"#,
            #"{"inputs":[{"name":"X","shape":[1,2],"datatype":"FP64","#
                + #""parameters":{"binary_data_size":16}}]}0123456789abcdef"#,
        ].map { Array($0.utf8) } + [
            MessageMaker.request(inputs: [
                MessageMaker.input(
                    "X", "FP32", [1, 2],
                    contents: MessageMaker.contents(6, [UInt8](repeating: 7, count: 8)))
            ])
        ]

    /// A few bytes changed, parts repeated thousands of times, or the end cut off.
    static func changed(
        _ body: [UInt8], _ chance: inout some RandomNumberGenerator
    ) -> [UInt8] {
        var body = body
        let letters = Array(#"[]{}",:\-+.eE0123456789ntfNI"#.utf8) + [0, 10, 13, 32, 0x80, 0xFF]
        for _ in 0..<Int.random(in: 1...6, using: &chance) where !body.isEmpty {
            let at = Int.random(in: 0..<body.count, using: &chance)
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: body[at] = letters.randomElement(using: &chance) ?? 0
            case 1: body.insert(letters.randomElement(using: &chance) ?? 0, at: at)
            case 2: body.remove(at: at)
            case 3: body = Array(body[..<at])
            default:
                let end = Int.random(in: at..<min(at + 40, body.count), using: &chance)
                guard body.count < 40_000 else { continue }
                let part = body[at...end]
                let times = Int.random(in: 1...(20_000 / part.count), using: &chance)
                body.insert(contentsOf: (0..<times).flatMap { _ in part }, at: at)
            }
        }
        return body
    }
}
