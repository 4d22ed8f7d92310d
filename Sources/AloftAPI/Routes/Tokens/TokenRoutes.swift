package import AloftDomain
package import AloftStore
import AloftWire

/// Tokens of people and programs.
package struct TokenRoutes: Sendable {
    private let store: Store
    private let time: TimeSource
    private let chance: Chance

    package init(store: Store, time: TimeSource, chance: Chance) {
        self.store = store
        self.time = time
        self.chance = chance
    }

    package func add(to routes: inout APIRoutes) {
        routes.on(CreateToken.self) { call in
            return try await create(name: call.body.name, by: call.principal)
        }
        routes.on(WhoAmI.self) { call in
            WhoAmI.Reply(principal: call.principal.description)
        }
        routes.on(ListTokens.self) { call in
            let records = try await store.read { try TokenQueries.listUsers($0) }
            return ListTokens.Reply(
                tokens: records.map { .init(name: $0.name, createdAt: $0.createdAt) })
        }
        routes.on(RevokeToken.self) { call in
            try await revoke(name: call.parameter("name"), by: call.principal)
            return EmptyReply()
        }
    }

    private func create(name: String, by principal: Principal) async throws -> CreateToken.Reply {
        let secret = try await TokenIssuer(store: store, time: time, chance: chance)
            .create(name: name, by: principal)
        return CreateToken.Reply(name: name, secret: secret)
    }

    private func revoke(name: String, by principal: Principal) async throws {
        let now = time.now()
        try await store.write { db in
            guard try TokenQueries.revoke(db, kind: .user, name: name, at: now) else {
                throw TokenError.notFound(name: name)
            }
            try EventLog.appendCounted(
                db, at: now, project: .default, entity: "token", entityID: name, what: "revoked",
                who: principal)
        }
    }
}
