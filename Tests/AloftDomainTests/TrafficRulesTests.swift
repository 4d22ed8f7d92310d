import AloftDomain
import Testing

struct TrafficRulesTests {
    private typealias Node = SegmentRules.Node

    @Test func `a segment is answered by the nearest deployment around it`() throws {
        let rules = try SegmentRules(
            key: .header("x-city"),
            nodes: [
                Node(key: "germany", deployment: "de"),
                Node(key: "berlin", parent: "germany", deployment: "de-berlin"),
                Node(key: "mitte", parent: "berlin"),
                Node(key: "france"),
                Node(key: "paris", parent: "france"),
            ])
        #expect(
            rules.chains == [
                "germany": ["de"], "berlin": ["de-berlin", "de"], "mitte": ["de-berlin", "de"],
            ])
    }

    @Test func `a tree that is none is refused`() {
        let trees: [[Node]] = [
            [], [Node(key: "")], [Node(key: "a"), Node(key: "a")], [Node(key: "a", parent: "a")],
            [Node(key: "a", parent: "b"), Node(key: "b")], [Node(key: "a", deployment: "no/name")],
            (0...SegmentRules.deepest).map {
                Node(key: "\($0)", parent: $0 == 0 ? nil : "\($0 - 1)")
            },
        ]
        for nodes in trees {
            #expect(throws: TrafficError.self) {
                try SegmentRules(key: .field("city"), nodes: nodes)
            }
        }
    }

    @Test(arguments: [0, -1, 100.5, .nan, .infinity])
    func `a share that is none is refused`(percent: Double) {
        #expect(throws: TrafficError.self) { try ShadowRule(sharePercent: percent) }
    }
}
