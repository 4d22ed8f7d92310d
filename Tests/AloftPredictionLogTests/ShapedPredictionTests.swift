import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftPredictionLog

/// Records of blocks `ALP3` whose shapes their source says.
@Suite struct ShapedPredictionTests {
    private static let layouts = (
        request: layout([.init(place: 0, rank: 2, byteCount: 8)], [1, 2]),
        reply: layout([.init(place: 0, rank: 1, byteCount: 8)], [1])
    )

    private static func layout(
        _ slots: [TensorLayout.Slot], _ dimensions: [Int64]
    ) -> TensorLayout {
        guard let layout = TensorLayout(slots, dimensions: dimensions) else { fatalError() }
        return layout
    }

    private func elements(_ row: [Float], _ label: Int64) -> Data {
        var data = Data()
        for number in row {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        withUnsafeBytes(of: label.littleEndian) { data.append(contentsOf: $0) }
        return data
    }

    private func read(_ entries: Data) -> [LoggedPrediction] {
        PredictionLogReader.read(
            entries.withUnsafeBytes { PredictionBlock.make($0, .shaped) })
    }

    private func text(_ data: Data) -> String { String(decoding: data, as: UTF8.self) }

    @Test func `a record is read with the shapes of its source`() throws {
        let fixture = PredictionFixture(sequence: 7)
        let found = read(
            fixture.source(layouts: Self.layouts)
                + fixture.shapedRecord(source: 0, elements: elements([0.1, -3], 1))
                + fixture.shapedRecord(
                    source: 0, elements: elements([2, 4], 0), callerID: #""mine""#)
                + fixture.compactRecord(source: 0))
        try #require(found.count == 3)
        #expect(
            text(found[0].request)
                == #"{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[0.1,-3.0]}]}"#)
        #expect(
            text(found[0].response)
                == #"{"model_name":"demo","model_version":"1","outputs":[{"name":"y","datatype":"INT64","shape":[1],"data":[1]}]}"#
        )
        #expect(text(found[1].request).hasPrefix(#"{"id":"mine","#))
        #expect(found[0].id == fixture.id.text && found[0].status == 200)
        #expect(found[0].receivedAt == found[2].receivedAt)
        #expect(found[0].microseconds == fixture.microseconds)
        #expect(text(found[2].request) == fixture.request)
    }

    @Test func `a layout is read as it was written`() throws {
        let layout = Self.layout(
            [
                .init(place: 3, rank: 0, byteCount: 1), .init(place: 0, rank: 3, byteCount: 70_000),
                .init(place: 255, rank: 1, byteCount: 0),
            ], [1, 70_000, 1, 0])
        let bytes = layout.bytes
        let read = bytes.withUnsafeBytes { bytes in
            var scan = ByteScan(bytes)
            return TensorLayout(&scan)
        }
        #expect(read == layout)
        #expect(layout.byteCount == 70_001)
        for length in bytes.indices {
            let cut = bytes.prefix(length).withUnsafeBytes { bytes in
                var scan = ByteScan(bytes)
                return TensorLayout(&scan)
            }
            #expect(cut == nil)
        }
        #expect(TensorLayout([.init(place: 256, rank: 0, byteCount: 0)], dimensions: []) == nil)
        #expect(TensorLayout([.init(place: 0, rank: 1, byteCount: 0)], dimensions: [-1]) == nil)
        #expect(TensorLayout([.init(place: 0, rank: 0, byteCount: 1 << 32)], dimensions: []) == nil)
    }

    @Test func `a shaped record of a source without shapes makes the block none`() {
        let fixture = PredictionFixture(sequence: 1)
        let record = fixture.shapedRecord(source: 0, elements: elements([1, 2], 0))
        #expect(read(fixture.source + record).isEmpty)
        #expect(read(record).isEmpty)
        let short = fixture.shapedRecord(source: 0, elements: elements([1], 0))
        #expect(read(fixture.source(layouts: Self.layouts) + short).isEmpty)
    }

    @Test func `changed entries never trap, and a changed block is none`() {
        let fixture = PredictionFixture(sequence: 1)
        let entries =
            fixture.source(layouts: Self.layouts)
            + fixture.shapedRecord(source: 0, elements: elements([1, 2], 3), callerID: "7")
        let block = entries.withUnsafeBytes { PredictionBlock.make($0, .shaped) }
        #expect(PredictionLogReader.read(block).count == 1)
        var chance = SplitMix64(seed: 11)
        for _ in 0..<3000 {
            var changed = entries
            for _ in 0..<3 {
                let place = Int.random(in: 0..<changed.count, using: &chance)
                changed[place] = UInt8.random(in: 0...255, using: &chance)
            }
            _ = read(changed)
        }
        for place in 16..<block.count {
            var torn = block
            torn[place] ^= 1 << UInt8.random(in: 0...7, using: &chance)
            #expect(PredictionLogReader.read(torn).isEmpty, "\(place)")
        }
    }

    @Test(arguments: [0, 1, 7, 8, 31, 32, 33, 64, 1000])
    func `each byte and the length count in both checksums`(length: Int) {
        var bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for sum in [BlockChecksum.of, BlockChecksum.inLanes] {
            let whole = bytes.withUnsafeBytes(sum)
            #expect((bytes + [0]).withUnsafeBytes(sum) != whole)
            for place in bytes.indices {
                bytes[place] ^= 0x40
                #expect(bytes.withUnsafeBytes(sum) != whole, "\(place)")
                bytes[place] ^= 0x40
            }
        }
    }
}
