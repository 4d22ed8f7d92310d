import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

/// Events are followed by positions that are given in the order of commits, without gaps.
struct EventPositionTests {
    private struct Refused: Error {}

    private static let now = Date(timeIntervalSince1970: 1_700_000_000)

    private static func append(_ db: Transaction, _ id: String) throws {
        try EventLog.append(
            db, at: now, project: .default, entity: "job", entityID: id, what: "queued",
            who: .local)
    }

    @Test func `whoever follows positions misses nothing of many writers`() async throws {
        let temporary = try TemporaryStore()
        let store = temporary.store
        let writers = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<40 {
                    group.addTask {
                        for number in 0..<5 {
                            do {
                                try await store.write { db in
                                    try Self.append(db, "\(writer)/\(number)")
                                    if (writer + number) % 4 == 0 { throw Refused() }
                                }
                            } catch is Refused {}
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
        var told: [EventRecord] = []
        // Follows while they write; each look goes on from the last position that was seen.
        while told.count < 150 {
            let after = told.last?.position ?? 0
            told += try await store.read { try EventLog.list($0, after: after, limit: 7) }
            try Task.checkCancellation()
        }
        try await writers.value
        let last = told.last?.position ?? 0
        #expect(try await store.read { try EventLog.list($0, after: last, limit: 7) }.isEmpty)
        #expect(told.map(\.position) == (1...150).map { Int64($0) })
        #expect(Set(told.map(\.entityID)).count == 150)
        #expect(try await store.read { try EventLog.lastPosition($0) } == 150)
    }

    @Test func `what is undone leaves no gap and what is deleted gives its position to nobody`()
        async throws
    {
        let temporary = try TemporaryStore()
        let store = temporary.store
        try await store.write { try Self.append($0, "a") }
        await #expect(throws: Refused.self) {
            try await store.write { db in
                try Self.append(db, "lost")
                throw Refused()
            }
        }
        try await store.write { try Self.append($0, "b") }
        let all = try await store.read { try EventLog.list($0, limit: 9) }
        #expect(all.map(\.position) == [1, 2])
        #expect(all.map(\.entityID) == ["a", "b"])
        let gone = try await store.write { db in
            try EventLog.prune(db, before: Self.now.addingTimeInterval(1))
        }
        #expect(gone == 2)
        try await store.write { try Self.append($0, "c") }
        #expect(
            try await store.read { try EventLog.list($0, after: 2, limit: 9) }.map(\.position) == [
                3
            ])
    }
}
