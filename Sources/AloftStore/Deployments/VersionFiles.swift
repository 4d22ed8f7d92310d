import AloftDomain

extension VersionFactsQueries {
    /// Where a version's files are, as a URI of the artifact store; `nil` where the source names
    /// nothing that is known here.
    package static func artifactURI(_ db: Transaction, _ facts: VersionFacts) throws -> String? {
        var source = facts.source
        // A copy of a copy, and so on; a ring of copies ends.
        for _ in 0..<10 {
            if let next = try copied(db, source) {
                source = next
                continue
            }
            return try resolved(db, source)
        }
        return nil
    }

    /// The source of the version that `models:/NAME/VERSION` names.
    private static func copied(_ db: Transaction, _ source: String) throws -> String? {
        guard source.begins(with: "models:/"), let reference = ModelReference(source),
            case .version(let version) = reference.selector
        else { return nil }
        return try find(db, ModelVersionKey(model: reference.model, version: version))?.source
    }

    private static func resolved(_ db: Transaction, _ source: String) throws -> String? {
        if source.begins(with: "models:/") {
            return try db.value(
                of: String.self, sql: "SELECT artifactUri FROM loggedModel WHERE id = ?",
                arguments: [String(source.dropFirst(8))])
        }
        guard let rest = source.rest(after: "runs:/") else { return source }
        let parts = rest.pieces(at: "/", most: 2)
        guard let run = parts.first else { return nil }
        let root = try db.value(
            of: String.self, sql: "SELECT artifactUri FROM run WHERE id = ?",
            arguments: [String(run)])
        return root.map { parts.count > 1 ? "\($0)/\(parts[1])" : $0 }
    }
}
