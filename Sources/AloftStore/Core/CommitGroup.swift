import AloftDomain
import Dispatch
import GRDB
import Synchronization

/// Drains all waiting writes into one transaction, commits it with full synchronisation, then
/// answers each caller. While one transaction is on its way to the disk the next gathers, so the
/// busier the store, the more writes share a commit, and a lone write waits for nobody.
final class CommitGroup: Sendable {
    private struct Queue {
        var waiting: [PendingWrite] = []
        var isDraining = false
        /// As soon as so many wait, whoever gathers a group is told.
        var wanted = Int.max
    }

    /// The most writes in one transaction, so that the first in it does not wait long for the last.
    private static let largestGroup = 512
    private static let longestPauseNanoseconds: UInt64 = 2_000_000

    private let pool: DatabasePool
    private let changes: ChangeSignal
    private let checkpointer: Checkpointer
    /// Whether the database counts its commits.
    private let hasLedger: Bool
    /// Told of each commit before those who wait for it are.
    private let state: StateFile?
    private let queue = Mutex(Queue())
    private let gathered = TimedSemaphore()
    private let thread = DispatchQueue(label: "aloft.store.writer", qos: .userInitiated)
    #if DEBUG
        private let witness = DeclaredChanges()
    #endif

    init(
        pool: DatabasePool, changes: ChangeSignal, checkpointer: Checkpointer,
        hasLedger: Bool = false, state: StateFile? = nil
    ) {
        self.pool = pool
        self.changes = changes
        self.checkpointer = checkpointer
        self.hasLedger = hasLedger
        self.state = state
        #if DEBUG
            pool.add(transactionObserver: witness, extent: .databaseLifetime)
        #endif
    }

    /// Stays on the caller's thread until there is something to wait for: most writes are small.
    nonisolated(nonsending) func perform<Value: Sendable>(
        as entities: ChangeSignal.Entities = .all,
        and further: (@Sendable (Value) -> ChangeSignal.Entities)? = nil,
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await withUnsafeThrowingContinuation { continuation in
            let write = WaitingWrite(entities, further, body, continuation)
            #if DEBUG
                write.witness = witness
            #endif
            enqueue(write)
        }
    }

    private func enqueue(_ write: PendingWrite) {
        let (mustDrain, isGathered) = queue.withLock { queue in
            queue.waiting.append(write)
            let isGathered = queue.waiting.count == queue.wanted
            defer { queue.isDraining = true }
            return (!queue.isDraining, isGathered)
        }
        if isGathered { gathered.signal() }
        if mustDrain { thread.async { self.drain() } }
    }

    private func drain() {
        while let group = nextGroup() {
            let began = DispatchTime.now()
            let failure = commit(group)
            let nanoseconds = DispatchTime.now().uptimeNanoseconds - began.uptimeNanoseconds
            if failure == nil { changes.notify(group.reduce([]) { $0.union($1.entities) }) }
            for write in group { write.finish(failure) }
            helpCheckpoint()
            gather(after: group.count, nanoseconds: nanoseconds)
        }
    }

    /// Waits a moment for those who were just answered, if others wait already: writers that call
    /// again at once would otherwise fall into two halves, each of which waits for the other's
    /// commit. At most a quarter of the time that a commit takes, so that it never costs more than
    /// it saves; a lone writer never waits.
    private func gather(after count: Int, nanoseconds: UInt64) {
        let mustWait = queue.withLock { queue in
            guard !queue.waiting.isEmpty else { return false }
            queue.wanted = queue.waiting.count + count
            return true
        }
        guard mustWait else { return }
        let pause = min(nanoseconds / 4, Self.longestPauseNanoseconds)
        let isGathered = gathered.wait(atMost: .nanoseconds(pause))
        let isLate = queue.withLock { queue in
            defer { queue.wanted = .max }
            return !isGathered && queue.waiting.count >= queue.wanted
        }
        // Told just after the time was over: the next wait must not take this for its own.
        if isLate { gathered.wait() }
    }

    private func helpCheckpoint() {
        guard checkpointer.takeHelp() else { return }
        // The log keeps what this could not move.
        _ = try? pool.writeWithoutTransaction { try $0.checkpoint(.passive) }
    }

    private func nextGroup() -> [PendingWrite]? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else {
                queue.isDraining = false
                return nil
            }
            guard queue.waiting.count > Self.largestGroup else {
                defer { queue.waiting = [] }
                return queue.waiting
            }
            let group = Array(queue.waiting.prefix(Self.largestGroup))
            queue.waiting.removeFirst(group.count)
            return group
        }
    }

    /// Returns what kept the whole group from being committed. The failure of a single write is its
    /// own: what it did is undone and the others go on.
    private func commit(_ group: [PendingWrite]) -> (any Error)? {
        do {
            do {
                try transaction { db in
                    for write in group { try Self.run(write, in: db) }
                }
            } catch is HalfDone where group.count > 1 {
                try transaction { db in
                    for write in group { try Self.runApart(write, in: db) }
                }
            }
            return nil
        } catch is HalfDone {
            return nil  // the write's own error, which `finish` gives out
        } catch let error as StatementError where error.kind == .diskFull {
            return StoreError.diskFull
        } catch {
            return error
        }
    }

    private func transaction(_ body: (Transaction) throws -> Void) throws {
        var position: Int64?
        try pool.writeWithoutTransaction { database in
            let db = Transaction(database)
            try db.immediately {
                let before = db.totalChangesCount
                try body(db)
                if hasLedger, db.totalChangesCount != before {
                    position = try Ledger.advance(db)
                }
            }
            checkpointer.committed(changes: db.totalChangesCount)
        }
        if let position { state?.committed(position) }
    }

    /// A write failed after it had changed something. That is undone with the whole transaction, and
    /// if others shared it, all are done again, each apart.
    private struct HalfDone: Error {}

    /// Without a savepoint, which costs a copy of each page that the write touches: nearly all writes
    /// succeed, and nearly all that fail have changed nothing yet.
    private static func run(_ write: PendingWrite, in db: Transaction) throws {
        let before = db.totalChangesCount
        do {
            try write.run(db)
        } catch {
            // A full disk or a broken file ends the transaction itself: nobody's write is safe.
            guard !isFatal(error), db.isInsideTransaction else { throw error }
            guard db.totalChangesCount == before else { throw HalfDone() }
        }
    }

    private static func runApart(_ write: PendingWrite, in db: Transaction) throws {
        try db.perform("SAVEPOINT member")
        do {
            try write.run(db)
        } catch {
            guard !isFatal(error), db.isInsideTransaction else { throw error }
            try db.perform("ROLLBACK TO member")
        }
        try db.perform("RELEASE member")
    }

    private static func isFatal(_ error: any Error) -> Bool {
        (error as? StatementError)?.isFatal ?? false
    }
}
