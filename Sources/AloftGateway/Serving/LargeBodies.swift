import AloftInference
import NIOPosix
import Synchronization

/// What takes long because it is large is done here, on threads of its own: to read a body, to ask a quick
/// model of a million rows, to write their answer. On its event loop it would keep every other caller
/// waiting.
final class LargeBodies: Sendable {
    /// What has more bytes is not read on an event loop.
    static let thresholdBytes = 1 << 20
    /// An answer that needs more than this is not written: one buffer cannot hold it.
    static let answerLimitBytes = 2 << 30

    private let threads: NIOThreadPool
    private let limit: Int
    private let waiting = Mutex(0)

    /// - Parameter limit: bodies that may wait, or be read, before more are shed.
    init(threads count: Int, limit: Int = 64) {
        threads = NIOThreadPool(numberOfThreads: max(1, count))
        self.limit = limit
        threads.start()
    }

    /// Does something, or returns why not.
    ///
    /// - Parameter isFurther: of a request that waited here before, and is not shed half done.
    func submit(
        isFurther: Bool = false, _ work: @escaping @Sendable () -> Void
    ) -> InferenceError? {
        let queued = waiting.withLock { waiting -> Int? in
            guard isFurther || waiting < limit else { return waiting }
            waiting += 1
            return nil
        }
        if let queued { return .overloaded(queued: queued, retryAfterSeconds: 1) }
        threads.submit { _ in
            // Also when the gateway ends: whoever waits is told.
            work()
            self.waiting.withLock { $0 -= 1 }
        }
        return nil
    }

    func stop() async { try? await threads.shutdownGracefully() }
}
