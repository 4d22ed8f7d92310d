#if DEBUG
    import AloftDomain
    import Foundation

    @testable import AloftInference

    /// What clients of models send, and what Python workers answer.
    enum InferenceReaders {
        private static let models: [(signature: ModelSignature, columns: [String]?)] = [
            (model([("X", .fp32, [-1, 2])]), ["a", "b"]),
            (model([("X", .fp64, [-1, -1])]), nil),
            (model([("X", .int64, nil)]), nil),
            (model([("X", .fp32, [-1, 300])]), (0..<300).map { "c\($0)" }),
            (model([("X", .bytes, [-1, -1])]), nil),
            (model([("a", .int64, [-1, 1]), ("b", .bytes, [-1, 1]), ("c", .fp64, [-1])]), nil),
            (model([("X", .bool, [-1, 2])]), ["a", "b"]),
        ]

        private static func model(_ inputs: [(String, Datatype, [Int]?)]) -> ModelSignature {
            ModelSignature(
                inputs: inputs.map { TensorSignature(name: $0.0, datatype: $0.1, shape: $0.2) },
                outputs: [
                    TensorSignature(name: "y", datatype: .fp32, shape: [-1]),
                    TensorSignature(name: "s", datatype: .bytes, shape: [-1]),
                ])
        }

        private static let tables = [
            #"{"dataframe_split":{"columns":["a","b"],"data":[[1,2],[3,4]]}}"#,
            #"{"dataframe_split":{"data":[["x",2,null],["é\n",4,1e3]],"columns":["b","a","c"]}}"#,
            #"{"dataframe_records":[{"a":1,"b":"2","c":true},{"c":4,"a":3}],"params":{"x":1}}"#,
            #"{"instances":[[1,2],[3,4]]}"#, #"{"inputs":{"X":[[1,2],[3,4]]}}"#,
            #"{"inputs":{"a":[[1]],"b":[["x"]],"c":[0.5]}}"#, #"{"inputs":[[true,false]]}"#,
            #"{"instances":[{"a":1,"b":"x","c":2}]}"#,
        ].map(\.body)

        private static let requests = [
            #"{"id":"q","inputs":[{"name":"X","shape":[1,2],"datatype":"FP32","data":[1,2]}],"#
                + #""outputs":[{"name":"y"}],"parameters":{"timeout":5}}"#,
            #"{"inputs":[{"name":"X","shape":[2,1],"datatype":"BYTES","data":["a","é"]}]}"#,
            #"{"inputs":[{"name":"a","shape":[1,1],"datatype":"INT64","data":[[1]]},"#
                + #"{"name":"b","shape":[1,1],"datatype":"BYTES","data":["x"]},"#
                + #"{"name":"c","shape":[1],"datatype":"FP64","data":[1e3]}]}"#,
            #"{"inputs":[{"name":"X","shape":[1,2],"datatype":"BOOL","data":[true,false]}]}"#,
        ].map(\.body)

        private static let words =
            #"{"dataframe_split":;"columns":;"data":;{"dataframe_records":[;{"instances":[;{"inputs":[;"params":;"name":"X";"shape":;"datatype":"FP64";"BYTES";"INT64";"parameters":{;"binary_data_size":;"binary_data":true;"id":;[[;]];{};"a":;"b":;"X":;1.5;,"#
            .split(separator: ";").map(String.init)

        static let all: [Reader] = [
            Reader(
                name: "scoring-json", variants: models.count, good: tables, words: words,
                read: { variant, bytes in
                    let model = models[variant]
                    try ScoringReader.read(
                        bytes, isCSV: false, signature: model.signature, columns: model.columns,
                        into: InferenceRequest())
                }),
            Reader(
                name: "scoring-csv", variants: models.count,
                good: ["a,b,c\n1,\"x\"\"y\",2\r\n3,,4\n", "a,b\n1,2\n3,4\n", "X\nx\n"].map(\.body),
                words: [",", "\n", "\r\n", "\"", "\"\"", "a,b\n", "1e5", "NaN", "c1,"],
                read: { variant, bytes in
                    let model = models[variant]
                    try ScoringReader.read(
                        bytes, isCSV: true, signature: model.signature, columns: model.columns,
                        into: InferenceRequest())
                }),
            Reader(
                name: "infer-json", variants: models.count, good: requests, words: words,
                read: { variant, bytes in
                    try InferRequestReader.read(
                        bytes, signature: models[variant].signature, into: InferenceRequest())
                }),
            Reader(
                name: "infer-binary", variants: models.count, good: binaries, words: words,
                read: { variant, bytes in
                    // The JSON's length is said by a header of the request: here by the first two bytes.
                    let (length, body) = cut(bytes)
                    try InferRequestReader.read(
                        body, jsonLength: length, signature: models[variant].signature,
                        into: InferenceRequest())
                }),
            Reader(
                name: "infer-message", variants: models.count, good: messages,
                words: ["X", "FP32", "BYTES", "\u{0A}", "\u{2A}", "\u{3A}", "\u{22}", "\u{42}"],
                read: { variant, bytes in
                    _ = InferMessageReader.requestID(bytes)
                    _ = try? InferMessageReader.target(bytes)
                    _ = try? InferMessageReader.parameter(bytes, name: "segment")
                    try InferMessageReader.read(
                        bytes, signature: models[variant].signature, into: InferenceRequest())
                }),
            Reader(
                name: "worker-frame", variants: models.count, good: frames,
                words: [
                    #""outputs":["#, #""shape":[1,"#, #""offset":"#, #""length":"#, #""name":"s""#,
                    #""error":{"code":"a","message":"b"}"#, #""inputs":["#,
                ],
                read: { variant, bytes in
                    let (length, frame) = cut(bytes)
                    let header = Data(frame[..<length])
                    let payload = Array(frame[length...])
                    let message = try JSONDecoder().decode(WorkerFrames.Message.self, from: header)
                    let request = InferenceRequest()
                    request.wantedOutputs = [0, 1]
                    try WorkerAnswers.read(
                        message, payload: payload, request: request,
                        signature: models[variant].signature, into: TensorSet())
                }),
        ]

        /// Two bytes of a length, and what follows; the length is at most that of what follows.
        private static func cut(_ bytes: UnsafeRawBufferPointer) -> (Int, UnsafeRawBufferPointer) {
            guard bytes.count >= 2 else {
                return (0, UnsafeRawBufferPointer(rebasing: bytes[..<0]))
            }
            let rest = UnsafeRawBufferPointer(rebasing: bytes[2...])
            return ((Int(bytes[0]) | Int(bytes[1]) << 8) % (rest.count + 1), rest)
        }

        private static func joined(_ start: String, _ rest: [UInt8]) -> [UInt8] {
            let length = start.utf8.count
            return [UInt8(truncatingIfNeeded: length), UInt8(truncatingIfNeeded: length >> 8)]
                + start.body + rest
        }

        private static func binary(_ name: String, _ type: String, _ size: Int) -> String {
            #"{"inputs":[{"name":"\#(name)","shape":[1,2],"datatype":"\#(type)","#
                + #""parameters":{"binary_data_size":\#(size)}}],"#
                + #""outputs":[{"name":"y","parameters":{"binary_data":true}}]}"#
        }

        private static let binaries = [
            joined(binary("X", "FP32", 8), [UInt8](repeating: 7, count: 8)),
            joined(binary("X", "FP64", 16), [UInt8](repeating: 7, count: 16)),
            joined(binary("X", "BYTES", 10), [1, 0, 0, 0, 97, 1, 0, 0, 0, 98]),
            joined(binary("X", "BOOL", 2), [1, 0]),
        ]

        private static let frames = [
            joined(
                #"{"id":1,"kind":"result","outputs":["#
                    + #"{"name":"y","datatype":"FP32","shape":[2],"offset":0,"length":8},"#
                    + #"{"name":"s","datatype":"BYTES","shape":[1],"offset":8,"length":5}]}"#,
                [UInt8](repeating: 0, count: 8) + [1, 0, 0, 0, 97]),
            joined(#"{"id":2,"error":{"code":"user_error","message":"no"}}"#, []),
            joined(
                #"{"kind":"ready","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"#
                    + #""outputs":[{"name":"y","datatype":"FP32","shape":[-1]}]}"#, []),
        ]

        // MARK: Protobuf

        private static let messages: [[UInt8]] = [
            Field.bytes(1, "m".body) + Field.bytes(3, "id".body)
                + Field.bytes(
                    4, Field.bytes(1, "segment".body) + Field.bytes(2, Field.bytes(3, "a".body)))
                + Field.bytes(
                    5, tensor("X", "FP32", [1, 2]) + Field.bytes(5, Field.bytes(6, eight)))
                + Field.bytes(6, Field.bytes(1, "y".body)),
            Field.bytes(1, "m".body) + Field.bytes(5, tensor("X", "FP32", [1, 2]))
                + Field.bytes(7, eight),
            Field.bytes(1, "m".body)
                + Field.bytes(
                    5,
                    tensor("X", "BYTES", [1, 2])
                        + Field.bytes(5, Field.bytes(8, "a".body) + Field.bytes(8, "b".body))),
            Field.bytes(1, "m".body) + Field.bytes(5, tensor("X", "BYTES", [1, 1]))
                + Field.bytes(7, [1, 0, 0, 0, 97]),
            Field.bytes(1, "m".body)
                + Field.bytes(
                    5, tensor("X", "INT64", [3]) + Field.bytes(5, Field.bytes(3, [1, 2, 3]))),
        ]

        private static let eight = [UInt8](repeating: 7, count: 8)

        private static func tensor(_ name: String, _ type: String, _ shape: [UInt8]) -> [UInt8] {
            Field.bytes(1, name.body) + Field.bytes(2, type.body) + Field.bytes(3, shape)
        }
    }
#endif
