package import AloftDomain
package import Foundation

package enum ProjectQueries {
    /// Makes sure that the project exists. Doing it again changes nothing.
    ///
    /// - Throws: `ProjectNameError`.
    package static func ensure(_ db: Transaction, _ project: ProjectID, at: Date) throws {
        let length = project.rawValue.unicodeScalars.count
        guard (1...ProjectNameError.mostCharacters).contains(length) else {
            throw ProjectNameError(length: length)
        }
        try db.execute(
            sql: "INSERT INTO project (id, createdAt) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
            arguments: [project.rawValue, at.stamp])
    }
}

/// A name that no project can have.
package struct ProjectNameError: Refusal, Equatable {
    static let mostCharacters = 100

    let length: Int

    package var code: String { "project_invalid" }
    package var kind: RefusalKind { .invalid }
    package var message: String {
        "project: a name of \(length) characters; it has 1 to \(Self.mostCharacters)"
    }
}
