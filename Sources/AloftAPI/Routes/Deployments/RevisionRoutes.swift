package import AloftControl
package import AloftDomain
package import AloftStore
import AloftWire
import Foundation

/// Revisions across deployments, and their traffic of the last minutes.
package struct RevisionRoutes: Sendable {
    private let store: Store
    private let traffic: TrafficRecorder
    private let time: TimeSource

    package init(store: Store, traffic: TrafficRecorder, time: TimeSource) {
        self.store = store
        self.traffic = traffic
        self.time = time
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(ListRevisions.self) { call in
            let version = try call.integer("version", in: 0...Int64(Int32.max), default: 0)
            let limit = try call.integer("limit", in: 1...500, default: 50)
            let now = time.now()
            let search = RevisionSearch(
                model: call.query("model"), version: version == 0 ? nil : Int(version),
                onlyBad: call.query("bad") == "true", limit: Int(limit))
            return try await store.read { db in
                let pages = DeploymentPages(db: db, now: now)
                return ListRevisions.Reply(
                    revisions: try RevisionQueries.search(db, search).map { record, deployment in
                        ListRevisions.Item(
                            deployment: deployment.name, environment: deployment.environment,
                            revision: try pages.item(record))
                    })
            }
        }
        routes.on(ListTraffic.self) { call in
            let minutes = try call.integer("minutes", in: 1...60, default: 10)
            return try await recent(
                deployment: call.query("deployment"), environment: call.query("environment"),
                minutes: minutes)
        }
    }

    private func recent(
        deployment: String?, environment: String?, minutes: Int64
    ) async throws -> ListTraffic.Reply {
        let now = time.now()
        let start = now.addingTimeInterval(Double(-60 * minutes))
        let known = try await store.read { db in
            try RevisionQueries.served(db, deployment: deployment, environment: environment)
        }
        let points = traffic.points(of: Set(known.map { $0.record.id }), since: start, at: now)
        return ListTraffic.Reply(
            intervalSeconds: TrafficRecorder.intervalSeconds, from: Self.interval(start),
            to: Self.interval(now),
            series: known.compactMap { record, deployment in
                guard let points = points[record.id] else { return nil }
                return ListTraffic.Series(
                    revision: record.id, number: record.number, deployment: deployment.name,
                    environment: deployment.environment, points: points.map(ListTraffic.Point.init)
                )
            },
            unrouted: traffic.unrouted(since: start, at: now).compactMap { found in
                if let deployment,
                    found.unrouted.endpoint
                        != EndpointName.text(
                            deployment: deployment,
                            environment: environment ?? EndpointName.production)
                {
                    return nil
                }
                return ListTraffic.Unrouted(
                    code: found.unrouted.code, status: found.unrouted.status,
                    endpoint: found.unrouted.endpoint, requests: found.requests,
                    lastAt: Int64(found.lastAt.timeIntervalSince1970))
            })
    }

    private static func interval(_ date: Date) -> Int64 {
        let length = Int64(TrafficRecorder.intervalSeconds)
        return Int64(date.timeIntervalSince1970) / length * length
    }
}

extension ListTraffic.Point {
    init(_ point: TrafficRecorder.Point) {
        self.init(
            at: Int64(point.at.timeIntervalSince1970), requests: point.requests,
            errors: point.errors, refused: point.refused, turnedAway: point.turnedAway,
            p50Milliseconds: point.p50Microseconds.map { $0 / 1000 },
            p95Milliseconds: point.p95Microseconds.map { $0 / 1000 },
            p99Milliseconds: point.p99Microseconds.map { $0 / 1000 })
    }
}
