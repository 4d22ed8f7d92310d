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
        /// Not among `requests`.
        package var refused: UInt64
        package var turnedAway: UInt64
        /// `nil` where no latency was counted.
        package var p50Microseconds: Double?
        package var p95Microseconds: Double?
        package var p99Microseconds: Double?
    }

    /// What was asked of no revision.
    package struct Unrouted: Sendable, Hashable {
        package var code: String
        package var status: Int
        // text: compared and shown only
        package var endpoint: String?

        package init(code: String, status: Int, endpoint: String?) {
            self.code = code
            self.status = status
            self.endpoint = endpoint
        }
    }

    /// The length of an interval.
    package static let intervalSeconds = 5
    /// Intervals kept of each revision: one hour.
    package static let kept = 720

    /// The interval that reports still add to.
    private struct Open {
        var interval: Int
        var count = TrafficCount()
    }

    private struct State {
        let mostGateways: Int
        var incarnations: [GatewayID: String] = [:]
        /// Those whose first report is being read.
        var beginning: [GatewayID: String] = [:]
        /// The interval of a gateway's last report.
        var heard: [GatewayID: Int] = [:]
        var readings: [GatewayID: [RevisionID: TrafficCount]] = [:]
        var open: [RevisionID: Open] = [:]
        var closed: [RevisionID: [(interval: Int, point: Point)]] = [:]
        var unroutedReadings: [GatewayID: [Unrouted: UInt64]] = [:]
        /// By interval, oldest first.
        var unrouted: [(interval: Int, counts: [Unrouted: UInt64])] = []

        /// Names are foreign: of each interval so many kinds are kept.
        static let mostKinds = 200

        mutating func add(
            unrouted counts: [(Unrouted, UInt64)], of gateway: GatewayID, isKnown: Bool,
            in interval: Int
        ) {
            let before = unroutedReadings[gateway] ?? [:]
            unroutedReadings[gateway] = Dictionary(counts, uniquingKeysWith: { $1 })
            guard isKnown else { return }
            for (kind, count) in counts {
                let known = before[kind] ?? 0
                guard count > known else { continue }
                if unrouted.last?.interval != interval { unrouted.append((interval, [:])) }
                let place = unrouted.count - 1
                guard
                    unrouted[place].counts[kind] != nil
                        || unrouted[place].counts.count < Self.mostKinds
                else { continue }
                unrouted[place].counts[kind] = (unrouted[place].counts[kind] ?? 0)
                    .addingSaturated(count - known)
            }
        }

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
            unrouted.removeAll { $0.interval < interval }
            forgetGateways(before: interval)
        }

        /// Those that are gone, and where there are too many those that were silent longest. One that
        /// comes back counts from its next report.
        private mutating func forgetGateways(before interval: Int) {
            for (gateway, last) in heard where last < interval { forget(gateway) }
        }

        /// `gateway` has said something.
        mutating func note(_ gateway: GatewayID, in interval: Int) {
            heard[gateway] = interval
            while heard.count > mostGateways {
                let others = heard.lazy.filter { $0.key != gateway }
                guard let oldest = others.min(by: { $0.value < $1.value }) else { return }
                forget(oldest.key)
            }
        }

        private mutating func forget(_ gateway: GatewayID) {
            heard[gateway] = nil
            incarnations[gateway] = nil
            beginning[gateway] = nil
            readings[gateway] = nil
            unroutedReadings[gateway] = nil
        }
    }

    private let state: Mutex<State>

    /// - Parameter mostGateways: of more of them the longest silent are forgotten.
    package init(mostGateways: Int = 1000) {
        state = Mutex(State(mostGateways: mostGateways))
    }

    /// Adds what `gateway` counted since its report before. The first report of an incarnation only
    /// sets where counting begins: it may hold hours.
    package func record(
        gateway: GatewayID, incarnation: String, revisions: [GatewayRevisionReport],
        unrouted: [(Unrouted, UInt64)] = [], at now: Date
    ) {
        for report in revisions { record(report, of: gateway, incarnation: incarnation, at: now) }
        record(
            gateway: gateway, incarnation: incarnation, named: Set(revisions.map(\.revision)),
            unrouted: unrouted, at: now)
    }

    /// One revision of a report; the report's end follows by `record(gateway:incarnation:named:)`.
    package func record(
        _ report: GatewayRevisionReport, of gateway: GatewayID, incarnation: String, at now: Date
    ) {
        let interval = Self.interval(of: now)
        state.withLock { state in
            let isKnown = state.incarnations[gateway] == incarnation
            if !isKnown, state.beginning[gateway] != incarnation {
                state.beginning[gateway] = incarnation
                state.readings[gateway] = nil
                state.note(gateway, in: interval)
            }
            let before = state.readings[gateway]?[report.revision]
            state.readings[gateway, default: [:]][report.revision] = report.traffic
            guard isKnown else { return }
            let added = report.traffic.since(before ?? TrafficCount())
            if added.received > 0 { state.add(added, to: report.revision, in: interval) }
        }
    }

    /// The end of a report.
    ///
    /// - Parameter named: the revisions of which it told.
    package func record(
        gateway: GatewayID, incarnation: String, named: Set<RevisionID>,
        unrouted: [(Unrouted, UInt64)] = [], at now: Date
    ) {
        let interval = Self.interval(of: now)
        state.withLock { state in
            let isKnown = state.incarnations[gateway] == incarnation
            state.incarnations[gateway] = incarnation
            state.beginning[gateway] = nil
            state.note(gateway, in: interval)
            state.add(unrouted: unrouted, of: gateway, isKnown: isKnown, in: interval)
            state.readings[gateway] = state.readings[gateway]?.filter { named.contains($0.key) }
            state.forget(before: interval - Self.kept)
        }
    }

    /// Gateways of which anything is remembered.
    package var gatewayCount: Int {
        state.withLock { state in
            Set(state.heard.keys).union(state.incarnations.keys).union(state.beginning.keys)
                .union(state.unroutedReadings.keys).union(state.readings.keys).count
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

    /// What was asked of no revision since `start`, by kind, most first, and when last.
    package func unrouted(
        since start: Date, at now: Date
    ) -> [(unrouted: Unrouted, requests: UInt64, lastAt: Date)] {
        let first = Self.interval(of: start)
        var sums: [Unrouted: (requests: UInt64, last: Int)] = [:]
        for (interval, counts) in state.withLock(\.unrouted) where interval >= first {
            for (kind, count) in counts {
                sums[kind] = ((sums[kind]?.requests ?? 0).addingSaturated(count), interval)
            }
        }
        return sums.map { kind, sum in
            let last = Date(timeIntervalSince1970: Double(sum.last * Self.intervalSeconds))
            return (kind, sum.requests, last)
        }.sorted { one, other in
            (other.requests, one.unrouted.code, one.unrouted.endpoint ?? "")
                < (one.requests, other.unrouted.code, other.unrouted.endpoint ?? "")
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
            requests: count.requests, errors: count.errors, refused: count.refused,
            turnedAway: count.turnedAway,
            p50Microseconds: count.latency.percentileMicroseconds(0.5),
            p95Microseconds: count.latency.percentileMicroseconds(0.95),
            p99Microseconds: count.latency.percentileMicroseconds(0.99))
    }
}
