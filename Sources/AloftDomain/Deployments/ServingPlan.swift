/// What gateways are to serve, as computed from the tables. Ordered, so that equal plans are equal.
package struct ServingPlan: Sendable, Hashable, Codable {
    package struct Endpoint: Sendable, Hashable, Codable {
        package var project: ProjectID
        package var deployment: String
        package var environment: String
        /// Oldest first.
        package var revisions: [Revision]
        /// The share of answers in the prediction log, 0...1; `nil`: all.
        package var logSampling: Double?

        package init(
            project: ProjectID, deployment: String, environment: String, revisions: [Revision],
            logSampling: Double? = nil
        ) {
            self.project = project
            self.deployment = deployment
            self.environment = environment
            self.revisions = revisions
            self.logSampling = logSampling
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

    package static func text(deployment: String, environment: String) -> String {
        environment == production ? deployment : "\(deployment).\(environment)"
    }

    /// The deployment and environment of an endpoint's name; `nil` where it is no such name.
    package static func parts(_ endpoint: String) -> (deployment: String, environment: String)? {
        let words = endpoint.split(separator: ".", omittingEmptySubsequences: false).map(
            String.init)
        switch words.count {
        case 1 where isDeployment(words[0]): return (words[0], production)
        case 2 where isDeployment(words[0]) && isEnvironment(words[1]):
            return (words[0], words[1])
        default: return nil
        }
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
