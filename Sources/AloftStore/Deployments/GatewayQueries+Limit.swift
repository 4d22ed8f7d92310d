package import AloftDomain

extension GatewayQueries {
    /// A gateway is known by the name it gives itself, and a token may be used by several. This bounds what
    /// names that are made up can fill.
    private static let most = 1_000

    /// - Throws: `DeploymentError.tooManyGateways` where it is a new one, and there are as many as are kept.
    package static func admit(_ db: Transaction, _ gateway: GatewayID) throws {
        let isKnown = try db.row(
            sql: "SELECT 1 FROM gateway WHERE id = ?", arguments: [gateway.rawValue])
        guard isKnown == nil else { return }
        let known: Int = try db.value(sql: "SELECT count(*) FROM gateway") ?? 0
        guard known < most else { throw DeploymentError.tooManyGateways(gateway, most: most) }
    }
}
