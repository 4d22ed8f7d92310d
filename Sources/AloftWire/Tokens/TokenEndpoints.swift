package import AloftDomain

/// A new token for a person or a program. The secret is in the reply and nowhere else.
package enum CreateToken: Endpoint {
    package struct Body: Codable, Sendable, Equatable {
        package var name: String
        package init(name: String) { self.name = name }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var name: String
        package var secret: String
        package init(name: String, secret: String) {
            self.name = name
            self.secret = secret
        }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.post
    package static let path = "/api/v1/tokens"
    package static let summary = "Make a token; its secret is shown once"
}

package enum ListTokens: Endpoint {
    package struct Item: Codable, Sendable, Equatable {
        package var name: String
        package var createdAt: String
        package init(name: String, createdAt: String) {
            self.name = name
            self.createdAt = createdAt
        }
    }
    package struct Reply: Codable, Sendable, Equatable {
        package var tokens: [Item]
        package init(tokens: [Item]) { self.tokens = tokens }
    }
    package static let action = Action.manage
    package static let method = EndpointMethod.get
    package static let path = "/api/v1/tokens"
    package static let summary = "The tokens of people and programs, without their secrets"
}

package enum RevokeToken: Endpoint {
    package typealias Reply = EmptyReply
    package static let action = Action.manage
    package static let method = EndpointMethod.delete
    package static let path = "/api/v1/tokens/{name}"
    package static let summary = "End a token at once"
}
