import Foundation

/// The machine's processes as /proc shows them.
struct ProcessTable {
    struct Entry {
        let processID: pid_t
        let parent: pid_t
        let isZombie: Bool
        /// Clock ticks since the machine started.
        let startTicks: UInt64
        /// User and system time, in clock ticks.
        let cpuTicks: UInt64
        let threads: Int
        let residentPages: Int64
    }

    let entries: [pid_t: Entry]

    /// Every process at this moment, or nearly: one that forks meanwhile may be missed.
    static func read() -> ProcessTable {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var entries: [pid_t: Entry] = [:]
        for name in names {
            guard let processID = pid_t(name), let entry = entry(of: processID) else { continue }
            entries[processID] = entry
        }
        return ProcessTable(entries: entries)
    }

    /// `nil` where there is no such process.
    static func entry(of processID: pid_t) -> Entry? {
        guard let text = KernelFile.read("/proc/\(processID)/stat"),
            let end = text.lastIndex(of: ")")
        else { return nil }
        // After the name in brackets come the fields from the third on; see proc(5).
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 21, let parent = pid_t(fields[1]), let start = UInt64(fields[19]),
            let user = UInt64(fields[11]), let system = UInt64(fields[12])
        else { return nil }
        return Entry(
            processID: processID, parent: parent, isZombie: fields[0] == "Z" || fields[0] == "X",
            startTicks: start, cpuTicks: user + system, threads: Int(fields[17]) ?? 1,
            residentPages: Int64(fields[21]) ?? 0)
    }

    /// Everything below `ancestor`, without zombies.
    func descendants(of ancestor: pid_t) -> [Entry] {
        let children = Dictionary(grouping: entries.values, by: \.parent)
        var found: [Entry] = []
        var rest = [ancestor]
        while let next = rest.popLast() {
            for child in children[next] ?? [] where child.processID != ancestor {
                if !child.isZombie { found.append(child) }
                rest.append(child.processID)
            }
        }
        return found
    }
}

/// A process, told from a later one with the same number.
package struct ProcessIdentity: Codable, Sendable, Equatable {
    package var processID: Int32
    package var startTicks: UInt64
    /// Start times count from the machine's start.
    package var boot: String

    package init?(of processID: Int32) {
        guard let entry = ProcessTable.entry(of: processID) else { return nil }
        self.processID = processID
        startTicks = entry.startTicks
        boot = Self.currentBoot
    }

    package var isAlive: Bool {
        guard boot == Self.currentBoot, let entry = ProcessTable.entry(of: processID) else {
            return false
        }
        return entry.startTicks == startTicks && !entry.isZombie
    }

    private static var currentBoot: String {
        KernelFile.read("/proc/sys/kernel/random/boot_id")?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? ""
    }
}

/// Small files of the kernel: they have no size, and are read and written in one call.
enum KernelFile {
    static func read(_ path: String, following: Bool = true) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (following ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func number(_ path: String) -> Int64? {
        read(path).flatMap { Int64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The number after `key` in a file of `key number` lines.
    static func number(_ path: String, key: String) -> Int64? {
        for line in (read(path) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key { return Int64(words[1]) }
        }
        return nil
    }

    /// Returns 0 or errno.
    @discardableResult
    static func write(_ text: String, to path: String) -> Int32 {
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let count = text.utf8.count
        return text.withCString { Foundation.write(descriptor, $0, count) } == count ? 0 : errno
    }
}
