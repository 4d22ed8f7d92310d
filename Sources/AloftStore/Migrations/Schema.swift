/// The schema's history: numbered migrations, one file each, forward only, never edited after a
/// release. A new one is appended to `migrations`.
enum Schema {
    /// One step of the schema.
    struct Migration: Sendable {
        /// `NNNN-subject`; stored in the database once it is applied.
        let name: String
        let apply: @Sendable (Transaction) throws -> Void
    }

    static let migrations: [Migration] = [
        .m0001Core,
        .m0002Tracking,
        .m0003Registry,
        .m0004Jobs,
        .m0005Sweeps,
        .m0006Deployments,
        .m0007Webhooks,
        .m0008Traces,
        .m0009Space,
        .m0010Predictions,
        .m0011Traffic,
        .m0012MetricSummaries,
        .m0013RunNames,
        .m0014Access,
        .m0015Ledger,
        .m0018Contracts,
        .m0019CodeOrigin,
        .m0020Answers,
        .m0024TraceLinks,
    ]

    // text: our own migrations
    static var names: Set<String> { Set(migrations.map(\.name)) }
}
