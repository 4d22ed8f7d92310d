package import AloftDomain
package import AloftStore

/// Makes tokens; used by the API, and by the command line on the server's own machine.
package struct TokenIssuer: Sendable {
    private let store: Store
    private let time: TimeSource
    private let chance: Chance

    package init(store: Store, time: TimeSource, chance: Chance) {
        self.store = store
        self.time = time
        self.chance = chance
    }

    /// Stores a new token of a person and returns its secret.
    ///
    /// - Throws: `TokenError.invalidName`, or `TokenError.exists` if a live token has the name.
    package func create(name: String, by principal: Principal) async throws -> String {
        // text: a name of ASCII; a letter with a mark is none
        let isPlain = { (character: Character) in
            character.isASCII
                && (character.isLetter || character.isNumber || "._-@".contains(character))
        }
        guard (1...100).contains(name.count), name.allSatisfy(isPlain) else {
            throw TokenError.invalidName(name)
        }
        let secret = TokenQueries.makeSecret(using: chance)
        let id: TokenID = chance.identifier()
        let now = time.now()
        try await store.write { db in
            guard try !TokenQueries.listUsers(db).contains(where: { $0.name == name }) else {
                throw TokenError.exists(name: name)
            }
            try TokenQueries.insert(
                db, id: id, name: name, kind: .user, secret: secret, project: .default, at: now)
            try EventLog.appendCounted(
                db, at: now, project: .default, entity: "token", entityID: name, what: "created",
                who: principal)
        }
        return secret
    }
}

package enum TokenError: Refusal, Equatable {
    case invalidName(String)
    case exists(name: String)
    case notFound(name: String)

    package var code: String {
        switch self {
        case .invalidName: "token_name_invalid"
        case .exists: "token_exists"
        case .notFound: "token_not_found"
        }
    }

    package var kind: RefusalKind {
        switch self {
        case .invalidName: .invalid
        case .exists: .conflict
        case .notFound: .notFound
        }
    }

    package var message: String {
        switch self {
        case .invalidName(let name):
            "\(name.prefix(100)): a token's name has 1 to 100 letters, digits or . _ - @"
        case .exists(let name): "a token named \(name) exists; revoke it first or take another name"
        case .notFound(let name): "there is no live token named \(name)"
        }
    }
}
