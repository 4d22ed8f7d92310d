package import AloftDomain
package import AloftStore
import Foundation
package import Logging

/// Delivers what webhooks have to be told, at least once each: what was under way when the server
/// ended is sent again by the next one, under the same delivery id.
package struct WebhookController: Sendable {
    /// Longer than the sender ever takes for one message.
    static let lease: TimeInterval = 60
    /// Deliveries under way at once.
    static let atOnce = 32
    /// What a receiver may ask to be left alone for, in seconds; longer than any pause of ours.
    static let longestWait: TimeInterval = 3600
    /// Ended deliveries are kept so long, in seconds.
    static let keepEnded: TimeInterval = 7 * 24 * 3600

    private let store: Store
    private let sender: WebhookSender
    private let time: TimeSource
    private let chance: Chance
    private let logger: Logger
    package var effects = EffectHook.none

    /// Nobody waits for a webhook by the millisecond.
    private static let pace = ReconcileLoop.Pace(
        wakesOn: .webhooks, leastPause: .milliseconds(50), longestWait: .seconds(30))
    /// What is due and cannot be sent waits for another delivery's end, which wakes the loop; if that
    /// never comes, it is looked at again after so long.
    private static let held = Duration.seconds(1)

    package init(
        store: Store, sender: WebhookSender, time: TimeSource, chance: Chance, logger: Logger
    ) {
        self.store = store
        self.sender = sender
        self.time = time
        self.chance = chance
        self.logger = logger
    }

    package var loop: ReconcileLoop {
        ReconcileLoop(
            name: "webhooks", pace: Self.pace, changes: store.changes, clock: time.clock,
            logger: logger)
    }

    package func run() async throws {
        try await withThrowingDiscardingTaskGroup { group in
            var isRecovered = false
            try await loop.run {
                if !isRecovered { try await recover() }
                isRecovered = true
                for delivery in try await claim() { group.addTask { await send(delivery) } }
                return .within(try await pauseUntilNextDue())
            }
        }
    }

    /// One delivery's trouble holds up no other: it is sent again when its lease is over.
    private func send(_ delivery: ClaimedDelivery) async {
        do {
            try await deliver(delivery)
        } catch {
            if Task.isCancelled { return }
            logger.error(
                "what came of a delivery cannot be written down",
                metadata: ["delivery": "\(delivery.publicID)", "error": "\(error)"])
        }
    }

    /// Sends everything that is due now, and returns once it is written down what came of it.
    ///
    /// - Returns: how many were sent.
    package func runOnce() async throws -> Int {
        let due = try await claim()
        try await withThrowingDiscardingTaskGroup { group in
            for delivery in due { group.addTask { try await deliver(delivery) } }
        }
        return due.count
    }

    /// Gives back what an earlier process was sending: one process holds the data folder at a time.
    package func recover() async throws {
        let now = time.now()
        try effects.willAct("recover")
        try await store.write(as: .webhooks) { db in
            try DeliveryQueries.expireLeases(db, all: true, at: now)
            try DeliveryQueries.prune(db, before: now.addingTimeInterval(-Self.keepEnded))
        }
    }

    private func claim() async throws -> [ClaimedDelivery] {
        let now = time.now()
        // Nothing is put off for longer: the clock was set back, by a day perhaps.
        let beyond = now.addingTimeInterval(Self.longestWait + Self.lease)
        let isAnyDue = try await store.read { db in
            try DeliveryQueries.isAnyDue(db, at: now)
                || DeliveryQueries.isAnyWaiting(db, beyond: beyond)
                || DeliveryQueries.isAnyLeaseOver(db, at: now)
        }
        guard isAnyDue else { return [] }
        try effects.willAct("claim deliveries")
        return try await store.write(as: .webhooks) { db in
            try DeliveryQueries.expireLeases(db, all: false, at: now)
            try DeliveryQueries.hasten(db, beyond: beyond, to: now)
            return try DeliveryQueries.claim(
                db, at: now, leaseUntil: now.addingTimeInterval(Self.lease), limit: Self.atOnce)
        }
    }

    private func pauseUntilNextDue() async throws -> Duration {
        guard let due = try await store.read({ try DeliveryQueries.nextDue($0) }) else {
            return Self.pace.longestWait
        }
        let left = Duration.seconds(due.timeIntervalSince(time.now()))
        return left > .zero ? max(left, Self.pace.leastPause) : Self.held
    }

    private func deliver(_ delivery: ClaimedDelivery) async throws {
        try effects.willAct("send")
        let answer = await sender.send(
            WebhookMessage(
                url: delivery.url, secret: delivery.secret, deliveryID: delivery.publicID,
                body: delivery.body, sentAt: time.now()))
        let now = time.now()
        let event = event(for: answer, attempt: delivery.attempt, now: now)
        try effects.willAct("note the answer")
        let state = try await store.write(as: .webhooks) { db in
            try DeliveryQueries.apply(db, event, to: delivery.number, at: now)
        }
        let metadata: Logger.Metadata = [
            "webhook": "\(delivery.webhook)", "delivery": "\(delivery.publicID)",
            "attempt": "\(delivery.attempt)",
        ]
        switch state {
        case .failed(_, let reason):
            logger.error(
                "webhook delivery given up",
                metadata: metadata.merging(["reason": "\(reason)"]) { $1 })
        case .delivered: logger.debug("webhook delivered", metadata: metadata)
        case .waiting: logger.debug("webhook delivery will be tried again", metadata: metadata)
        case .sending, nil: break
        }
    }

    private func event(
        for answer: WebhookAnswer, attempt: Int, now: Date
    ) -> DeliveryLifecycle.Event {
        switch answer {
        case .answered(200..<300, _, _): return .accepted(attempt: attempt)
        case .answered(let status, _, let retryAfter):
            let reason = "it answered \(status)"
            // As clients of HTTP agree: these may be better later, others will not.
            guard [408, 425, 429].contains(status) || status >= 500 else {
                return .refused(attempt: attempt, reason: reason)
            }
            return .missed(
                attempt: attempt, retryAt: retryTime(attempt, now, asked: retryAfter),
                reason: reason)
        case .unanswered(let reason):
            return .missed(
                attempt: attempt, retryAt: retryTime(attempt, now, asked: nil), reason: reason)
        }
    }

    /// The pause of the lifecycle and up to a quarter more, so that receivers which failed together
    /// are not all asked again at once; at least what the receiver asks for, within an hour.
    private func retryTime(_ attempt: Int, _ now: Date, asked: Duration?) -> Date {
        var generator = chance
        let pause = DeliveryLifecycle.pause(after: attempt) / Duration.seconds(1)
        let longer = pause * Double.random(in: 1...1.25, using: &generator)
        let asked = min((asked ?? .zero) / Duration.seconds(1), Self.longestWait)
        return now.addingTimeInterval(max(longer, asked))
    }
}
