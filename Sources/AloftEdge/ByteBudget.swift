import Foundation
import Synchronization

/// A memory limit. Bytes of bodies that a process holds at most, whoever sends them. Many callers with
/// one large body each would otherwise take what models and the database need.
package final class ByteBudget: Sendable {
    package let limitBytes: Int
    private let held = Atomic<Int>(0)

    package init(limitBytes: Int) { self.limitBytes = limitBytes }

    package var heldBytes: Int { held.load(ordering: .relaxed) }

    /// Takes so many bytes, or none where they are not left. What was taken is given back once.
    package func take(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        if held.wrappingAdd(bytes, ordering: .relaxed).newValue <= limitBytes { return true }
        give(bytes)
        return false
    }

    /// Counts bytes that are held already, whether or not they fit.
    package func hold(_ bytes: Int) { held.wrappingAdd(bytes, ordering: .relaxed) }

    package var isOver: Bool { heldBytes > limitBytes }

    package func give(_ bytes: Int) { held.wrappingSubtract(bytes, ordering: .relaxed) }

    /// An eighth of the memory that the process may use, and at least room for four of the largest bodies.
    ///
    /// - Parameters:
    ///   - largest: the most bytes of one body.
    ///   - cgroupLimit: the text of `memory.max` of the process's control group; "max" where there is none.
    package static func share(
        largest: Int, memory: UInt64 = ProcessInfo.processInfo.physicalMemory,
        cgroupLimit: String? = try? String(
            contentsOfFile: "/sys/fs/cgroup/memory.max", encoding: .utf8)
    ) -> Int {
        let allowed = cgroupLimit.flatMap {
            UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines))
        }
        let usable = Int(clamping: min(memory, allowed ?? memory) / 8)
        let (floor, overflow) = largest.multipliedReportingOverflow(by: 4)
        return overflow ? Int.max / 2 : max(usable, floor)
    }
}
