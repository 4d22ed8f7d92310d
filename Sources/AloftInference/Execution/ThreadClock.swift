#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The processor time of the thread that asks.
enum ThreadClock {
    static func nanoseconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
    }
}
