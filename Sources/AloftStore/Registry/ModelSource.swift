package import AloftDomain
import Foundation

/// Where a model version's files are, as its client says.
package struct ModelSource: Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    /// - Throws: `RegistryError.invalidSource` if a version may not have this source.
    package func check(_ db: Transaction, run: RunID?) throws {
        var decoded = text
        for _ in 0..<5 {
            guard let next = decoded.removingPercentEncoding, next != decoded else { break }
            decoded = next
        }
        let parts = decoded.pieces(atAnyOf: "/\\".unicodeScalars)
        guard !parts.contains(where: { $0.isSame(as: "..") }), text.utf8.count <= 4096,
            !decoded.holds("\0")
        else { throw RegistryError.invalidSource(text, .relative) }
        let scheme = text.pieces(at: ":", most: 2, keepingEmpty: true)[0].lowercased()
        guard text.holds(":"), scheme != "file" else {
            try checkHost()
            try checkLocal(db, run: run)
            return
        }
        if scheme == "models" { _ = try resolved(db) }
    }

    /// A plain path is only taken where it is inside of its run's own folder.
    private func checkLocal(_ db: Transaction, run: RunID?) throws {
        guard let run, let info = try TrackingQueries.runInfo(db, run) else { throw invalid() }
        let local = { (uri: String) -> String in
            uri.rest(after: "file:").map { "/" + $0.dropping("/") } ?? uri
        }
        let root = local(info.artifactURI)
        let path = local(text)
        guard path.isSame(as: root) || path.begins(with: root + "/") else { throw invalid() }
    }

    private func checkHost() throws {
        guard let place = text.rest(after: "file://") else { return }
        let host = place.pieces(at: "/", most: 2, keepingEmpty: true)[0]
        let isHere = ["", ".", "localhost", "127.0.0.1"].contains { host.isSame(as: $0) }
        guard isHere else { throw RegistryError.invalidSource(text, .host) }
    }

    private func invalid() -> RegistryError { .invalidSource(text, .local) }

    /// The place itself: `models:/m-…` is that logged model's folder, `models:/name/version` that
    /// version's own place.
    package func resolved(_ db: Transaction) throws -> String { try resolved(db, depth: 0) }

    private func resolved(_ db: Transaction, depth: Int) throws -> String {
        guard let rest = text.rest(after: "models:/"), depth < 10 else { return text }
        let parts = rest.pieces(at: "/").map(String.init)
        if parts.count == 1, parts[0].begins(with: "m-") {
            return try LoggedModelQueries.get(db, LoggedModelID(parts[0])).artifactURI
        }
        if parts.count == 2, let version = Int64(parts[1]) {
            let found = try RegistryQueries.version(db, parts[0], version)
            return try ModelSource(found.source).resolved(db, depth: depth + 1)
        }
        return text
    }
}
