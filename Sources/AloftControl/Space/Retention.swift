package import AloftDomain
package import AloftStore
import Foundation
package import Logging

/// Forgets what the server tells of itself once it is old or too much: events, and deliveries of
/// webhooks that have ended. What is still to be delivered is never forgotten.
package struct Retention: Sendable {
    package struct Limits: Sendable {
        package var eventDays = 365
        package var events = 1_000_000
        package var deliveryDays = 7
        package var deliveries: Int64 = 100_000

        package init() {}
    }

    private static let pace = ReconcileLoop.Pace(longestWait: .seconds(600))

    private let store: Store
    private let time: TimeSource
    private let limits: Limits
    private let logger: Logger

    package init(store: Store, time: TimeSource, limits: Limits = Limits(), logger: Logger) {
        self.store = store
        self.time = time
        self.limits = limits
        self.logger = logger
    }

    package func run() async throws {
        let loop = ReconcileLoop(
            name: "retention", pace: Self.pace, clock: time.clock, logger: logger)
        try await loop.run {
            let forgotten = try await runOnce()
            if forgotten > 0 {
                logger.debug("forgot old events", metadata: ["count": "\(forgotten)"])
            }
            return .whenWoken
        }
    }

    /// - Returns: how many were forgotten.
    package func runOnce() async throws -> Int {
        let (now, limits) = (time.now(), limits)
        var forgotten = 0
        // In small transactions, so that other writes need not wait long.
        while true {
            let count = try await store.write(as: [.events, .webhooks]) { db in
                try EventLog.prune(
                    db, before: now.addingTimeInterval(-Double(limits.eventDays) * 86_400))
                    + DeliveryQueries.prune(
                        db, before: now.addingTimeInterval(-Double(limits.deliveryDays) * 86_400),
                        keeping: limits.deliveries)
            }
            guard count > 0 else { break }
            forgotten += count
        }
        return try await forgotten + forgetExcess()
    }

    /// Counting them takes long, so it is done beside the writer.
    private func forgetExcess() async throws -> Int {
        var forgotten = 0
        let limit = limits.events
        while var excess = try await store.read({ try EventLog.excess($0, keeping: limit) }) {
            while excess.count > 0 {
                let wanted = excess
                let count = try await store.write(as: .events) { try EventLog.prune($0, wanted) }
                guard count > 0 else { break }
                excess.count -= count
                forgotten += count
            }
        }
        return forgotten
    }
}
