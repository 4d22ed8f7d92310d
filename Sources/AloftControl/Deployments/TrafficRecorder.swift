package import AloftDomain
package import AloftStore
package import Foundation
import Synchronization

/// What gateways counted in the last hour, in short intervals, for pages that show it live.
///
/// Kept in memory only: after a restart the curves begin anew. Rollouts do not read it; they have
/// their own readings in the database. Any number of callers at once.
package final class TrafficRecorder: Sendable {
    /// One interval of one revision, over all gateways.
    package struct Point: Sendable, Equatable {
        /// Its begin.
        package var at: Date
        package var requests: UInt64
        package var errors: UInt64
        /// `nil` where no latency was counted.
        package var p50Microseconds: Double?
        package var p95Microseconds: Double?
        package var p99Microseconds: Double?
    }

    /// The length of an interval.
    package static let intervalSeconds = 5
    /// Intervals kept of each revision: one hour.
    package static let kept = 720

    private struct Source: Hashable {
        var gateway: GatewayID
        var revision: RevisionID
    }

    /// The interval that reports still add to.
    private struct Open {
        var interval: Int
        var count = TrafficCount()
    }

    private struct State {
        var incarnations: [GatewayID: String] = [:]
        var readings: [Source: TrafficCount] = [:]
        var open: [RevisionID: Open] = [:]
        var closed: [RevisionID: [(interval: Int, point: Point)]] = [:]

        mutating func add(
            _ count: TrafficCount, to revision: RevisionID, in interval: Int
        ) {
            var current = open[revision] ?? .init(interval: interval)
            if current.interval != interval {
                closed[revision, default: []].append(
                    (current.interval, .init(current.count, in: current.interval)))
                current = .init(interval: interval)
            }
            current.count.add(count)
            open[revision] = current
        }

        mutating func forget(before interval: Int) {
            for (revision, points) in closed {
                guard let first = points.first, first.interval < interval else { continue }
                let rest = points.filter { $0.interval >= interval }
                closed[revision] = rest.isEmpty ? nil : rest
            }
            open = open.filter { $0.value.interval >= interval }
        }
    }

    private let state = Mutex(State())

    package init() {}

    /// Adds what `gateway` counted since its report before. The first report of an incarnation only
    /// sets where counting begins: it may hold hours.
    package func record(
        gateway: GatewayID, incarnation: String, revisions: [GatewayRevisionReport], at now: Date
    ) {
        let interval = Self.interval(of: now)
        state.withLock { state in
            let isKnown = state.incarnations[gateway] == incarnation
            if !isKnown {
                state.incarnations[gateway] = incarnation
                state.readings = state.readings.filter { $0.key.gateway != gateway }
            }
            for report in revisions {
                let source = Source(gateway: gateway, revision: report.revision)
                let before = state.readings[source]
                state.readings[source] = report.traffic
                guard isKnown else { continue }
                let added = report.traffic.since(before ?? TrafficCount())
                if added.requests > 0 { state.add(added, to: report.revision, in: interval) }
            }
            let named = Set(revisions.map(\.revision))
            state.readings = state.readings.filter { source, _ in
                source.gateway != gateway || named.contains(source.revision)
            }
            state.forget(before: interval - Self.kept)
        }
    }

    /// Whole intervals with traffic since `start`, oldest first, by revision.
    package func points(
        of revisions: Set<RevisionID>, since start: Date, at now: Date
    ) -> [RevisionID: [Point]] {
        let (first, current) = (Self.interval(of: start), Self.interval(of: now))
        return state.withLock { state in
            revisions.reduce(into: [RevisionID: [Point]]()) { found, revision in
                var points = (state.closed[revision] ?? [])
                    .filter { $0.interval >= first }.map { $0.point }
                if let open = state.open[revision], open.interval < current,
                    open.interval >= first
                {
                    points.append(Point(open.count, in: open.interval))
                }
                if !points.isEmpty { found[revision] = points }
            }
        }
    }

    private static func interval(of date: Date) -> Int {
        let seconds = date.timeIntervalSince1970.rounded(.down)
        return (Int(exactly: seconds) ?? 0) / intervalSeconds
    }
}

extension TrafficRecorder.Point {
    fileprivate init(_ count: TrafficCount, in interval: Int) {
        self.init(
            at: Date(
                timeIntervalSince1970: Double(interval * TrafficRecorder.intervalSeconds)),
            requests: count.requests, errors: count.errors,
            p50Microseconds: count.latency.percentileMicroseconds(0.5),
            p95Microseconds: count.latency.percentileMicroseconds(0.95),
            p99Microseconds: count.latency.percentileMicroseconds(0.99))
    }
}
