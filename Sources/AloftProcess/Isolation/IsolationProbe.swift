import CProcess
import Foundation

/// What isolation this machine gives this user, tried by using it.
package struct IsolationProbe: Sendable, Equatable {
    /// The best that works.
    package let kind: IsolationKind
    /// Why not a better one, in a person's words, with what would help.
    package let reasons: [String]
    /// 0 where there is none.
    package let landlockVersion: Int
    /// What stands in the way of isolation that this machine would give, and can be moved; as a sentence.
    package let obstacle: String?

    init(kind: IsolationKind, reasons: [String], landlockVersion: Int, obstacle: String? = nil) {
        self.kind = kind
        self.reasons = reasons
        self.landlockVersion = landlockVersion
        self.obstacle = obstacle
    }

    /// Starts a program of the machine that does nothing, in each way until one works; takes some
    /// milliseconds.
    ///
    /// - Parameter wanted: the only way to try.
    package static func run(hiding folder: String, wanted: IsolationKind?) -> IsolationProbe {
        var reasons: [String] = []
        var obstacle: String?
        let version = Int(aloft_landlock_version())
        for kind in [IsolationKind.namespaces, .landlock] where wanted == nil || wanted == kind {
            if kind == .landlock, version == 0 {
                reasons.append(
                    "landlock: this kernel has none (Linux 5.13 or later, with `landlock` in "
                        + "/sys/kernel/security/lsm)")
                continue
            }
            let policy = IsolationPolicy(kind: kind, hidden: [folder])
            do {
                let status = try Spawn(
                    executable: "/bin/sh", arguments: ["-c", "exit 0"], variables: [:],
                    isolation: policy.isolation(reads: [], writes: [])
                ).run()
                if status == 0 {
                    return IsolationProbe(kind: kind, reasons: reasons, landlockVersion: version)
                }
                reasons.append("\(kind.rawValue): a program ended with status \(status) in it")
            } catch {
                obstacle = (error as? SpawnFailure)?.refusal ?? obstacle
                reasons.append("\(kind.rawValue): \(error)\(hint(for: kind))")
            }
        }
        return IsolationProbe(
            kind: .none, reasons: reasons, landlockVersion: version, obstacle: obstacle)
    }

    private static func hint(for kind: IsolationKind) -> String {
        guard kind == .namespaces else { return "" }
        for (file, value) in [
            ("/proc/sys/user/max_user_namespaces", "0"),
            ("/proc/sys/kernel/unprivileged_userns_clone", "0"),
            ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"),
        ] {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            guard text.trimmingCharacters(in: .whitespacesAndNewlines) == value else { continue }
            return "; \(file) is \(value)"
        }
        return ""
    }
}

extension SpawnFailure {
    /// Whether it could not be isolated, and was not started for that.
    package var isIsolation: Bool {
        [
            ALOFT_SPAWN_UNSHARE.rawValue, ALOFT_SPAWN_MOUNT.rawValue, ALOFT_SPAWN_PROC.rawValue,
            ALOFT_SPAWN_LANDLOCK.rawValue,
        ].contains(UInt32(bitPattern: step))
    }
}

/// What concerns this very process.
package enum ThisProcess {
    /// From now on no other process of its user can read its memory and variables.
    package static func forbidInspection() { _ = aloft_forbid_inspection() }
}

/// A guard and the programs inside, as the machine sees them.
package enum GuardedTree {
    /// The program that the guard `process` was started for; `process` itself where it is no guard.
    package static func program(of process: Int32) -> Int32 {
        guard let first = children(of: process).first else { return process }
        return children(of: first).first ?? process
    }

    private static func children(of process: Int32) -> [Int32] {
        let path = "/proc/\(process)/task/\(process)/children"
        let data = FileManager.default.contents(atPath: path) ?? Data()
        return String(decoding: data, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }
}
