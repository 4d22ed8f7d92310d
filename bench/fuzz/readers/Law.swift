import CAllocations
import Foundation

/// What any reader takes of memory for a body, whatever the body says: eight times its bytes and a
/// mebibyte. One says more for itself, see `Reader.growth`.
enum Law {
    static func limit(_ count: Int, _ growth: Int) -> Int { growth * count + (1 << 20) }

    /// What reading a body took.
    struct Cost {
        var memory: Int
        /// Of this thread.
        var nanoseconds: UInt64
    }

    /// Reads a body. A trap ends the program.
    static func cost(of sample: Sample, _ readers: [Reader]) -> Cost {
        let reader = readers[sample.reader]
        let variant = sample.variant % max(1, reader.variants)
        return sample.body.withUnsafeBytes { bytes in
            let start = nanoseconds()
            aloft_allocations_begin()
            do { try reader.read(variant, bytes) } catch {
                // Refused: as good as read.
            }
            let memory = aloft_allocations_end()
            return Cost(memory: Int(memory), nanoseconds: nanoseconds() &- start)
        }
    }

    /// What is to be said of a body that took more; `nil` where it did not.
    static func fault(_ cost: Cost, _ sample: Sample, _ readers: [Reader]) -> String? {
        let reader = readers[sample.reader]
        let limit = limit(sample.body.count, reader.growth)
        guard cost.memory > limit else { return nil }
        return "\(reader.name): \(sample.body.count) bytes took \(cost.memory); at most \(limit) "
            + "are allowed"
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }
}
