import Foundation

/// What this process holds in memory, for tests of readers in a process of their own. Linux only: 0
/// elsewhere.
package enum ProcessMemory {
    /// Gives back what is free, forgets the peak, and returns what is held now, in bytes.
    package static func begin() -> Int {
        if let symbol = dlsym(nil, "malloc_trim") {
            typealias Trim = @convention(c) (Int) -> Int32
            _ = unsafeBitCast(symbol, to: Trim.self)(0)
        }
        // proc(5): the peak begins anew.
        if let file = FileHandle(forWritingAtPath: "/proc/self/clear_refs") {
            file.write(Data("5".utf8))
            try? file.close()
        }
        return bytes("VmRSS:")
    }

    /// The most that was held since `begin`, in bytes.
    package static func peak() -> Int { bytes("VmHWM:") }

    private static func bytes(_ name: String) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix(name) }),
            let number = line.split(whereSeparator: { !$0.isNumber }).first.flatMap({ Int($0) })
        else { return 0 }
        return number * 1024
    }

    /// The most that `act` takes beside what there is: what it takes it takes each time, while pages of code
    /// that come back into memory count only once. So one that takes more than `limit` is asked again.
    package static func growth(upTo limit: Int, _ act: () throws -> Void) rethrows -> Int {
        var least = Int.max
        for _ in 0..<3 where least > limit {
            let before = begin()
            try act()
            least = min(least, peak() - before)
        }
        return least
    }
}
