import AloftDomain
import Foundation

/// A control group of the kernel that holds a job's processes: limits, accounting, and an end for
/// all of them at once. Without one (not writable, or no controllers) the shim walks the process
/// tree instead.
protocol Confinement {
    /// `cgroup.procs` files that a process joins by writing to.
    var joins: [String] { get }
    /// Whether the kernel itself keeps these limits.
    var limitsMemory: Bool { get }
    var limitsProcesses: Bool { get }
    /// Processor time so far; `nil` where it is not counted.
    var cpuSeconds: Double? { get }
    /// In use now, without file cache that can be dropped.
    var memoryBytes: Int64? { get }
    /// Whether the kernel ended a process of the group for want of memory.
    var ranOutOfMemory: Bool { get }
    /// Ends every process of the group and lets no new one begin, for good if `isLast`.
    func killAll(isLast: Bool)
    /// Removes the group; it must be empty.
    func remove()
}

/// Where this process's control groups are, from `/proc/self/mountinfo` and `/proc/self/cgroup`.
struct CgroupLayout: Sendable, Equatable {
    /// The folder of each version 1 controller that this process belongs to.
    var version1: [String: String] = [:]
    /// The folder of the version 2 group that this process belongs to.
    var version2: String?

    static func ofThisProcess() -> CgroupLayout {
        CgroupLayout(
            mounts: KernelFile.read("/proc/self/mountinfo") ?? "",
            membership: KernelFile.read("/proc/self/cgroup") ?? "")
    }

    init(mounts: String, membership: String) {
        let groups = Self.groups(membership)
        for line in mounts.split(separator: "\n") {
            let halves = line.components(separatedBy: " - ")
            guard halves.count == 2 else { continue }
            let (left, right) = (
                halves[0].split(separator: " "), halves[1].split(separator: " ")
            )
            guard left.count > 4, right.count > 2 else { continue }
            let (root, mount) = (String(left[3]), String(left[4]))
            switch right[0] {
            case "cgroup2":
                version2 = groups[""].map { Self.folder(of: $0, root: root, mount: mount) }
            case "cgroup":
                for controller in right[2].split(separator: ",").map(String.init) {
                    guard let group = groups[controller] else { continue }
                    version1[controller] = Self.folder(of: group, root: root, mount: mount)
                }
            default: continue
            }
        }
    }

    /// The group's path by controller; version 2 has the empty name.
    private static func groups(_ membership: String) -> [String: String] {
        var groups: [String: String] = [:]
        for line in membership.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            for controller in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                groups[String(controller)] = String(parts[2])
            }
        }
        return groups
    }

    private static func folder(of group: String, root: String, mount: String) -> String {
        let inside =
            root != "/" && group.hasPrefix(root) ? String(group.dropFirst(root.count)) : group
        return inside == "/" ? mount : mount + inside
    }
}

enum Confinements {
    /// A group for this attempt with its limits; `nil` where no control group can be used.
    static func make(
        for attempt: AttemptID, resources: Resources, layout: CgroupLayout = .ofThisProcess()
    ) -> (any Confinement)? {
        let name = "aloft-\(attempt.job)-\(attempt.number)"
        if let base = layout.version2,
            let group = CgroupV2(base: base, name: name, resources: resources)
        {
            return group
        }
        return CgroupV1(controllers: layout.version1, name: name, resources: resources)
    }

    /// The group that a lost shim may have left.
    static func leftover(of attempt: AttemptID) -> (any Confinement)? {
        make(for: attempt, resources: Resources())
    }
}
