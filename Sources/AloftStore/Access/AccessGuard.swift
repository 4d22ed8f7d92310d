package import AloftDomain

/// One thing that a request touches, with what it does to it where that is not the route's own action.
package struct Claim: Sendable, Equatable {
    package var action: Action?
    package var thing: Thing

    package init(_ thing: Thing, _ action: Action? = nil) {
        self.action = action
        self.thing = thing
    }
}

/// Asks the rules, with what the tables say of the things. People are let through without a look.
package struct AccessGuard: Sendable {
    private let store: Store

    package init(store: Store) { self.store = store }

    /// - Throws: `AccessRefusal`.
    nonisolated(nonsending) package func check(
        _ bearer: Bearer, _ action: Action,
        of find: @escaping @Sendable (AccessQueries) throws -> [Claim]
    ) async throws {
        let asker: (job: JobID, project: ProjectID)
        switch bearer {
        case .person: return
        case .job(let job, let project): asker = (job, project)
        // No job has an empty identifier: nothing is a gateway's own.
        case .gateway: asker = (JobID(""), .default)
        }
        if action == .greet { return }
        let claims = try await store.read { db in
            try find(AccessQueries(db, job: asker.job, project: asker.project))
        }
        // A request that names nothing: whoever may ask in principle is told so.
        if claims.isEmpty { try AccessRules.check(bearer, action, .missing) }
        for claim in claims {
            try AccessRules.check(bearer, claim.action ?? action, claim.thing)
        }
    }
}
