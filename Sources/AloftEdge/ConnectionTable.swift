package import NIOCore
import NIOPosix
import Synchronization

/// A connection as the table of its event loop sees it. Touched on that loop only.
package protocol TabledConnection: AnyObject {
    /// Since when nobody waits for an answer of ours: it says nothing, or its request has not come whole.
    /// `nil` while it is being answered.
    var idleSince: NIODeadline? { get }
    /// Since when it is being answered; `nil` while it is idle.
    var answeringSince: NIODeadline? { get }
    /// Makes room for others, at once.
    func giveWay()
    /// Ends it where it is too slow. Called about once a second.
    func sweep(now: NIODeadline)
}

/// The connections of one event loop. Sees to it that they never take all descriptors: whoever opens many
/// and says nothing loses the oldest of them, and a new caller is answered.
package final class ConnectionTable {
    private let eventLoop: any EventLoop
    private let limit: DescriptorLimit
    /// `nil` where somebody else looks for slow connections.
    private let sweepInterval: TimeAmount?
    private let pressOthers: () -> Void
    private var connections: [ObjectIdentifier: any TabledConnection] = [:]
    private var isSweepDue = false

    /// When all are being answered and no descriptor is left, an answer that takes longer than this (a
    /// stream of events, a long poll) gives way: its client comes again.
    private static let longAnswer = TimeAmount.seconds(10)

    /// - Parameter pressOthers: lets the tables of other loops give up their oldest.
    package init(
        eventLoop: any EventLoop, limit: DescriptorLimit, sweepInterval: TimeAmount? = nil,
        pressOthers: @escaping () -> Void = {}
    ) {
        self.eventLoop = eventLoop
        self.limit = limit
        self.sweepInterval = sweepInterval
        self.pressOthers = pressOthers
    }

    package var count: Int { connections.count }

    /// A connection was accepted.
    ///
    /// - Parameter descriptor: its socket; `nil` where it has none.
    /// - Returns: false where there is no room for it; it must be closed.
    package func opened(_ connection: any TabledConnection, descriptor: CInt?) -> Bool {
        if let descriptor, Int(descriptor) >= limit.softLimit {
            let hasShed = shed()
            if !hasShed {
                pressOthers()
                if Int(descriptor) >= limit.full, !shedLongAnswer() { return false }
            }
        }
        connections[ObjectIdentifier(connection)] = connection
        sweepSoon()
        return true
    }

    package func closed(_ connection: any TabledConnection) {
        connections[ObjectIdentifier(connection)] = nil
    }

    /// Closes the oldest idle connections, one of 64 and at least one; false where none is idle.
    @discardableResult
    package func shed() -> Bool {
        var idle = connections.values.compactMap { connection in
            connection.idleSince.map { (since: $0, connection: connection) }
        }
        guard !idle.isEmpty else { return false }
        let count = max(1, idle.count / 64)
        if count == 1 {
            idle = idle.min { $0.since < $1.since }.map { [$0] } ?? []
        } else {
            idle.sort { $0.since < $1.since }
        }
        for (_, connection) in idle.prefix(count) { connection.giveWay() }
        return true
    }

    private func shedLongAnswer() -> Bool {
        let answering = connections.values.compactMap { connection in
            connection.answeringSince.map { (since: $0, connection: connection) }
        }
        guard let longest = answering.min(by: { $0.since < $1.since }),
            eventLoop.now - longest.since > Self.longAnswer
        else { return false }
        longest.connection.giveWay()
        return true
    }

    private func sweepSoon() {
        guard let sweepInterval, !isSweepDue, !connections.isEmpty else { return }
        isSweepDue = true
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        eventLoop.scheduleTask(in: sweepInterval) { bound.value.sweep() }
    }

    private func sweep() {
        isSweepDue = false
        let now = eventLoop.now
        for connection in Array(connections.values) { connection.sweep(now: now) }
        sweepSoon()
    }
}

/// The tables of all event loops of a process.
package final class ConnectionTables: Sendable {
    private let limit: DescriptorLimit
    private let sweepInterval: TimeAmount?
    private let tables = Mutex<[ObjectIdentifier: NIOLoopBound<ConnectionTable>]>([:])

    /// - Parameter sweepInterval: how often connections are looked at; `nil` where somebody else does.
    package init(limit: DescriptorLimit, sweepInterval: TimeAmount? = nil) {
        self.limit = limit
        self.sweepInterval = sweepInterval
    }

    /// Called on that loop.
    package func table(of eventLoop: any EventLoop) -> ConnectionTable {
        let key = ObjectIdentifier(eventLoop)
        if let known = tables.withLock({ $0[key] }) { return known.value }
        let table = ConnectionTable(
            eventLoop: eventLoop, limit: limit, sweepInterval: sweepInterval
        ) { [weak self] in self?.shed(but: key) }
        let bound = NIOLoopBound(table, eventLoop: eventLoop)
        tables.withLock { $0[key] = bound }
        return table
    }

    /// Lets every loop give up its oldest idle connections.
    package func shed() { shed(but: nil) }

    private func shed(but loop: ObjectIdentifier?) {
        for (key, table) in tables.withLock({ $0 }) where key != loop {
            table.eventLoop.execute { table.value.shed() }
        }
    }
}
