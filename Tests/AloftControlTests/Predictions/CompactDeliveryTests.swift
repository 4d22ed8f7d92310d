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
}
