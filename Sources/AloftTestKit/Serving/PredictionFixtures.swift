package import AloftDomain
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

    package init() {}

    package init(sequence: UInt64, milliseconds: Int64 = 1_700_000_000_000) {
        id.sequence = sequence
        self.milliseconds = milliseconds
    }

    /// The bytes of the record, its length first.
    package var record: Data {
        let digest = String(repeating: "d", count: 64)
        let description = [
            endpoint, revision, rolloutStep.map { "\($0)" } ?? "", model, version, digest,
        ].map { $0 + "\n" }.joined()
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
        put(UInt32(request.utf8.count))
        put(UInt32(response.utf8.count))
        put(UInt8(trace.utf8.count))
        body.append(contentsOf: trace.utf8)
        var whole = Data()
        withUnsafeBytes(of: UInt32(body.count).littleEndian) { whole.append(contentsOf: $0) }
        return whole + body
    }

    /// One block with these records.
    package static func block(_ fixtures: [PredictionFixture]) -> Data {
        let records = fixtures.reduce(into: Data()) { $0.append($1.record) }
        return records.withUnsafeBytes { PredictionBlock.make($0) }
    }
}
