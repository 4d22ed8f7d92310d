import AloftDomain
import Dispatch
import GRDB
import Synchronization

/// Drains all waiting writes into one transaction, commits it with full synchronisation, then
/// answers each caller. While one transaction is on its way to the disk the next gathers, so the
/// busier the store, the more writes share a commit, and a lone write waits for nobody.
final class CommitGroup: Sendable {
    /// One caller's write: `run` does it inside the shared transaction and keeps its outcome,
    /// `finish` gives the outcome out after the commit, or the commit's own failure.
    private struct Write: Sendable {
        let run: @Sendable (Database) throws -> Void
        let finish: @Sendable ((any Error)?) -> Void
    }

    private struct Queue {
        var waiting: [Write] = []
        var isDraining = false
    }

    /// The most writes in one transaction, so that the first in it does not wait long for the last.
    private static let largestGroup = 512

    private let pool: DatabasePool
    private let changes: ChangeSignal
    private let queue = Mutex(Queue())
    private let thread = DispatchQueue(label: "aloft.store.writer", qos: .userInitiated)

    init(pool: DatabasePool, changes: ChangeSignal) {
        self.pool = pool
        self.changes = changes
    }

    func perform<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = Mutex<Result<Value, any Error>?>(nil)
            let box = Outcome(outcome: outcome)
            let write = Write(
                run: { db in
                    do {
                        let value = try body(db)
                        box.set(.success(value))
                    } catch {
                        box.set(.failure(error))
                        throw error
                    }
                },
                finish: { failure in
                    if let failure {
                        continuation.resume(throwing: failure)
                    } else if let result = box.get() {
                        continuation.resume(with: result)
                    }
                })
            enqueue(write)
        }
    }

    private func enqueue(_ write: Write) {
        let mustDrain = queue.withLock { queue in
            queue.waiting.append(write)
            defer { queue.isDraining = true }
            return !queue.isDraining
        }
        if mustDrain { thread.async { self.drain() } }
    }

    private func drain() {
        while let group = nextGroup() {
            let failure = commit(group)
            if failure == nil { changes.notify() }
            for write in group { write.finish(failure) }
        }
    }

    private func nextGroup() -> [Write]? {
        queue.withLock { queue in
            guard !queue.waiting.isEmpty else {
                queue.isDraining = false
                return nil
            }
            let group = Array(queue.waiting.prefix(Self.largestGroup))
            queue.waiting.removeFirst(group.count)
            return group
        }
    }

    /// Returns what kept the whole group from being committed. The failure of a single write is its
    /// own: it is rolled back to its savepoint and the others go on.
    private func commit(_ group: [Write]) -> (any Error)? {
        do {
            try pool.writeWithoutTransaction { db in
                try db.inTransaction(.immediate) {
                    for write in group { try Self.run(write, alone: group.count == 1, in: db) }
                    return .commit
                }
            }
            return nil
        } catch let alone as LoneFailure {
            _ = alone
            return nil  // the write's own error, which `finish` gives out
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            return StoreError.diskFull
        } catch {
            return error
        }
    }

    /// The transaction held one write, and it failed: rolled back with the transaction.
    private struct LoneFailure: Error {}

    private static func run(_ write: Write, alone: Bool, in db: Database) throws {
        if alone {
            do { try write.run(db) } catch { throw isFatal(error) ? error : LoneFailure() }
            return
        }
        try db.execute(literal: "SAVEPOINT member")
        do {
            try write.run(db)
        } catch {
            // A full disk or a broken file ends the transaction itself: nobody's write is safe.
            guard !isFatal(error), db.isInsideTransaction else { throw error }
            try db.execute(literal: "ROLLBACK TO member")
        }
        try db.execute(literal: "RELEASE member")
    }

    private static func isFatal(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        switch error.resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CORRUPT, .SQLITE_READONLY:
            return true
        default: return false
        }
    }
}

/// Carries a result from the writer's thread to its caller.
private final class Outcome<Value: Sendable>: Sendable {
    private let result: Mutex<Result<Value, any Error>?>

    init(outcome: consuming Mutex<Result<Value, any Error>?>) { result = outcome }

    func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }

    func get() -> Result<Value, any Error>? { result.withLock { $0 } }
}
