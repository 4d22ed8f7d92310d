import AloftPredictionLog
import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

@Suite struct CompactDeliveryTests {
    private func archive(_ temporary: TemporaryStore) -> PredictionArchive {
        PredictionArchive(
            store: temporary.store, folder: temporary.folder.path + "/predictions",
            time: ManualTime().source, logger: Logger(label: "test"))
    }

    private func delivery(_ bytes: Data) -> PredictionDelivery {
        PredictionDelivery(
            gateway: GatewayID("g"), log: "abc", segment: 1, offset: 0, bytes: bytes)
    }

    private func fixture(
        _ sequence: UInt64, adjust: (inout PredictionFixture) -> Void = { _ in }
    ) -> PredictionFixture {
        var fixture = PredictionFixture(
            sequence: sequence, milliseconds: 1_700_000_000_000 + Int64(sequence) * 10)
        fixture.request = "request \(sequence)"
        adjust(&fixture)
        return fixture
    }

    @Test func `records of many sources, older blocks among them, are found with their own`()
        async throws
    {
        let temporary = try TemporaryStore()
        let archive = archive(temporary)
        let older = (1...5).map { fixture($0) }
        // Revisions, deployments and steps of a rollout take turns, as they do in a canary.
        let newer = (6...60 as ClosedRange<UInt64>).map { sequence in
            fixture(sequence) { fixture in
                fixture.revision = "rev-\(sequence % 2)"
                fixture.endpoint = sequence % 3 == 0 ? "other.staging" : "demo"
                fixture.rolloutStep = sequence % 5 == 0 ? 1 : nil
                fixture.version = "\(sequence % 2)"
            }
        }
        let bytes = PredictionFixture.block(older) + PredictionFixture.compactBlock(newer)
        #expect(try await archive.take(delivery(bytes)) == Int64(bytes.count))
        let finder = PredictionFinder(
            store: temporary.store, folder: temporary.folder.path + "/predictions")
        for fixture in older + newer {
            let found = try await finder.find(fixture.id.text)
            #expect(found.request == Data(fixture.request.utf8))
            #expect(found.endpoint == fixture.endpoint)
            #expect(found.revision.rawValue == fixture.revision)
            #expect(found.modelVersion == fixture.version)
            #expect(found.rolloutStep == fixture.rolloutStep)
        }
        let listed = try await finder.list(.init(filter: .init(), limit: 1000)).predictions
        #expect(listed.map(\.id) == (older + newer).reversed().map(\.id.text))
    }

    @Test func `records that fill many blocks keep their sources`() async throws {
        let temporary = try TemporaryStore()
        let archive = archive(temporary)
        let fixtures = (1...40 as ClosedRange<UInt64>).map { sequence in
            fixture(sequence) { $0.request = String(repeating: "x", count: 50_000) }
        }
        let bytes = PredictionFixture.compactBlock(fixtures)
        #expect(try await archive.take(delivery(bytes)) == Int64(bytes.count))
        let finder = PredictionFinder(
            store: temporary.store, folder: temporary.folder.path + "/predictions")
        for sequence in [1, 20, 40] as [UInt64] {
            let found = try await finder.find(fixtures[Int(sequence) - 1].id.text)
            #expect(found.requestBytes == 50_000)
        }
    }

    @Test func `a record of a source that is not there makes the delivery none`() async throws {
        let archive = archive(try TemporaryStore())
        let entries = fixture(1).source + fixture(1).compactRecord(source: 1)
        let block = entries.withUnsafeBytes { PredictionBlock.make($0, .compact) }
        await #expect(throws: PredictionError.self) { try await archive.take(delivery(block)) }
    }

    @Test func `shaped records of many sources are found with their own`() async throws {
        let temporary = try TemporaryStore()
        let archive = archive(temporary)
        // As wide as the model's version says, so that a record read with another's shape is another.
        func layouts(_ width: Int) throws -> (request: TensorLayout, reply: TensorLayout) {
            let request = TensorLayout(
                [.init(place: 0, rank: 1, byteCount: width * 4)], dimensions: [Int64(width)])
            let reply = TensorLayout([.init(place: 0, rank: 1, byteCount: 8)], dimensions: [1])
            return (try #require(request), try #require(reply))
        }
        let fixtures = (1...60 as ClosedRange<UInt64>).map { sequence in
            fixture(sequence) { fixture in
                fixture.endpoint = sequence % 3 == 0 ? "other.staging" : "demo"
                fixture.revision = "rev-\(sequence % 2)"
                fixture.version = "\(sequence % 2 + 1)"
            }
        }
        var (entries, sources) = (Data(), [Data]())
        for fixture in fixtures {
            let width = try #require(Int(fixture.version))
            let source = fixture.source(layouts: try layouts(width))
            if !sources.contains(source) {
                sources.append(source)
                entries += source
            }
            let row = (0..<width).map { Float(fixture.id.sequence) + Float($0) }
            var elements = Data()
            for number in row {
                withUnsafeBytes(of: number.bitPattern.littleEndian) {
                    elements.append(contentsOf: $0)
                }
            }
            elements += Data(count: 8)
            let place = try #require(sources.firstIndex(of: source))
            entries += fixture.shapedRecord(source: UInt16(place), elements: elements)
        }
        let bytes = entries.withUnsafeBytes { PredictionBlock.make($0, .shaped) }
        #expect(try await archive.take(delivery(bytes)) == Int64(bytes.count))
        let finder = PredictionFinder(
            store: temporary.store, folder: temporary.folder.path + "/predictions")
        for fixture in fixtures {
            let found = try await finder.find(fixture.id.text)
            let first = Double(fixture.id.sequence)
            let data = fixture.version == "1" ? "[\(first)]" : "[\(first),\(first + 1)]"
            #expect(String(decoding: found.request, as: UTF8.self).contains("\"data\":\(data)"))
            #expect(found.endpoint == fixture.endpoint)
            #expect(found.revision.rawValue == fixture.revision)
        }
    }
}
