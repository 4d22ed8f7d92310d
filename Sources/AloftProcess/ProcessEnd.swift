import CProcess
import Dispatch
import Foundation

/// Waiting for the end of a process that need not be a child of this one, without asking again and again.
package enum ProcessEnd {
    /// How often to look where the kernel does not tell.
    private static let lookAgain = Duration.milliseconds(100)

    /// Returns when the process has ended, when `limit` on `clock` has passed, or when the task is
    /// cancelled; the caller looks which it was.
    package static func wait(
        for processID: Int32, upTo limit: Duration, clock: any Clock<Duration>
    ) async {
        let descriptor = aloft_watch_process(processID)
        guard descriptor >= 0 else {
            try? await clock.sleep(for: min(limit, lookAgain))
            return
        }
        let (ended, end) = AsyncStream.makeStream(of: Void.self)
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor)
        source.setEventHandler { end.finish() }
        source.setCancelHandler { close(descriptor) }
        source.activate()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { for await _ in ended {} }
            group.addTask { try? await clock.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
        source.cancel()
    }
}
