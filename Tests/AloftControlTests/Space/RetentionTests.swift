import AloftDomain
import AloftStore
import AloftTestKit
import Foundation
import Logging
import Testing

@testable import AloftControl

@Suite struct RetentionTests {
    @Test func `events beyond the newest, and older than their days, are forgotten`() async throws {
        let world = try TemporaryStore()
        let time = ManualTime()
        let start = time.now
        try await world.store.write { db in
            for number in 0..<2500 {
                let age = number < 1100 ? 400.0 : 1
                try EventLog.append(
                    db, at: start.addingTimeInterval(-age * 86_400), project: .default,
                    entity: "job", entityID: "\(number)", what: "queued",
                    who: .controller(name: "test"))
            }
        }
        var limits = Retention.Limits()
        limits.events = 1000
        let retention = Retention(
            store: world.store, time: time.source, limits: limits, logger: Logger(label: "test"))
        #expect(try await retention.runOnce() == 1500)
        let left = try await world.store.read { try EventLog.list($0, limit: 5000) }
        #expect(left.count == 1000)
        #expect(left.first?.entityID == "1500")
        #expect(try await retention.runOnce() == 0)
        limits.events = 10_000
        limits.eventDays = 1
        time.advance(by: .seconds(3600))
        let byAge = Retention(
            store: world.store, time: time.source, limits: limits, logger: Logger(label: "test"))
        #expect(try await byAge.runOnce() == 1000)
    }

    @Test func `whoever is busy pushes out its own events, not everybody's`() async throws {
        let world = try TemporaryStore()
        let time = ManualTime()
        let now = time.now
        try await world.store.write { db in
            for number in 0..<3000 {
                let who = number < 50 ? Principal.user(name: "ann") : .job(JobID("loop"))
                try EventLog.append(
                    db, at: now, project: .default, entity: "run", entityID: "\(number)",
                    what: "changed", who: who)
            }
        }
        var limits = Retention.Limits()
        limits.events = 1000
        let retention = Retention(
            store: world.store, time: time.source, limits: limits, logger: Logger(label: "test"))
        #expect(try await retention.runOnce() == 2000)
        let left = try await world.store.read { try EventLog.list($0, limit: 5000) }
        #expect(left.count == 1000 && left.count { $0.who == "user:ann" } == 50)
        #expect(left.last?.entityID == "2999")
    }

    @Test func `what is still to be delivered is kept, whatever ended before it goes`()
        async throws
    {
        let world = try TemporaryStore()
        let time = ManualTime()
        let now = time.now
        try await world.store.write { db in
            try db.execute(
                sql: """
                    INSERT INTO webhook (id, name, description, url, isActive, createdAt, updatedAt)
                    VALUES ('w', 'w', '', 'https://example.org', 1, 0, 0)
                    """)
            for number in 0..<50 {
                let state = number % 5 == 0 ? "waiting" : number % 2 == 0 ? "delivered" : "failed"
                try db.execute(
                    sql: """
                        INSERT INTO webhookDelivery (webhook, body, state, attempt, dueAt, createdAt)
                        VALUES ('w', '{}', ?, 1, ?, ?)
                        """, arguments: [state, now.stamp, now.stamp])
            }
        }
        var limits = Retention.Limits()
        limits.deliveries = 10
        let retention = Retention(
            store: world.store, time: time.source, limits: limits, logger: Logger(label: "test"))
        #expect(try await retention.runOnce() == 32)
        let left = try await world.store.read { db in
            try Dictionary(
                grouping: db.values(of: String.self, sql: "SELECT state FROM webhookDelivery"),
                by: \.self
            ).mapValues(\.count)
        }
        #expect(left["waiting"] == 10)
        #expect((left["delivered"] ?? 0) + (left["failed"] ?? 0) == 8)
    }
}

@Suite struct DiskReserveTests {
    @Test func `it takes its room, and is kept while the disk has some`() throws {
        let folder = try TemporaryFolder()
        let reserve = DiskReserve(folder: folder.path, bytes: 1 << 20, clock: ContinuousClock())
        #expect(reserve.held == 0)
        reserve.keep()
        #expect(reserve.held == 1 << 20)
        #expect(reserve.releaseIfFull() == false)
        #expect(reserve.held == 1 << 20)
    }
}
