package import AloftDomain
package import Foundation

/// A delivery that its owner makes now.
package struct ClaimedDelivery: Sendable, Equatable {
    package var number: Int64
    package var attempt: Int
    package var webhook: WebhookID
    package var url: String
    package var secret: String?
    package var body: String

    /// What the receiver knows the delivery by, the same in every attempt.
    package var publicID: String { "\(webhook)-\(number)" }
}

/// Reads and writes deliveries. Writes belong into `Store.write`.
package enum DeliveryQueries {
    /// A receiver that is slow is sent at most so many at once, and holds up nobody else.
    private static let atOnceForOne = 4

    /// Whether something can be sent now.
    package static func isAnyDue(_ db: Transaction, at now: Date) throws -> Bool {
        try !webhooksWithDue(db, at: now).isEmpty
    }

    /// When the next delivery is due or the next lease ends; `nil` where nothing is open. What waits for a
    /// webhook that is switched off waits for nothing.
    package static func nextDue(_ db: Transaction) throws -> Date? {
        try db.firstRow(
            """
            SELECT min(d.dueAt) AS due FROM webhookDelivery d JOIN webhook w ON w.id = d.webhook
            WHERE d.state IN ('waiting', 'sending') AND (d.state = 'sending' OR w.isActive)
            """
        )?.optionalDate("due")
    }

    /// Whether something waits beyond `date`, which is later than anything is put off to: the clock was set
    /// back since.
    package static func isAnyWaiting(_ db: Transaction, beyond date: Date) throws -> Bool {
        try db.firstRow(
            "SELECT 1 FROM webhookDelivery WHERE state = 'waiting' AND dueAt > ? LIMIT 1",
            [date.stamp]) != nil
    }

    /// Whether a delivery has been on its way for longer than it may be.
    package static func isAnyLeaseOver(_ db: Transaction, at now: Date) throws -> Bool {
        try db.firstRow(
            "SELECT 1 FROM webhookDelivery WHERE state = 'sending' AND dueAt < ? LIMIT 1",
            [now.stamp]) != nil
    }

    /// Makes what waits beyond `date` due at `now`.
    package static func hasten(_ db: Transaction, beyond date: Date, to now: Date) throws {
        try db.perform(
            "UPDATE webhookDelivery SET dueAt = ? WHERE state = 'waiting' AND dueAt > ?",
            [now.stamp, date.stamp])
    }

    private static func webhooksWithDue(_ db: Transaction, at now: Date) throws -> [String] {
        try db.allValues(
            """
            SELECT DISTINCT d.webhook FROM webhookDelivery d JOIN webhook w ON w.id = d.webhook
            WHERE d.state IN ('waiting', 'sending') AND d.dueAt <= ? AND d.state = 'waiting'
                AND w.isActive
            """, [now.stamp])
    }

    /// Takes what is due, at most `limit`, the oldest of each webhook first.
    package static func claim(
        _ db: Transaction, at now: Date, leaseUntil: Date, limit: Int
    ) throws -> [ClaimedDelivery] {
        var claimed: [ClaimedDelivery] = []
        for webhook in try webhooksWithDue(db, at: now) where claimed.count < limit {
            let sending: Int? = try db.firstValue(
                """
                SELECT count(*) FROM webhookDelivery WHERE webhook = ? AND state = 'sending'
                """, [webhook])
            let free = min(atOnceForOne - (sending ?? 0), limit - claimed.count)
            guard free > 0 else { continue }
            let rows = try db.allRows(
                """
                SELECT d.*, w.url, w.secret FROM webhookDelivery d
                JOIN webhook w ON w.id = d.webhook
                WHERE d.webhook = ? AND d.state = 'waiting' AND d.dueAt <= ?
                ORDER BY d.dueAt, d.number LIMIT ?
                """, [webhook, now.stamp, free])
            for row in rows {
                let delivery = try ClaimedDelivery(
                    number: row["number"], attempt: row["attempt"], webhook: WebhookID(webhook),
                    url: row["url"], secret: row["secret"], body: row["body"])
                try apply(db, .claimed(leaseUntil: leaseUntil), to: delivery.number, at: now)
                claimed.append(delivery)
            }
        }
        return claimed
    }

    /// Lets `event` happen to a delivery; one whose webhook was deleted is left alone.
    ///
    /// - Returns: the state afterwards, `nil` where there is no such delivery.
    /// - Throws: `DeliveryLifecycle.Refused`.
    @discardableResult
    package static func apply(
        _ db: Transaction, _ event: DeliveryLifecycle.Event, to number: Int64, at now: Date
    ) throws -> DeliveryLifecycle.State? {
        let row = try db.firstRow("SELECT * FROM webhookDelivery WHERE number = ?", [number])
        guard let row else { return nil }
        var lifecycle = DeliveryLifecycle(state: try state(of: row))
        let before = lifecycle
        try lifecycle.apply(event)
        guard lifecycle != before else { return lifecycle.state }
        let columns = columns(of: lifecycle.state, now)
        try db.perform(
            "UPDATE webhookDelivery SET state = ?, attempt = ?, dueAt = ?, reason = ? WHERE number = ?",
            [columns.state, columns.attempt, columns.dueAt.stamp, reason(of: event), number])
        return lifecycle.state
    }

    /// Gives back what was being sent by an owner that is gone: every such delivery if `all`, as when
    /// the server has just started, else those whose lease has ended.
    package static func expireLeases(_ db: Transaction, all: Bool, at now: Date) throws {
        let numbers: [Int64] = try db.allValues(
            "SELECT number FROM webhookDelivery WHERE state = 'sending' AND (? OR dueAt < ?)",
            [all, now.stamp])
        for number in numbers { try apply(db, .leaseExpired(retryAt: now), to: number, at: now) }
    }

    /// Forgets deliveries that ended before `date`, and those which waited for a disabled webhook
    /// since then.
    package static func prune(_ db: Transaction, before date: Date) throws {
        try forgetDisabled(db, before: date)
        try db.perform(
            "DELETE FROM webhookDelivery WHERE state IN ('delivered', 'failed') AND dueAt < ?",
            [date.stamp])
    }

    /// As above, at most a thousand, and beyond the `count` newest those that ended too.
    ///
    /// - Returns: how many of those that ended.
    package static func prune(
        _ db: Transaction, before date: Date, keeping count: Int64
    ) throws -> Int {
        try forgetDisabled(db, before: date)
        try db.execute(
            sql: """
                DELETE FROM webhookDelivery WHERE number IN (
                    SELECT number FROM webhookDelivery
                    WHERE state IN ('delivered', 'failed') AND (dueAt < :date OR number <=
                        (SELECT max(number) FROM webhookDelivery) - :count)
                    LIMIT 1000)
                """, arguments: ["date": date.stamp, "count": count])
        return db.changesCount
    }

    private static func forgetDisabled(_ db: Transaction, before date: Date) throws {
        try db.perform(
            """
            DELETE FROM webhookDelivery WHERE state = 'waiting' AND dueAt < ?
                AND webhook IN (SELECT id FROM webhook WHERE NOT isActive)
            """, [date.stamp])
    }

    private static func state(of row: RowReader) throws -> DeliveryLifecycle.State {
        let attempt: Int = try row["attempt"]
        let due = try row.date("dueAt")
        switch try row["state"] as String {
        case "waiting": return .waiting(attempt: attempt, dueAt: due)
        case "sending": return .sending(attempt: attempt, leaseUntil: due)
        case "delivered": return .delivered(attempt: attempt)
        case "failed": return .failed(attempt: attempt, reason: try row["reason"] ?? "")
        default: throw row.unreadable("state")
        }
    }

    private static func columns(
        of state: DeliveryLifecycle.State, _ now: Date
    ) -> (state: String, attempt: Int, dueAt: Date) {
        switch state {
        case .waiting(let attempt, let dueAt): ("waiting", attempt, dueAt)
        case .sending(let attempt, let leaseUntil): ("sending", attempt, leaseUntil)
        case .delivered(let attempt): ("delivered", attempt, now)
        case .failed(let attempt, _): ("failed", attempt, now)
        }
    }

    private static func reason(of event: DeliveryLifecycle.Event) -> String? {
        switch event {
        case .refused(_, let reason), .missed(_, _, let reason): reason
        case .claimed, .accepted, .leaseExpired: nil
        }
    }
}
