import AloftTestKit
import Foundation
import Testing

@testable import AloftDomain
@testable import AloftStore

struct TrafficQueriesTests {
    @Test func `what shadows answered adds up over gateways and their restarts`() async throws {
        let folder = try TemporaryFolder()
        let store = try Store(path: folder.path + "/aloft.db")
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let revision = RevisionID("r")
        func report(_ gateway: String, _ incarnation: String, compared: UInt64) async throws {
            var counts = ShadowCount()
            counts.compared = compared
            let shadow = ShadowReportRecord(endpoint: "d", revision: revision, counts: counts)
            try await store.write { db in
                try GatewayQueries.report(
                    db, gateway: GatewayID(gateway), incarnation: incarnation, desiredRevision: 1,
                    revisions: [], shadows: [shadow], at: now)
            }
        }
        func compared() async throws -> UInt64 {
            try await store.read {
                try TrafficQueries.shadowCounts($0, endpoint: "d", revision: revision).compared
            }
        }
        try await report("a", "1", compared: 5)
        try await report("a", "1", compared: 7)
        try await report("b", "1", compared: 1)
        #expect(try await compared() == 8)
        for incarnation in 2...5 { try await report("a", "\(incarnation)", compared: 10) }
        #expect(try await compared() == 48)
        let rows = try await store.read {
            try $0.value(of: Int.self, sql: "SELECT count(*) FROM shadowReport WHERE gateway = 'a'")
        }
        #expect((rows ?? 0) <= 3, "earlier incarnations are kept as one sum")
    }
}
