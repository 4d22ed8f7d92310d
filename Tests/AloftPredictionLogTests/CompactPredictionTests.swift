import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftPredictionLog

@Suite struct CompactPredictionTests {
    private func read(_ entries: Data) -> [LoggedPrediction] {
        PredictionLogReader.read(
            entries.withUnsafeBytes { PredictionBlock.make($0, .compact) })
    }

    private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

    private func bytes(of numbers: some Sequence<some FixedWidthInteger>) -> Data {
        numbers.reduce(into: Data()) { data, number in
            withUnsafeBytes(of: number.littleEndian) { data.append(contentsOf: $0) }
        }
    }

    /// A tensor as records hold them.
    private func tensor(_ place: UInt8, _ shape: [UInt32], _ elements: Data) -> Data {
        Data([place, UInt8(shape.count)]) + bytes(of: shape)
            + bytes(of: [UInt32(elements.count)]) + elements
    }

    private let floats: [Float] = [0.1, -3, .infinity, .nan, 1e-20]

    private var request: Data {
        let texts = bytes(of: [UInt32(3)]) + Data("a\"é".utf8.prefix(3))
        return Data([2]) + tensor(0, [1, 5], bytes(of: floats.map(\.bitPattern)))
            + tensor(1, [1], texts)
    }

    @Test func `both forms of a record say the same`() throws {
        var fixtures = (1...5).map { PredictionFixture(sequence: $0) }
        fixtures[1].rolloutStep = 2
        fixtures[2].status = 500
        fixtures[3].trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        fixtures[4].form = .scoring
        let whole = PredictionLogReader.read(PredictionFixture.block(fixtures))
        let compact = PredictionLogReader.read(PredictionFixture.compactBlock(fixtures))
        #expect(whole == compact)
        #expect(whole.map(\.rolloutStep) == [nil, 2, nil, nil, nil])
    }

    @Test func `a segment may begin with blocks of the older form`() {
        let segment =
            PredictionFixture.block([PredictionFixture(sequence: 1)])
            + PredictionFixture.compactBlock([PredictionFixture(sequence: 2)])
        #expect(PredictionLogReader.read(segment).count == 2)
        #expect(segment.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0) } == segment.count)
        let torn = segment.dropLast()
        #expect(PredictionLogReader.read(Data(torn)).count == 1)
    }

    @Test func `tensors are read as the JSON that says them`() throws {
        let fixture = PredictionFixture(sequence: 1)
        let reply = Data([1]) + tensor(0, [2], bytes(of: [Int64(-7), .max]))
        let read = try #require(
            read(
                fixture.source
                    + fixture.compactRecord(
                        source: 0, requestTensors: request, responseTensors: reply,
                        callerID: #""mine""#)
            ).first)
        #expect(
            text(read.request)
                == #"{"id":"mine","inputs":[{"name":"x","datatype":"FP32","shape":[1,5],"data":[0.1,-3.0,1e999,null,1e-20]},{"name":"t","datatype":"BYTES","shape":[1],"data":["a\"\#u{FFFD}"]}]}"#
        )
        #expect(
            text(read.response)
                == #"{"model_name":"demo","model_version":"1","id":"mine","outputs":[{"name":"y","datatype":"INT64","shape":[2],"data":[-7,9223372036854775807]}]}"#
        )
        #expect(!read.isRequestCut)
    }

    @Test func `a record cut off or changed anywhere never traps`() {
        let fixture = PredictionFixture(sequence: 1)
        let entries = fixture.source + fixture.compactRecord(source: 0, requestTensors: request)
        for length in 1..<entries.count where length != fixture.source.count {
            #expect(read(Data(entries.prefix(length))).isEmpty, "\(length)")
        }
        var chance = SplitMix64(seed: 7)
        for _ in 0..<2000 {
            var changed = entries
            for _ in 0..<3 {
                let place = Int.random(in: 0..<changed.count, using: &chance)
                changed[place] = UInt8.random(in: 0...255, using: &chance)
            }
            _ = read(changed)
        }
        #expect(read(fixture.compactRecord(source: 0)).isEmpty)
    }
}
