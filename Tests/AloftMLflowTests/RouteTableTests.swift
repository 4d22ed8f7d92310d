import AloftArtifacts
import AloftDomain
import AloftMLflow
import AloftTestKit
import Foundation
import Hummingbird
import Testing

/// The page `docs/reference/mlflow-protocol.md` says for each route whether it works; this holds the
/// page against the router.
struct RouteTableTests {
    private struct Row {
        let route: String
        let state: String
        let since: String
    }

    private static func rows() throws -> [Row] {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appending(path: "docs/reference/mlflow-protocol.md"), encoding: .utf8)
        return page.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard line.hasPrefix("| `"), cells.count >= 2 else { return nil }
            return Row(
                route: cells[0].replacing("`", with: ""), state: cells[1],
                since: cells.count > 2 ? cells[2] : "")
        }
    }

    /// The routes without the doubles that the web pages of the protocol call, and without those of
    /// our own pages, which are not of the protocol.
    private static func routes() throws -> Set<String> {
        let temporary = try TemporaryStore()
        let artifacts = try ArtifactFolder(
            root: temporary.folder.path + "/artifacts", chance: .seeded(1))
        let router = Router(context: TestContext.self)
        MLflowRoutes(
            store: temporary.store, artifacts: artifacts, webhooks: .deaf, time: .live,
            chance: .seeded(2)
        ).add(to: router)
        return Set(
            router.routes.filter { !"\($0.path)".hasPrefix("/ajax-api/aloft/") }.map { route in
                "\(route.method.rawValue) \(route.path)".replacing("/ajax-api/", with: "/api/")
            })
    }

    @Test func `the page names each route once, and none that is not there`() throws {
        let present = try Self.rows().filter { $0.state != "answers 404" }
        #expect(Set(present.map(\.route)).count == present.count, "a route stands there twice")
        let routes = try Self.routes()
        let missing = routes.subtracting(present.map(\.route)).sorted()
        #expect(missing.isEmpty, "not on the page: \(missing)")
        let invented = Set(present.map(\.route)).subtracting(routes).sorted()
        #expect(invented.isEmpty, "on the page, but not there: \(invented)")
        #expect(present.allSatisfy { !$0.since.isEmpty })
    }

    @Test func `what the page says is not there is not there`() throws {
        let gone = try Self.rows().filter { $0.state == "answers 404" }
        #expect(gone.count > 10)
        #expect(try Self.routes().isDisjoint(with: gone.map(\.route)))
    }
}
