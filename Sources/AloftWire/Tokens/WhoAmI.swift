package import AloftDomain

/// Whose token a call carries.
package enum WhoAmI: Endpoint {
    package struct Reply: Codable, Sendable, Equatable {
        /// Such as `user:ann`; `local` for a caller without a token that is known.
        package var principal: String
        package init(principal: String) { self.principal = principal }

        /// Whether the call carried a token that the server knows.
        package var isKnown: Bool { principal != "local" }
    }
    package static let action = Action.greet
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/whoami"
    package static let summary = "Whose token the call carries"
}
