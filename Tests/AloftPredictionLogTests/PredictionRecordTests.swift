import AloftDomain
import AloftTestKit
import Foundation
import Testing

@testable import AloftPredictionLog

@Suite struct PredictionRecordTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @Test func `a record is read as it was written`() throws {
        var fixture = PredictionFixture(sequence: 77)
        fixture.rolloutStep = 2
        fixture.status = 400
        fixture.trace = Self.trace
        let read = try #require(PredictionLogReader.read(PredictionFixture.block([fixture])).first)
        #expect(read.id == fixture.id.text)
        #expect(PredictionID(read.id) == fixture.id)
        #expect(read.rolloutStep == 2)
        #expect(read.status == 400)
        #expect(read.form == .json)
        #expect(read.jsonLength == nil)
        #expect(read.trace?.text == Self.trace)
        #expect(read.request == Data(fixture.request.utf8))
        #expect(!read.isRequestCut)
    }

    @Test func `a record cut off anywhere is none, and nothing traps`() {
        let record = PredictionFixture(sequence: 1).record
        for length in 0..<record.count {
            let isRead = record.prefix(length).withUnsafeBytes { PredictionRecord($0) != nil }
            #expect(!isRead, "\(length)")
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `bytes by chance never trap`(seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        var record = PredictionFixture(sequence: 1).record
        for _ in 0..<4 {
            record[Int.random(in: 0..<record.count, using: &chance)] = UInt8.random(
                in: 0...255, using: &chance)
        }
        record.withUnsafeBytes { bytes in
            _ = PredictionRecord.all(in: bytes)?.map(\.prediction)
        }
    }

    @Test func `a block with one wrong byte is none`() {
        let block = PredictionFixture.block([PredictionFixture(sequence: 1)])
        #expect(block.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0) } == block.count)
        for place in [0, 5, 9, 20, block.count - 1] {
            var damaged = block
            damaged[place] ^= 1
            #expect(damaged.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0) } == 0)
        }
        let two = block + block.prefix(block.count - 1)
        #expect(two.withUnsafeBytes { PredictionBlock.wholeBytes(in: $0) } == block.count)
    }

    @Test(arguments: [
        "", "00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
    ])
    func `what is no trace context is not taken for one`(text: String) {
        #expect(TraceParent(text) == nil)
    }

    @Test func `a trace goes on with the gateway's own span`() throws {
        let trace = try #require(TraceParent(Self.trace))
        let next = try #require(TraceParent(trace.continued(by: 0xAB)))
        #expect(next.traceID == trace.traceID)
        #expect(next.parentID == "00000000000000ab")
        #expect(next.isSampled)
        #expect(TraceParent("01" + Self.trace.dropFirst(2) + "-more") != nil)
    }
}
