import Foundation

/// A semaphore whose time limit is that of the monotonic clock. Dispatch's is by wall time on Linux: who
/// waits two milliseconds while the clock is set back by a day waits for that day.
///
/// `@unchecked Sendable`: `count` is used under `lock` only.
package final class TimedSemaphore: @unchecked Sendable {
    private let lock: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    private var count = 0

    #if os(Linux)
        private static let clock = CLOCK_MONOTONIC
    #else
        private static let clock = CLOCK_REALTIME
    #endif

    package init() {
        lock = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        #if os(Linux)
            pthread_condattr_setclock(&attributes, Self.clock)
        #endif
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    package func signal() {
        pthread_mutex_lock(lock)
        count += 1
        pthread_cond_signal(changed)
        pthread_mutex_unlock(lock)
    }

    /// Blocks the thread until there is a signal, and takes it.
    package func wait() {
        pthread_mutex_lock(lock)
        while count == 0 { pthread_cond_wait(changed, lock) }
        count -= 1
        pthread_mutex_unlock(lock)
    }

    /// The same for at most `limit`.
    ///
    /// - Returns: whether there was a signal.
    package func wait(atMost limit: Duration) -> Bool {
        var end = timespec()
        clock_gettime(Self.clock, &end)
        let (seconds, attoseconds) = limit.components
        let nanoseconds = Int64(end.tv_nsec) + attoseconds / 1_000_000_000
        end.tv_sec += time_t(seconds + nanoseconds / 1_000_000_000)
        end.tv_nsec = Int(nanoseconds % 1_000_000_000)
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while count == 0 {
            if pthread_cond_timedwait(changed, lock, &end) == ETIMEDOUT, count == 0 { return false }
        }
        count -= 1
        return true
    }
}
