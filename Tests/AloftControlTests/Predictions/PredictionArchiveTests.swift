import AloftPredictionLog
import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl
@testable import AloftDomain
@testable import AloftStore

/// A store and a folder of predictions, which may be opened again.
private struct ArchiveWorld {
    let temporary: TemporaryStore
    let time = ManualTime()

    init() throws { temporary = try TemporaryStore() }

    var store: Store { temporary.store }
    var folder: String { temporary.folder.path + "/predictions" }

    func archive(effects: EffectHook = .none) -> PredictionArchive {
        PredictionArchive(
            store: store, folder: folder, time: time.source, logger: Logger(label: "test"),
            effects: effects)
    }

    var finder: PredictionFinder { PredictionFinder(store: store, folder: folder) }

    func list(
        _ filter: PredictionQueries.Filter = .init(), limit: Int = 1000
    ) async throws -> [String] {
        try await finder.list(.init(filter: filter, limit: limit)).predictions.map(\.id)
    }

    func records() async throws -> Int64 {
        try await store.read { try PredictionQueries.totals($0).records }
    }
}

private func delivery(
    _ bytes: Data, segment: Int64 = 1, offset: Int64 = 0
) -> PredictionDelivery {
    PredictionDelivery(
        gateway: GatewayID("g"), log: "abc", segment: segment, offset: offset, bytes: bytes)
}

private func fixtures(
    _ sequences: ClosedRange<UInt64>, adjust: (inout PredictionFixture) -> Void = { _ in }
) -> [PredictionFixture] {
    sequences.map { sequence in
        var fixture = PredictionFixture(
            sequence: sequence, milliseconds: 1_700_000_000_000 + Int64(sequence) * 10)
        adjust(&fixture)
        return fixture
    }
}

@Suite struct PredictionArchiveTests {
    @Test func `each record counts once, however often it is delivered`() async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        let (first, second) = (
            PredictionFixture.block(fixtures(1...10)), PredictionFixture.block(fixtures(11...15))
        )
        #expect(try await archive.take(delivery(first)) == Int64(first.count))
        #expect(try await archive.take(delivery(first)) == Int64(first.count))
        // The second time with something new behind it.
        let both = first + second
        #expect(try await archive.take(delivery(both)) == Int64(both.count))
        #expect(
            try await archive.take(delivery(second, offset: Int64(first.count)))
                == Int64(both.count))
        #expect(try await archive.take(delivery(Data())) == Int64(both.count))
        #expect(try await world.records() == 15)
        let ids = try await world.list()
        #expect(ids == fixtures(1...15).reversed().map(\.id.text))
    }

    @Test(arguments: [true, false])
    func `a damaged block is named, counted and hides no other`(isGone: Bool) async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        let first = PredictionFixture.block(fixtures(1...4))
        _ = try await archive.take(delivery(first))
        _ = try await archive.take(
            delivery(
                PredictionFixture.block(fixtures(5...6) { $0.endpoint = "other.staging" }),
                offset: Int64(first.count)))
        let files = try #require(FileManager.default.subpaths(atPath: world.folder))
        let name = try #require(files.first { $0.hasSuffix(".alog") && !$0.contains("other") })
        if isGone {
            try FileManager.default.removeItem(atPath: world.folder + "/" + name)
        } else {
            let handle = try #require(FileHandle(forUpdatingAtPath: world.folder + "/" + name))
            try handle.seek(toOffset: 40)
            try handle.write(contentsOf: Data([0xFF, 0xFE, 0xFD]))
            try handle.close()
        }
        let lost = fixtures(2...2)[0].id.text
        await #expect(throws: PredictionError.blockDamaged(id: lost, file: name, place: 0)) {
            try await world.finder.find(lost)
        }
        let page = try await world.finder.list(.init(filter: .init(), limit: 100))
        #expect(page.damagedBlocks == 1)
        #expect(page.predictions.count == 2)
        // What retention let go is no damage.
        _ = try await archive.expire(.init(days: 30, bytes: 0))
        await #expect(throws: PredictionError.notFound(lost)) { try await world.finder.find(lost) }
        #expect(try await world.finder.list(.init(filter: .init(), limit: 1)).damagedBlocks == 0)
    }

    @Test(arguments: 0..<6)
    func `a crash at any effect loses nothing and doubles nothing`(after: Int) async throws {
        let world = try ArchiveWorld()
        let dying = world.archive(effects: DeadLine(after: after).hook)
        let pieces = [
            PredictionFixture.block(fixtures(1...7)),
            PredictionFixture.block(fixtures(8...9) { $0.endpoint = "other.staging" }),
        ]
        // The gateway delivers until the archive says that it has all.
        var offset: Int64 = 0
        for piece in pieces {
            guard let next = try? await dying.take(delivery(piece, offset: offset)) else { break }
            offset = next
        }
        let whole = pieces.reduce(Data(), +)
        #expect(try await world.archive().take(delivery(whole)) == Int64(whole.count))
        #expect(try await world.records() == 9)
        #expect(try await world.list().count == 9)
        for fixture in fixtures(1...9) {
            let found = try await world.finder.find(fixture.id.text)
            #expect(found.request == Data(fixture.request.utf8))
        }
    }

    @Test func `deliveries at the same time are taken one after another`() async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for segment in 1...20 as ClosedRange<Int64> {
                let sequences = UInt64(segment) * 100...UInt64(segment) * 100 + 9
                let block = PredictionFixture.block(fixtures(sequences))
                for _ in 0..<2 {
                    group.addTask { _ = try await archive.take(delivery(block, segment: segment)) }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await world.records() == 200)
        #expect(Set(try await world.list()).count == 200)
    }

    @Test func `what is no log is refused and leaves nothing`() async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        var damaged = PredictionFixture.block(fixtures(1...3))
        damaged[damaged.count - 1] ^= 1
        let outside = PredictionFixture.block(fixtures(1...1) { $0.endpoint = "../../etc" })
        let late = PredictionFixture.block(fixtures(1...1) { $0.milliseconds = Int64.max })
        for bytes in [damaged, outside, late, Data("GET / HTTP/1.1".utf8)] {
            await #expect(throws: PredictionError.self) {
                try await archive.take(delivery(bytes))
            }
        }
        #expect(try await world.records() == 0)
        #expect(try await archive.take(delivery(Data())) == 0)
    }

    @Test func `lists are narrowed and paged without a gap`() async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        // Two event loops at the same times, an error now and then, over several minutes.
        for loop in 0...1 as ClosedRange<UInt8> {
            var bytes = Data()
            for begin in stride(from: UInt64(1), through: 400, by: 40) {
                bytes.append(
                    PredictionFixture.block(
                        fixtures(begin...begin + 39) { fixture in
                            fixture.id = PredictionID(
                                incarnation: 9, loop: loop, sequence: fixture.id.sequence)
                            fixture.milliseconds += Int64(fixture.id.sequence) * 700
                            if fixture.id.sequence % 50 == 0 { fixture.status = 500 }
                            if loop == 1 { fixture.revision = "rev-2" }
                        }))
            }
            _ = try await archive.take(delivery(bytes, segment: Int64(loop)))
        }
        let all = try await world.list()
        #expect(all.count == 800)
        var paged: [String] = []
        var search = PredictionFinder.Search(filter: .init(), limit: 37)
        while true {
            let page = try await world.finder.list(search)
            paged += page.predictions.map(\.id)
            guard let next = page.next else { break }
            search.before = PredictionFinder.Cursor(next.text)
        }
        #expect(paged == all)
        #expect(try await world.list(.init(endpoint: "demo", hasErrors: true)).count == 16)
        #expect(try await world.list(.init(revision: RevisionID("rev-2"))).count == 400)
        #expect(try await world.list(.init(endpoint: "none")).isEmpty)
        let since = Date(millisecondsSince1970: 1_700_000_000_000 + 300 * 710)
        #expect(try await world.list(.init(since: since)).count == 202)
    }

    @Test func `what is too old or too much goes, the oldest first, and is counted`() async throws {
        let world = try ArchiveWorld()
        let archive = world.archive()
        let day: Int64 = 86_400_000
        let now = world.time.now.millisecondsSince1970
        for (segment, age) in [40, 20, 10, 0].enumerated() {
            let block = PredictionFixture.block(
                fixtures(UInt64(segment * 10 + 1)...UInt64(segment * 10 + 10)) {
                    $0.milliseconds = now - Int64(age) * day
                })
            _ = try await archive.take(delivery(block, segment: Int64(segment)))
        }
        #expect(try await archive.expire(.init(days: 30, bytes: 1 << 30)) == 10)
        #expect(try await world.records() == 30)
        let bytes = try await world.store.read { try PredictionQueries.totals($0).bytes }
        #expect(try await archive.expire(.init(days: 30, bytes: bytes - 1)) == 10)
        #expect(try await world.list() == fixtures(21...40).reversed().map(\.id.text).sorted(by: >))
        let totals = try await world.store.read { try PredictionQueries.totals($0) }
        #expect(totals.expiredRecords == 20)
        let days = try FileManager.default.contentsOfDirectory(atPath: world.folder)
        #expect(days.count == 2)
        // Late news of a day that went makes its file anew.
        let late = PredictionFixture.block(
            fixtures(90...91) { $0.milliseconds = now - 20 * day })
        _ = try await archive.take(delivery(late, segment: 99))
        #expect(try await world.records() == 22)
    }

    @Test func `one that is not there is told from one that is no identifier`() async throws {
        let world = try ArchiveWorld()
        let unknown = PredictionID(incarnation: 1, loop: 0, sequence: 5).text
        await #expect(throws: PredictionError.notFound(unknown)) {
            _ = try await world.finder.find(unknown)
        }
        await #expect(throws: PredictionError.invalidID("nonsense")) {
            _ = try await world.finder.find("nonsense")
        }
    }
}
