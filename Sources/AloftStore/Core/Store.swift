import Foundation
import GRDB

/// The database: one SQLite file in WAL mode with one writer and many readers.
///
/// A write is answered only when its commit is on disk. Concurrent writes share a commit (see
/// `CommitGroup`). Readers work on snapshots and never wait for the writer.
package final class Store: Sendable {
    private let pool: DatabasePool
    private let commits: CommitGroup
    private let checkpointer: Checkpointer
    /// Searches at once: one connection is always left to those who read what they know by name.
    private let searches = Turnstile(places: Store.readers - 1)
    private let state: StateFile?
    private let path: String
    /// Wakes whoever waits for the next commit.
    package let changes: ChangeSignal
    /// What changed lately without an event; in memory.
    package let activity = LiveActivity()

    private static let readers = 4
    /// How long a search may take, waiting for its turn included.
    private let longestSearch: Duration

    /// Pages that a connection keeps in memory; there are five connections.
    private static let cacheKibibytes = 12 << 10
    /// A write-ahead log that grew longer is cut to this when it starts again.
    private static let keptLogBytes = 64 << 20

    /// Opens the database at `path`, creates it where there is none, and brings its schema up to
    /// date.
    ///
    /// - Parameters:
    ///   - statePath: where the file beside it knows the last commit; only the process that holds the
    ///     data folder writes it, once `StoreInspection` has looked.
    ///   - loss: what is accepted, which becomes an event.
    ///   - longestSearch: how long a search may take, waiting for its turn included.
    /// - Throws: `StoreError.newerSchema` if a newer version of the program wrote it, `.unusable` if
    ///   the file is no database or cannot be written.
    package init(
        path: String, statePath: String? = nil, accepting loss: AcceptedLoss? = nil,
        longestSearch: Duration = .seconds(10)
    ) throws {
        self.path = path
        self.longestSearch = longestSearch
        var configuration = Configuration()
        configuration.label = "store"
        configuration.maximumReaderCount = Self.readers
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { db in
            // Only a new file can be told to give space back bit by bit; readers may not tell it.
            if !db.configuration.readonly, try Int.fetchOne(db, sql: "PRAGMA page_count") == 0 {
                try db.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
            }
            try db.execute(sql: "PRAGMA foreign_keys = ON")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
            try db.execute(sql: "PRAGMA cache_size = -\(Self.cacheKibibytes)")
        }
        do {
            pool = try DatabasePool(path: path, configuration: configuration)
            // Only now: opening the pool turns WAL mode on and with it a laxer synchronisation,
            // under which a power cut can take back what was acknowledged.
            try pool.writeWithoutTransaction { db in
                try db.execute(
                    sql: """
                        PRAGMA synchronous = FULL;
                        PRAGMA wal_autocheckpoint = 0;
                        PRAGMA journal_size_limit = \(Self.keptLogBytes)
                        """)
            }
            checkpointer = try Checkpointer(path: path)
        } catch let error as DatabaseError {
            throw StoreError.unusable(
                path: path, reason: error.message ?? error.resultCode.description)
        }
        let migrator = Schema.migrator()
        let applied = try pool.read { db in
            try migrator.hasBeenSuperseded(db) ? Schema.applied(Transaction(db)) : []
        }
        guard applied.isEmpty else {
            throw StoreError.newerSchema(
                path: path, unknown: applied.filter { !Schema.names.contains($0) })
        }
        try migrator.migrate(pool)
        // Before the file says that all is well: the loss stays known.
        if let loss { try pool.write { try loss.record(Transaction($0)) } }
        if let statePath { state = try Self.makeState(statePath, pool) } else { state = nil }
        changes = ChangeSignal()
        commits = CommitGroup(
            pool: pool, changes: changes, checkpointer: checkpointer, hasLedger: true,
            state: state)
    }

    /// Runs `body` in a transaction and returns once it is durable. `body` may share its commit with
    /// other writers; if it throws, what it did is undone and only this caller learns of it.
    ///
    /// `body` runs on the writer's thread: it must not wait for anything. It may run twice, if what it
    /// did was rolled back because of another's failure: it must do nothing but read and write `db`.
    ///
    /// - Parameters:
    ///   - entities: what it changes, which says whom the commit wakes. Who does not know says nothing.
    ///   - further: what it changed beside that, as its value tells.
    nonisolated(nonsending) package func write<Value: Sendable>(
        as entities: ChangeSignal.Entities = .all,
        and further: (@Sendable (Value) -> ChangeSignal.Entities)? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await commits.perform(as: entities, and: further, body)
    }

    /// Runs `body` on a snapshot. May be called by many at once; never waits for a writer.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await pool.read { try body(Transaction($0)) }
    }

    /// As `read`, for what strangers may ask in shapes of their own: few at once, and none for ever.
    /// The statement under way is interrupted when the time is over or the task is cancelled.
    ///
    /// - Throws: `StoreError.searchTooLong` when the time is over.
    package func search<Value: Sendable>(
        within limit: Duration? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        let limit = limit ?? longestSearch
        return try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { [self] in
                try await searches.pass { try await pool.read { try body(Transaction($0)) } }
            }
            group.addTask {
                try await Task.sleep(for: limit)
                throw StoreError.searchTooLong(seconds: Int(limit.components.seconds))
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }

    /// Runs `body` on the writer's connection outside of a transaction, for `VACUUM` and checkpoints.
    package func maintain<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await pool.writeWithoutTransaction { try body(Transaction($0)) }
    }

    private static func makeState(_ path: String, _ pool: DatabasePool) throws -> StateFile {
        let ledger = try pool.read { try Ledger.read(Transaction($0)) }
        return try StateFile(
            path: path,
            record: StateRecord(
                database: ledger?.identity ?? "", position: ledger?.position ?? 0,
                schema: Schema.migrations.last?.name ?? ""))
    }

    /// Moves all into the database's file, so that the file alone is whole, and closes it. Nothing may
    /// be read or written afterwards.
    package func close() throws {
        try checkpointer.close()
        // Where another process has the database open it stays in the log, as after a crash.
        let mode = state == nil ? Database.CheckpointMode.passive : .truncate
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(mode) }
        try pool.close()
        state?.end(
            isClean: StoreInspection.bytes(of: path + "-wal") == 0,
            bytes: StoreInspection.bytes(of: path))
    }
}
