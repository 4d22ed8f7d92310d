import AloftDomain
import Foundation

/// One group in each of the version 1 hierarchies `memory`, `cpu`, `cpuacct` and `pids`.
struct CgroupV1: Confinement {
    /// The group's folder by controller; those that could not be made are missing.
    private let folders: [String: String]
    let limitsMemory: Bool
    let limitsProcesses: Bool
    private let processLimit: Int?

    /// `nil` if no group can be made in any hierarchy.
    init?(controllers: [String: String], name: String, resources: Resources) {
        var folders: [String: String] = [:]
        for controller in ["memory", "cpu", "cpuacct", "pids"] {
            guard let base = controllers[controller] else { continue }
            let folder = "\(base)/\(name)"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { continue }
            folders[controller] = folder
        }
        guard !folders.isEmpty else { return nil }
        var limitsMemory = false
        if let folder = folders["memory"], let limit = resources.memoryBytes {
            limitsMemory =
                KernelFile.write("\(limit)", to: folder + "/memory.limit_in_bytes") == 0
            // Only where swap is accounted does this file exist.
            KernelFile.write("\(limit)", to: folder + "/memory.memsw.limit_in_bytes")
        }
        var limitsProcesses = false
        if let folder = folders["pids"], let limit = resources.processes {
            limitsProcesses = KernelFile.write("\(limit)", to: folder + "/pids.max") == 0
        }
        if let folder = folders["cpu"] {
            KernelFile.write("100000", to: folder + "/cpu.cfs_period_us")
            KernelFile.write(
                "\(max(1000, Int(resources.cpus * 100_000)))", to: folder + "/cpu.cfs_quota_us")
        }
        self.folders = folders
        processLimit = resources.processes
        self.limitsMemory = limitsMemory
        self.limitsProcesses = limitsProcesses
    }

    var joins: [String] { Set(folders.values).sorted().map { $0 + "/cgroup.procs" } }

    var cpuSeconds: Double? {
        folders["cpuacct"].flatMap { KernelFile.number($0 + "/cpuacct.usage") }
            .map { Double($0) / 1e9 }
    }

    var memoryBytes: Int64? {
        guard let folder = folders["memory"],
            let used = KernelFile.number(folder + "/memory.usage_in_bytes")
        else { return nil }
        let cache = KernelFile.number(folder + "/memory.stat", key: "total_inactive_file") ?? 0
        return max(0, used - cache)
    }

    var ranOutOfMemory: Bool {
        guard let folder = folders["memory"] else { return false }
        return (KernelFile.number(folder + "/memory.oom_control", key: "oom_kill") ?? 0) > 0
    }

    func killAll(isLast: Bool) {
        defer {
            if !isLast, let folder = folders["pids"] {
                KernelFile.write(processLimit.map { "\($0)" } ?? "max", to: folder + "/pids.max")
            }
        }
        if let folder = folders["pids"] { KernelFile.write("0", to: folder + "/pids.max") }
        for _ in 0..<200 {
            let members = Set(
                folders.values.flatMap { folder in
                    (KernelFile.read(folder + "/cgroup.procs") ?? "").split(separator: "\n")
                        .compactMap { pid_t($0) }
                })
            guard !members.isEmpty else { return }
            for member in members where member > 1 { kill(member, SIGKILL) }
            usleep(5000)
        }
    }

    func remove() {
        for folder in Set(folders.values) { rmdir(folder) }
    }
}
