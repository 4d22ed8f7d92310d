package import AloftDomain
package import Foundation
package import GRDB

package enum ProjectQueries {
    /// Makes sure that the project exists. Doing it again changes nothing.
    package static func ensure(_ db: Database, _ project: ProjectID, at: Date) throws {
        try db.execute(
            sql: "INSERT INTO project (id, createdAt) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
            arguments: [project.rawValue, at.stamp])
    }
}
