/// What gateways are to serve, as computed from the tables. Ordered, so that equal plans are equal.
package struct ServingPlan: Sendable, Hashable, Codable {
    package struct Endpoint: Sendable, Hashable, Codable {
        package var project: ProjectID
        package var deployment: String
        package var environment: String
        /// Oldest first.
        package var revisions: [Revision]
        /// Its shadow and segments; absent where it has none.
        package var rules: TrafficRules?

        package init(
            project: ProjectID, deployment: String, environment: String, revisions: [Revision],
            rules: TrafficRules? = nil
        ) {
            self.project = project
            self.deployment = deployment
            self.environment = environment
            self.revisions = revisions
            self.rules = rules
        }

        /// As clients call it: the deployment's own name in production, `name.environment` elsewhere.
        package var name: String {
            EndpointName.text(deployment: deployment, environment: environment)
        }
    }

    package struct Revision: Sendable, Hashable, Codable {
        package var id: RevisionID
        package var number: Int
        package var weightPercent: Double
        package var rolloutStep: Int?
        package var version: ModelVersionKey
        package var servable: Servable

        package init(
            id: RevisionID, number: Int, weightPercent: Double, rolloutStep: Int?,
            version: ModelVersionKey, servable: Servable
        ) {
            self.id = id
            self.number = number
            self.weightPercent = weightPercent
            self.rolloutStep = rolloutStep
            self.version = version
            self.servable = servable
        }
    }

    package var endpoints: [Endpoint]

    package init(endpoints: [Endpoint]) { self.endpoints = endpoints }
}

package enum EndpointName {
    package static let production = "production"
    package static let staging = "staging"
    /// Where the revisions are that get copies of production's requests.
    package static let shadow = "shadow"

    package static func text(deployment: String, environment: String) -> String {
        environment == production ? deployment : "\(deployment).\(environment)"
    }

    /// Whether it may name a deployment or an environment: 1 to 63 lower-case letters, digits and
    /// hyphens, a letter or digit first; a deployment's name may also hold `_` and upper case.
    package static func isEnvironment(_ text: String) -> Bool {
        isName(text) && text.allSatisfy { !$0.isUppercase && $0 != "_" }
    }

    package static func isDeployment(_ text: String) -> Bool { isName(text) }

    private static func isName(_ text: String) -> Bool {
        let isPlain = { (character: Character) in
            character.isASCII
                && (character.isLetter || character.isNumber || "-_".contains(character))
        }
        return (1...63).contains(text.count) && text.allSatisfy(isPlain)
            && text.first.map { $0.isLetter || $0.isNumber } == true
    }
}
