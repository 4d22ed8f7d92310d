package import AloftDomain
package import AloftPredictionLog
package import Foundation

/// Records of the prediction log as gateways write them.
package struct PredictionFixture: Sendable {
    package var id = PredictionID(incarnation: 0xA10F_7000_0000_0001, loop: 0, sequence: 1)
    package var form = PredictionForm.json
    package var status = 200
    package var milliseconds: Int64 = 1_700_000_000_000
    package var microseconds = 800
    package var endpoint = "demo"
    package var revision = "rev-1"
    package var rolloutStep: Int?
    package var model = "m"
    package var version = "1"
    package var request = #"{"inputs":[]}"#
    package var response = #"{"outputs":[]}"#
    package var trace = ""
    /// How many bytes request and response had before they were cut; `nil` where they are whole.
    package var uncutRequestBytes: Int?
    package var uncutResponseBytes: Int?

    package init() {}

    package init(sequence: UInt64, milliseconds: Int64 = 1_700_000_000_000) {
        id.sequence = sequence
        self.milliseconds = milliseconds
    }

    /// The bytes of the record, its length first.
    package var record: Data {
        let description = description
        var body = Data()
        func put(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { body.append(contentsOf: $0) }
        }
        put(UInt16(status))
        put(id.loop)
        put(form.rawValue)
        put(id.incarnation)
        put(id.sequence)
        put(milliseconds)
        put(UInt32(microseconds))
        put(UInt16(description.utf8.count))
        body.append(contentsOf: description.utf8)
        for text in [request, response] {
            put(UInt32(text.utf8.count))
            body.append(contentsOf: text.utf8)
        }
        put(Int32(-1))
        put(UInt32(uncutRequestBytes ?? request.utf8.count))
        put(UInt32(uncutResponseBytes ?? response.utf8.count))
        put(UInt8(trace.utf8.count))
        body.append(contentsOf: trace.utf8)
        var whole = Data()
        withUnsafeBytes(of: UInt32(body.count).littleEndian) { whole.append(contentsOf: $0) }
        return whole + body
    }

    /// One block `ALP1` with these records.
    package static func block(_ fixtures: [PredictionFixture]) -> Data {
        let records = fixtures.reduce(into: Data()) { $0.append($1.record) }
        return records.withUnsafeBytes { PredictionBlock.make($0, .whole) }
    }

    // MARK: In compact blocks

    private var description: String {
        [
            endpoint, revision, rolloutStep.map { "\($0)" } ?? "", model, version,
            String(repeating: "d", count: 64),
        ].map { $0 + "\n" }.joined()
    }

    private static func entry(_ kind: UInt8, _ fill: (inout Data) -> Void) -> Data {
        var content = Data([kind])
        fill(&content)
        return bytes(of: UInt32(content.count)) + content
    }

    private static func bytes(of number: some FixedWidthInteger) -> Data {
        withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }

    /// The entry of its source: a model that takes an FP32 `x` and a BYTES `t`, and gives an INT64 `y`.
    package var source: Data { source(layouts: nil) }

    /// The same, with the layouts of its shaped records where it has some.
    package func source(layouts: (request: TensorLayout, reply: TensorLayout)?) -> Data {
        let shared = CompactPredictions.source(
            description: Array(description.utf8), inputs: [("FP32", "x"), ("BYTES", "t")],
            outputs: [("INT64", "y")])
        return Self.entry(CompactPredictions.sourceKind) { content in
            content.append(id.loop)
            content += Self.bytes(of: id.incarnation)
            content += shared ?? []
            guard let layouts else { return }
            content += layouts.request.bytes + layouts.reply.bytes
        }
    }

    /// The entry of it as a shaped record of this source.
    package func shapedRecord(source: UInt16, elements: Data, callerID: String = "") -> Data {
        let flags: CompactPredictions.Flags = callerID.isEmpty ? [] : .hasCallerID
        return Self.entry(CompactPredictions.shapedKind) { content in
            content.append(flags.rawValue)
            content += Self.bytes(of: source)
            content += Self.bytes(of: id.sequence)
            content += Self.bytes(of: milliseconds)
            content += Self.bytes(of: UInt32(microseconds))
            content += elements
            guard !callerID.isEmpty else { return }
            content += Self.bytes(of: UInt16(callerID.utf8.count))
            content += Data(callerID.utf8)
        }
    }

    /// The entry of it in a block with this source, with tensors where there are some.
    package func compactRecord(
        source: UInt16, requestTensors: Data? = nil, responseTensors: Data? = nil,
        callerID: String = ""
    ) -> Data {
        var flags: CompactPredictions.Flags = trace.isEmpty ? [] : .hasTail
        if requestTensors != nil { flags.insert(.requestTensors) }
        if responseTensors != nil { flags.insert(.responseTensors) }
        if !callerID.isEmpty { flags.insert(.hasCallerID) }
        return Self.entry(CompactPredictions.recordKind) { content in
            content.append(flags.rawValue)
            content += Self.bytes(of: source)
            content += Self.bytes(of: UInt16(status))
            content.append(form.rawValue)
            content += Self.bytes(of: id.sequence)
            content += Self.bytes(of: milliseconds)
            content += Self.bytes(of: UInt32(microseconds))
            for body in [
                requestTensors ?? Data(request.utf8), responseTensors ?? Data(response.utf8),
            ] {
                content += Self.bytes(of: UInt32(body.count))
                content += body
            }
            if !callerID.isEmpty {
                content += Self.bytes(of: UInt16(callerID.utf8.count))
                content += Data(callerID.utf8)
            }
            guard !trace.isEmpty else { return }
            content += Self.bytes(of: Int32(-1))
            content += Self.bytes(of: UInt32(request.utf8.count))
            content += Self.bytes(of: UInt32(response.utf8.count))
            content.append(UInt8(trace.utf8.count))
            content += Data(trace.utf8)
        }
    }

    /// The entries of a compact block with these records, whose sources stand where they are new.
    package static func compactEntries(_ fixtures: [PredictionFixture]) -> Data {
        var sources: [Data] = []
        return fixtures.reduce(into: Data()) { entries, fixture in
            let source = fixture.source
            if !sources.contains(source) {
                sources.append(source)
                entries += source
            }
            let place = sources.firstIndex(of: source) ?? 0
            entries += fixture.compactRecord(source: UInt16(place))
        }
    }

    /// One block `ALP2` with these records.
    package static func compactBlock(_ fixtures: [PredictionFixture]) -> Data {
        compactEntries(fixtures).withUnsafeBytes { PredictionBlock.make($0, .compact) }
    }
}
