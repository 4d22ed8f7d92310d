#if DEBUG
    import AloftDomain
    import AloftEdge
    import AloftPredictionLog
    import Foundation
    import NIOCore
    import NIOHPACK

    @testable import AloftGRPC
    @testable import AloftGateway

    /// What comes to a gateway's ports before it is known for which model, and what it logs.
    enum GatewayReaders {
        static let all: [Reader] = [
            Reader(
                name: "grpc-messages", variants: 2, good: calls,
                words: ["\0\0\0\0\u{1}a", "\u{1}"],
                read: { variant, bytes in
                    let framing = MessageFraming(limitBytes: 64 << 20, mayBeCompressed: true)
                    // In pieces, as a socket hands them over.
                    let pieces = [
                        bytes.prefix(bytes.count / 2), bytes.suffix(bytes.count - bytes.count / 2),
                    ]
                    if variant == 0 {
                        var sequence = MessageSequence(framing)
                        for piece in pieces {
                            sequence.append(ByteBuffer(bytes: piece))
                            while try sequence.next() != nil {}
                        }
                        _ = sequence.cutOff
                    } else {
                        var assembly = MessageAssembly(framing)
                        for piece in pieces { try assembly.append(ByteBuffer(bytes: piece)) }
                        _ = try assembly.whole()
                    }
                }),
            Reader(
                name: "grpc-head", variants: 2, good: heads,
                words: [
                    ":path\t/inference.GRPCInferenceService/ModelInfer\n", "grpc-timeout\t1H\n",
                    "content-type\tapplication/grpc\n", "grpc-encoding\tgzip\n", "traceparent\t00-",
                    "authorization\tBearer ", "grpc-timeout\t99999999H\n",
                ],
                read: { variant, bytes in
                    let headers =
                        variant == 0 ? lines(bytes) : try decoded(ByteBuffer(bytes: bytes))
                    _ = try CallHead(
                        headers, receivedAt: NIODeadline.uptimeNanoseconds(1), place: nil)
                }),
            Reader(
                name: "segment-keys", variants: 2,
                good: [
                    #"{"parameters":{"city":"oslo"},"inputs":[{"name":"city","data":["x"]}]}"#,
                    #"{"inputs":{"city":[["x"]]}}"#, #"{"dataframe_records":[{"city":"x"}]}"#,
                    #"{"dataframe_split":{"columns":["a","city"],"data":[[1,"x"]]}}"#,
                    #"{"dataframe_split":{"data":[[1,["x"]]],"columns":["a","city"]}}"#,
                ].map(\.body), words: [#""city""#, "[[", "{", #""parameters":"#, "\\u00e9", ":"],
                read: { variant, bytes in
                    _ = SegmentKeyReader.read(
                        bytes, jsonLength: bytes.count.isMultiple(of: 7) ? bytes.count / 2 : nil,
                        source: variant == 0 ? "parameter" : "field", name: "city")
                }),
            Reader(
                name: "http-head", variants: 2, good: requests,
                words: [
                    "Content-Length: 2\r\n", "Host: a\r\n", "Transfer-Encoding: chunked\r\n",
                    "\r\n",
                    "0\r\n\r\n", "GET / HTTP/1.1\r\n", " ", "\n", "5;a=b\r\n",
                    "Origin: http://a\r\n",
                ],
                read: { variant, bytes in
                    if variant == 0 {
                        _ = PlainRequest(bytes)
                    } else {
                        var lines = RequestLines()
                        let middle = bytes.count / 3
                        _ = lines.passed(ByteBuffer(bytes: bytes[..<middle]))
                        _ = lines.passed(ByteBuffer(bytes: bytes[middle...]))
                    }
                }),
            Reader(
                name: "prediction-log", variants: 4, good: [[], [1, 0, 0, 0, 0, 0, 0, 0]],
                read: { variant, bytes in
                    // A checksum that is right gets to the records.
                    guard variant > 0 else {
                        _ = PredictionBlock.first(in: bytes)?.all()
                        return
                    }
                    let block = PredictionBlock.make(
                        bytes, PredictionBlock.Format.allCases[variant - 1])
                    block.withUnsafeBytes { _ = PredictionBlock.first(in: $0)?.all() }
                }),
        ]

        /// One header a line, name and value with a tab between them; no more than a connection takes
        /// (`maxHeaderListSize`, where a header counts 32 bytes beside its own: RFC 9113, section 6.5.2).
        private static func lines(_ bytes: UnsafeRawBufferPointer) -> HPACKHeaders {
            var headers: [(String, String)] = []
            var size = 0
            for line in bytes.prefix(16 << 10).split(separator: UInt8(ascii: "\n")) {
                size += line.count + 32
                guard size <= 16 << 10 else { break }
                let parts = line.split(
                    separator: UInt8(ascii: "\t"), maxSplits: 1, omittingEmptySubsequences: false)
                headers.append(
                    (
                        String(decoding: parts[0], as: UTF8.self),
                        parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
                    ))
            }
            return HPACKHeaders(headers)
        }

        /// As HTTP/2 packs them.
        private static func decoded(_ bytes: ByteBuffer) throws -> HPACKHeaders {
            var (decoder, bytes) = (HPACKDecoder(allocator: ByteBufferAllocator()), bytes)
            return try decoder.decodeHeaders(from: &bytes)
        }

        private static let calls: [[UInt8]] = [
            [0, 0, 0, 0, 2, 1, 2], [0, 0, 0, 0, 1, 7, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, UInt8(truncatingIfNeeded: ArchiveReaders.zeros.count)]
                + ArchiveReaders.zeros,
        ]

        private static let heads = [
            ":path\t/inference.GRPCInferenceService/ModelInfer\ncontent-type\tapplication/grpc\n"
                + "grpc-timeout\t5S\nauthorization\tBearer x\nx-aloft-sticky-key\tk\n"
                + "traceparent\t00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
            ":path\t/inference.GRPCInferenceService/ModelStreamInfer\ngrpc-encoding\tgzip\n"
                + "content-type\tapplication/grpc+proto\ngrpc-timeout\t5000000u\n",
        ].map(\.body)

        private static let requests = [
            "POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                + "Content-Type: application/json\r\n\r\n{}GET /v2/health/live HTTP/1.1\r\n"
                + "Host: localhost\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ].map(\.body)
    }
#endif
