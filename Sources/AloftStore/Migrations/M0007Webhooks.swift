extension Schema.Migration {
    /// Webhooks, what they want to be told of, and what they still have to be told. A delivery's row
    /// is written in the transaction of the change that it tells of.
    static let m0007Webhooks = Schema.Migration(name: "0007-webhooks") { db in
        try db.execute(
            sql: """
                CREATE TABLE webhook (
                    id TEXT PRIMARY KEY NOT NULL,
                    name TEXT NOT NULL,
                    description TEXT NOT NULL,
                    url TEXT NOT NULL,
                    secret TEXT,
                    isActive INTEGER NOT NULL CHECK (isActive IN (0, 1)),
                    createdAt INTEGER NOT NULL,
                    updatedAt INTEGER NOT NULL
                );
                CREATE TABLE webhookEvent (
                    entity TEXT NOT NULL,
                    action TEXT NOT NULL,
                    webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
                    PRIMARY KEY (entity, action, webhook)
                ) \(Dialect.keptByKey);
                CREATE INDEX webhookEventWebhook ON webhookEvent (webhook);

                -- dueAt: of a waiting delivery, when it may be sent; of one being sent, the lease's
                -- end; of an ended one, when it ended.
                CREATE TABLE webhookDelivery (
                    number \(Dialect.countingKey),
                    webhook TEXT NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
                    body TEXT NOT NULL,
                    state TEXT NOT NULL
                        CHECK (state IN ('waiting', 'sending', 'delivered', 'failed')),
                    attempt INTEGER NOT NULL CHECK (attempt >= 1),
                    dueAt TEXT NOT NULL,
                    reason TEXT,
                    createdAt TEXT NOT NULL
                );
                CREATE INDEX webhookDeliveryState ON webhookDelivery (webhook, state, dueAt);
                CREATE INDEX webhookDeliveryOpen ON webhookDelivery (dueAt)
                    WHERE state IN ('waiting', 'sending');
                CREATE INDEX webhookDeliveryEnded ON webhookDelivery (dueAt)
                    WHERE state IN ('delivered', 'failed');
                """)
    }
}
