import Dispatch
import GRDB
import Synchronization

/// Moves committed pages from the write-ahead log into the database, on a connection and a thread of
/// its own, so that no commit waits for it.
///
/// Under unbroken load the log never stands still long enough to start again from its top. When it
/// is long, the writer moves the last few pages itself, between two commits.
final class Checkpointer: Sendable {
    struct Limits: Sendable {
        /// Rows changed between two checkpoints.
        var changes = 10_000
        /// Pages in the log from which on the writer helps; 4 KiB each.
        var longLog = 16_000
    }

    private struct State {
        /// The writer's count of changed rows at the last checkpoint.
        var changes = 0
        var isRunning = false
        var mustHelp = false
    }

    private let connection: DatabaseQueue
    private let limits: Limits
    private let state = Mutex(State())
    private let thread = DispatchQueue(label: "aloft.store.checkpoint", qos: .utility)

    init(path: String, limits: Limits = Limits()) throws {
        var configuration = Configuration()
        configuration.label = "checkpoint"
        configuration.busyMode = .timeout(10)
        connection = try DatabaseQueue(path: path, configuration: configuration)
        self.limits = limits
    }

    /// Tells of a commit; `changes` counts all rows that the writer's connection ever changed.
    func committed(changes: Int) {
        let isDue = state.withLock { state in
            guard !state.isRunning, changes - state.changes >= limits.changes else { return false }
            state.changes = changes
            state.isRunning = true
            return true
        }
        guard isDue else { return }
        thread.async {
            let pages = self.moved()
            self.state.withLock { state in
                state.isRunning = false
                state.mustHelp = pages >= self.limits.longLog
            }
        }
    }

    /// Whether the writer must move the rest itself; asked once for each time.
    func takeHelp() -> Bool {
        state.withLock { state in
            defer { state.mustHelp = false }
            return state.mustHelp
        }
    }

    /// Returns how many pages the log had. A checkpoint that fails does no harm: what was committed
    /// is in the log, and the next one tries again.
    private func moved() -> Int {
        (try? connection.writeWithoutTransaction { try $0.checkpoint(.passive).walFrameCount }) ?? 0
    }

    /// Waits for a checkpoint on its way.
    func close() throws {
        thread.sync {}
        try connection.close()
    }
}
