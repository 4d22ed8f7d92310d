#if DEBUG
    import AloftDomain
    import Foundation
    import NIOCore

    @testable import AloftMLflow

    /// What tracking clients send.
    enum TrackingReaders {
        static let all: [Reader] = [
            Reader(
                name: "tracking-json", good: bodies, words: words,
                read: { _, bytes in
                    let fields = try MLflowBody.fields(ByteBuffer(bytes: bytes))
                    _ = try? fields.objects("metrics")
                    _ = try? fields.optionalInt("max_results")
                    _ = try? fields.optionalString("filter")
                    _ = try PageToken.position(fields)
                }),
            Reader(
                name: "log-batch", good: bodies, words: words,
                read: { _, bytes in
                    guard LogBatchReader.read(bytes) == nil else { return }
                    _ = try LogBatch(MLflowBody.fields(ByteBuffer(bytes: bytes)))
                }),
            Reader(
                name: "spans", good: spans,
                words: ["\u{0A}\u{12}", "\u{4A}", "\u{5A}", "key", "\u{2A}\u{0A}", "\u{32}"],
                read: { _, bytes in
                    _ = try SpanReader.batches(SpanExportCalls.protobuf(ByteBuffer(bytes: bytes)))
                }),
            Reader(
                name: "spans-json", good: spansJSON,
                words: [
                    #""resourceSpans":["#, #""scopeSpans":["#, #""spans":["#, #""attributes":["#,
                    #"{"key":"a","value":{"stringValue":"b"}}"#, #""arrayValue":{"values":["#, "{}",
                    #""kvlistValue":{"values":["#, #""intValue":"1""#, #""doubleValue":1e400"#,
                    #""bytesValue":"AAEC""#, #""traceId":"#,
                ],
                read: { _, bytes in
                    _ = try SpanReader.batches(SpanExportCalls.json(ByteBuffer(bytes: bytes)))
                }),
            Reader(
                name: "filters", variants: 6, good: filters,
                words: [
                    " AND ", "metrics.", "params.", "tags.", "attributes.", "`a b`", "'x'", "\"x\"",
                    " LIKE ", " ILIKE ", " RLIKE ", " IN (", ")", " = ", " != ", " >= ", " IS NULL",
                    " IS NOT NULL", "'%'", "span.content", "feedback.", "trace.", "prompt = 'a/1'",
                    "''",
                    "dataset.name", "--", "(", ",", "1e5", "ORDER BY", " DESC", " ASC",
                ],
                read: { variant, bytes in
                    try filter(String(decoding: bytes, as: UTF8.self), variant)
                }),
        ]

        private static func filter(_ text: String, _ variant: Int) throws {
            // An order is parsed even where the filter is none.
            let clauses = text.split(
                separator: ";", maxSplits: 40, omittingEmptySubsequences: false
            ).map(
                String.init)
            switch variant {
            case 0:
                _ = try? RunSearchParser.conditions(text)
                _ = try RunSearchParser.orders(clauses)
            case 1:
                _ = try? ExperimentSearchParser.conditions(text)
                _ = try ExperimentSearchParser.orders(clauses)
            case 2:
                _ = try? RegistrySearchParser.modelConditions(text)
                _ = try RegistrySearchParser.modelOrders(clauses)
            case 3:
                _ = try? RegistrySearchParser.versionConditions(text)
                _ = try RegistrySearchParser.versionOrders(clauses)
            case 4: _ = try LoggedModelSearchParser.conditions(text)
            default:
                _ = try? TraceSearchParser.conditions(text)
                _ = try TraceSearchParser.orders(clauses)
            }
        }

        private static let run = String(repeating: "a", count: 32)

        private static let bodies = [
            #"{"run_id":"\#(run)","metrics":[{"key":"a","value":1.5,"timestamp":1,"step":2}]}"#,
            #"{"run_id":"\#(run)","params":[{"key":"a","value":"b"}],"tags":[{"key":"a","value":"é"}],"#
                + #""metrics":[{"key":"a","value":NaN,"timestamp":"1","model_id":"m","dataset_name":"d","#
                + #""dataset_digest":"e"}]}"#,
            #"{"experiment_ids":["0"],"filter":"metrics.a > 1","order_by":["a DESC"],"max_results":5,"#
                + #""page_token":"eyJhZnRlciI6WzEsImEiXX0="}"#,
        ].map(\.body)

        private static let words =
            #""metrics":[;"params":[;"tags":[;{"key":"a","value":1,"timestamp":1};"step":;-Infinity;NaN;{};[];"page_token":"eyJhZnRlciI6W3siYml0cyI6IjEifV19";"run_id":;\ud83d\ude00;\u0000;1e5"#
            .split(separator: ";").map(String.init)

        private static let filters = [
            "metrics.a > 1 AND params.`b c` = 'x'",
            "attributes.start_time >= 5 AND tags.k LIKE '%x'",
            "run_id IN ('a','b')", "name ILIKE 'x%'",
            "trace.status = 'OK' AND span.content LIKE '%a%'",
            "tags.a IS NULL", "params.x RLIKE 'a.*b'", "metrics.a DESC;start_time",
            "timestamp_ms > 5",
            "dataset.name = 'd'", "feedback.a = 'yes'",
        ].map(\.body)

        private static let span: [UInt8] =
            Field.bytes(1, [UInt8](repeating: 7, count: 16))
            + Field.bytes(2, [UInt8](repeating: 8, count: 8)) + Field.bytes(5, "span".body)
            + Field.bytes(9, Field.bytes(1, "k".body) + Field.bytes(2, Field.bytes(1, "v".body)))
            + Field.bytes(
                9,
                Field.bytes(1, "list".body)
                    + Field.bytes(2, Field.bytes(5, Field.bytes(1, Field.bytes(1, "v".body)))))
            + Field.bytes(
                9,
                Field.bytes(1, "map".body)
                    + Field.bytes(
                        2,
                        Field.bytes(
                            6,
                            Field.bytes(
                                1,
                                Field.bytes(1, "k".body) + Field.bytes(2, Field.bytes(1, "v".body)))
                        )))
            + Field.bytes(11, Field.bytes(2, "event".body)) + Field.bytes(15, [0x18, 1])

        private static let spans = [
            Field.bytes(1, Field.bytes(2, Field.bytes(2, span))),
            Field.bytes(
                1,
                Field.bytes(
                    1,
                    Field.bytes(
                        1, Field.bytes(1, "k".body) + Field.bytes(2, Field.bytes(1, "v".body))))
                    + Field.bytes(2, Field.bytes(2, span) + Field.bytes(2, span))),
        ]

        private static let spansJSON = [
            #"{"resourceSpans":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"b"}}]},"#
                + #""scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","#
                + #""spanId":"b7ad6b7169203331","name":"n","startTimeUnixNano":"1","endTimeUnixNano":"2","#
                + #""attributes":[{"key":"l","value":{"arrayValue":{"values":[{"intValue":"1"}]}}}],"#
                + #""events":[{"name":"e","timeUnixNano":"1"}],"status":{"code":1}}]}]}]}"#
        ].map(\.body)
    }
#endif
