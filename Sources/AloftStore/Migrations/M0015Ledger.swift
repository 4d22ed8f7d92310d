import AloftDomain

extension Schema.Migration {
    /// Which database this is, and how many commits it has seen: what the state file beside it is
    /// held against. See `StateFile`.
    static let m0015Ledger = Schema.Migration(name: "0015-ledger") { db in
        try db.execute(
            sql: """
                CREATE TABLE ledger (
                    one INTEGER PRIMARY KEY CHECK (one = 1),
                    identity TEXT NOT NULL CHECK (length(identity) = 32),
                    position INTEGER NOT NULL CHECK (position >= 0),
                    lossAcceptedAt TEXT
                );
                """)
        let identity: Identifier<Ledger> = Chance.live().identifier()
        try db.execute(
            sql: "INSERT INTO ledger (one, identity, position) VALUES (1, ?, 0)",
            arguments: [identity.rawValue])
    }
}
