package import AloftDomain
package import GRDB

extension GatewayQueries {
    /// A gateway is known by the name it gives itself, and a token may be used by several. This bounds what
    /// names that are made up can fill.
    private static let most = 1_000

    /// - Throws: `DeploymentError.tooManyGateways` where it is a new one, and there are as many as are kept.
    package static func admit(_ db: Database, _ gateway: GatewayID) throws {
        let isKnown = try Row.fetchOne(
            db, sql: "SELECT 1 FROM gateway WHERE id = ?", arguments: [gateway.rawValue])
        guard isKnown == nil else { return }
        let count = try Row.fetchOne(db, sql: "SELECT count(*) AS count FROM gateway")
        let known: Int = count?["count"] ?? 0
        guard known < most else { throw DeploymentError.tooManyGateways(gateway, most: most) }
    }
}
