import AloftDomain
import Foundation

/// A version 2 group below the one that the server runs in, which must be writable (under systemd:
/// `Delegate=yes`).
struct CgroupV2: Confinement {
    /// Only leaf groups may hold processes once controllers are handed down: whatever runs in the
    /// base is moved to this one.
    private static let leaf = "aloft-main"
    private static let wanted = ["memory", "pids", "cpu"]

    private let folder: String
    let limitsMemory: Bool
    let limitsProcesses: Bool

    /// `nil` if the group cannot be made or no controller can be handed down to it.
    init?(base: String, name: String, resources: Resources) {
        let base =
            base.hasSuffix("/" + Self.leaf) ? String(base.dropLast(Self.leaf.count + 1)) : base
        let available = Self.words(base + "/cgroup.controllers")
        let controllers = Self.wanted.filter(available.contains)
        guard !controllers.isEmpty else { return nil }
        folder = "\(base)/\(name)"
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { return nil }
        guard Self.handDown(controllers, in: base) else {
            rmdir(folder)
            return nil
        }
        var limitsMemory = false
        if let limit = resources.memoryBytes {
            limitsMemory = KernelFile.write("\(limit)", to: folder + "/memory.max") == 0
            KernelFile.write("0", to: folder + "/memory.swap.max")
            KernelFile.write("1", to: folder + "/memory.oom.group")
        }
        var limitsProcesses = false
        if let limit = resources.processes {
            limitsProcesses = KernelFile.write("\(limit)", to: folder + "/pids.max") == 0
        }
        KernelFile.write(
            "\(max(1000, Int(resources.cpus * 100_000))) 100000", to: folder + "/cpu.max")
        self.limitsMemory = limitsMemory
        self.limitsProcesses = limitsProcesses
    }

    private static func words(_ path: String) -> [String] {
        (KernelFile.read(path) ?? "").split { $0 == " " || $0 == "\n" }.map(String.init)
    }

    /// Hands controllers down to the groups below `base`; true if each of them is.
    private static func handDown(_ controllers: [String], in base: String) -> Bool {
        let file = base + "/cgroup.subtree_control"
        let missing = { controllers.filter { !words(file).contains($0) } }
        guard !missing().isEmpty else { return true }
        let order = controllers.map { "+" + $0 }.joined(separator: " ")
        if KernelFile.write(order, to: file) == EBUSY {
            mkdir("\(base)/\(leaf)", 0o755)
            for process in words(base + "/cgroup.procs") {
                KernelFile.write(process, to: "\(base)/\(leaf)/cgroup.procs")
            }
            KernelFile.write(order, to: file)
        }
        return missing().isEmpty
    }

    var joins: [String] { [folder + "/cgroup.procs"] }

    var cpuSeconds: Double? {
        KernelFile.number(folder + "/cpu.stat", key: "usage_usec").map { Double($0) / 1e6 }
    }

    var memoryBytes: Int64? {
        guard let used = KernelFile.number(folder + "/memory.current") else { return nil }
        return max(
            0, used - (KernelFile.number(folder + "/memory.stat", key: "inactive_file") ?? 0))
    }

    var ranOutOfMemory: Bool {
        (KernelFile.number(folder + "/memory.events", key: "oom_kill") ?? 0) > 0
    }

    func killAll(isLast: Bool) {
        KernelFile.write("1", to: folder + "/cgroup.kill")
        // Linux before 5.14 has no such file.
        for _ in 0..<200 {
            let members = Self.words(folder + "/cgroup.procs").compactMap { pid_t($0) }
            guard !members.isEmpty else { return }
            for member in members where member > 1 { kill(member, SIGKILL) }
            usleep(5000)
        }
    }

    func remove() { rmdir(folder) }
}
