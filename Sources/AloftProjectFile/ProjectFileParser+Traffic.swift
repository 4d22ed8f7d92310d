import AloftDomain
import Yams

extension ProjectFileParser {
    static func readShadow(_ cursor: Cursor, of deployment: String) -> ShadowRule? {
        guard let section = cursor.section("a shadow", keys: ProjectFileKeys.shadow) else {
            return nil
        }
        let share = section.required("share", example: "share: 10%").flatMap(readShare)
        let target = section["deployment"].map { $0.text("a deployment", example: "churn-next") }
        let environment = section["environment"].map { cursor -> String? in
            guard let text = cursor.scalar?.string, EndpointName.isEnvironment(text) else {
                cursor.fault("an environment has lower-case letters, digits and `-`\(cursor.butIs)")
                return nil
            }
            return text
        }
        // A fault is noted where one was named and could not be read.
        if case .some(nil) = target { return nil }
        if case .some(nil) = environment { return nil }
        let named = (target ?? nil).flatMap { $0 == deployment ? nil : $0 }
        let place =
            (environment ?? nil)
            ?? (named == nil ? EndpointName.shadow : EndpointName.production)
        if named == nil, place == EndpointName.production {
            cursor.fault(TrafficError.shadowOfItself(deployment: deployment).message)
            return nil
        }
        guard let share else { return nil }
        return try? ShadowRule(deployment: named, environment: place, sharePercent: share)
    }

    private static func readShare(_ cursor: Cursor) -> Double? {
        let percent = cursor.scalar.flatMap { Quantity.percent($0.string) }
        guard let percent, percent > 0, percent <= 100 else {
            cursor.fault("a share is a percentage above 0% and at most 100%\(cursor.butIs)")
            return nil
        }
        return percent
    }

    static func readSegments(_ cursor: Cursor) -> SegmentRules? {
        guard let section = cursor.section("`segments`", keys: ProjectFileKeys.segments) else {
            return nil
        }
        let key = section.required("by", example: "by: { header: x-city }").flatMap(readKey)
        var nodes: [SegmentRules.Node] = []
        var isWhole = false
        if let tree = section.required(
            "tree", example: "tree: { berlin: { deployment: eta-berlin } }")
        {
            isWhole = readTree(tree, parent: nil, depth: 1, into: &nodes)
        }
        guard let key, isWhole else { return nil }
        do {
            return try SegmentRules(key: key, nodes: nodes)
        } catch {
            cursor.fault(error.message)
            return nil
        }
    }

    private static func readKey(_ cursor: Cursor) -> SegmentKey? {
        guard let section = cursor.section("`by`", keys: ProjectFileKeys.segmentKey) else {
            return nil
        }
        guard section.entries.count == 1, let entry = section.entries.first,
            let source = SegmentKey.Source(rawValue: entry.name)
        else {
            cursor.fault("`by` has one of header, parameter and field")
            return nil
        }
        return entry.value.text("a name", example: "header: x-city").map {
            SegmentKey(source, name: $0)
        }
    }

    /// False if something in it could not be read.
    private static func readTree(
        _ cursor: Cursor, parent: String?, depth: Int, into nodes: inout [SegmentRules.Node]
    ) -> Bool {
        guard depth <= SegmentRules.deepest else {
            cursor.fault("segments lie at most \(SegmentRules.deepest) deep")
            return false
        }
        guard let tree = cursor.section("segments by their keys") else { return false }
        var isWhole = true
        for entry in tree.entries {
            var node = SegmentRules.Node(key: entry.name, parent: parent)
            guard !entry.value.isEmpty else {
                nodes.append(node)
                continue
            }
            guard let section = entry.value.section("a segment", keys: ProjectFileKeys.segment)
            else {
                isWhole = false
                continue
            }
            if let target = section["deployment"] {
                node.deployment = target.text("a deployment", example: "deployment: eta-berlin")
                isWhole = isWhole && node.deployment != nil
            }
            nodes.append(node)
            if let within = section["within"] {
                let isRead = readTree(within, parent: entry.name, depth: depth + 1, into: &nodes)
                isWhole = isWhole && isRead
            }
        }
        return isWhole
    }
}
