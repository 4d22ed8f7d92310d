#if canImport(Glibc)
    import Glibc
#endif

/// How the kernel schedules an event loop's thread.
///
/// A thread that wakes for a request usually interrupts whatever runs on its core. Where most requests
/// are shed and the core is the model's too, thousands of interruptions a second cost the model
/// a tenth of its throughput. With `SCHED_BATCH` (sched(7)) the loop interrupts nobody: it runs when the
/// model's share of the time is over, a few milliseconds later at most, and reads all that came
/// meanwhile. Where a core is free it runs as soon as ever.
struct LoopScheduling {
    private var refusals = 0
    private var isPeriod = false
    private(set) var isYielding = false

    /// Refusals in a period from which on the loop yields.
    private static let many = 50

    /// - Returns: whether a period begins, at the end of which `periodEnded` is to be called.
    mutating func refused() -> Bool {
        refusals += 1
        defer { isPeriod = true }
        return !isPeriod
    }

    /// Yields from now on if many were shed in the period, and no longer if not.
    ///
    /// - Returns: whether another period begins.
    mutating func periodEnded() -> Bool {
        let wanted = refusals >= Self.many
        refusals = 0
        if wanted != isYielding, Self.set(yielding: wanted) { isYielding = wanted }
        isPeriod = isYielding
        return isPeriod
    }

    // Of sched.h, which gives the second to programs with GNU extensions only.
    private static let other: Int32 = 0
    private static let batch: Int32 = 3

    /// Of this thread; `false` where somebody gave it another policy, which then stays.
    private static func set(yielding: Bool) -> Bool {
        #if canImport(Glibc)
            let (from, to) = yielding ? (Self.other, Self.batch) : (Self.batch, Self.other)
            guard sched_getscheduler(0) == from else { return false }
            var parameters = sched_param()
            return sched_setscheduler(0, to, &parameters) == 0
        #else
            return false
        #endif
    }
}
